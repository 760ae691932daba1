//! Creates or replaces an alias, by name.

use super::At;
use crate::{Alias, Change, Denial, Ledger, guard, valid};

/// Creates or replaces an alias, by name. The providers of its targets must exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutAlias {
    /// The alias as it shall be. `changed_index` is set by the ledger.
    pub alias: Alias,
    /// Log index of the change it replaces; `Some(0)`: there must be none.
    pub if_index: Option<u64>,
}

impl PutAlias {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let present = ledger.aliases.get(&self.alias.name);
        guard::index(self.if_index, present.map(|present| present.changed_index))?;
        let mut alias = self.alias.clone();
        if let Some(present) = present {
            guard::owner(&present.managed_by, &alias.managed_by)?;
            alias.changed_index = present.changed_index;
            if alias == *present {
                return Ok(Vec::new());
            }
        }
        valid::alias(&alias)?;
        for target in &alias.targets {
            if !ledger.providers.contains_key(&target.provider) {
                return Err(Denial::NotFound("provider", target.provider.clone()));
            }
        }
        alias.changed_index = at.index;
        ledger.aliases.insert_mut(alias.name.clone(), alias);
        Ok(at.config_changed(ledger))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Log, alias, put_alias};
    use crate::{Outcome, view::Resolution, view::resolve_model};

    #[test]
    fn an_alias_stands_for_models_of_providers_that_exist() {
        let mut log = Log::sample();
        let missing = Denial::NotFound("provider", "nope".to_owned());
        let (outcome, _) = log.propose(put_alias(alias("slow", "nope")));
        assert_eq!(outcome, Outcome::Denied(missing));
        log.done(put_alias(alias("slow", "openai")));
        assert_eq!(log.done(put_alias(alias("slow", "openai"))), []);
        let found = resolve_model(&log.ledger, "slow");
        assert!(matches!(found, Resolution::Alias(alias) if alias.name == "slow"));
    }
}
