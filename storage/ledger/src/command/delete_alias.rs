//! Deletes an alias.

use super::At;
use crate::{Change, Denial, Ledger, guard};

/// Deletes an alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteAlias {
    /// Name of the alias.
    pub name: String,
    /// Who asks; what a file owns is deleted only in its name.
    pub managed_by: String,
    /// Log index of the change it follows.
    pub if_index: Option<u64>,
}

impl DeleteAlias {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let Some(present) = ledger.aliases.get(&self.name) else {
            return Err(Denial::NotFound("alias", self.name.clone()));
        };
        guard::index(self.if_index, Some(present.changed_index))?;
        guard::owner(&present.managed_by, &self.managed_by)?;
        ledger.aliases.remove_mut(&self.name);
        Ok(at.config_changed(ledger))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Outcome, command::Command, sample::Log};

    #[test]
    fn an_alias_is_deleted_at_the_index_it_was_read_at() {
        let mut log = Log::sample();
        let present = log.ledger.aliases["fast"].changed_index;
        let delete = |if_index| {
            Command::DeleteAlias(DeleteAlias {
                name: "fast".to_owned(),
                managed_by: "api:ann".to_owned(),
                if_index,
            })
        };
        let mismatch = Denial::IndexMismatch { present };
        assert_eq!(log.propose(delete(Some(1))).0, Outcome::Denied(mismatch));
        assert_eq!(log.done(delete(Some(present))), [Change::Config]);
        assert!(log.ledger.aliases.is_empty());
    }
}
