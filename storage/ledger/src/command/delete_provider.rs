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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Command, DeleteAlias};
    use crate::{Outcome, sample::Log};

    #[test]
    fn a_provider_an_alias_names_is_not_deleted() {
        let mut log = Log::sample();
        let delete = Command::DeleteProvider(DeleteProvider {
            name: "openai".to_owned(),
            managed_by: "api:ann".to_owned(),
            if_index: None,
        });
        let in_use = Denial::InUse("alias fast".to_owned());
        assert_eq!(log.propose(delete.clone()).0, Outcome::Denied(in_use));
        log.done(Command::DeleteAlias(DeleteAlias {
            name: "fast".to_owned(),
            managed_by: "api:ann".to_owned(),
            if_index: None,
        }));
        assert_eq!(log.done(delete), [Change::Config]);
    }
}
