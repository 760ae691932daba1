//! Creates or replaces a provider, by name.

use super::At;
use crate::{Change, Denial, Ledger, Provider, guard, valid};

/// Creates or replaces a provider, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutProvider {
    /// The provider as it shall be. `changed_index` is set by the ledger.
    pub provider: Provider,
    /// Log index of the change it replaces; `Some(0)`: there must be none.
    pub if_index: Option<u64>,
}

impl PutProvider {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let present = ledger.providers.get(&self.provider.name);
        guard::index(self.if_index, present.map(|present| present.changed_index))?;
        let mut provider = self.provider.clone();
        if let Some(present) = present {
            guard::owner(&present.managed_by, &provider.managed_by)?;
            provider.changed_index = present.changed_index;
            if provider == *present {
                return Ok(Vec::new());
            }
        }
        valid::provider(&provider)?;
        provider.changed_index = at.index;
        ledger.providers.insert_mut(provider.name.clone(), provider);
        Ok(at.config_changed(ledger))
    }
}
