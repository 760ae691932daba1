//! Deletes a provider that no alias names.

use super::At;
use crate::{Change, Denial, Ledger, guard};

/// Deletes a provider that no alias names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteProvider {
    /// Name of the provider.
    pub name: String,
    /// Who asks; what a file owns is deleted only in its name.
    pub managed_by: String,
    /// Log index of the change it follows.
    pub if_index: Option<u64>,
}

impl DeleteProvider {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let Some(present) = ledger.providers.get(&self.name) else {
            return Err(Denial::NotFound("provider", self.name.clone()));
        };
        guard::index(self.if_index, Some(present.changed_index))?;
        guard::owner(&present.managed_by, &self.managed_by)?;
        let user = ledger.aliases.values().find(|alias| {
            let mut targets = alias.targets.iter();
            targets.any(|target| target.provider == self.name)
        });
        if let Some(user) = user {
            return Err(Denial::InUse(format!("alias {}", user.name)));
        }
        ledger.providers.remove_mut(&self.name);
        Ok(at.config_changed(ledger))
    }
}
