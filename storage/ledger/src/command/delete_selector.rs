//! Deletes a selector.

use super::At;
use crate::{Change, Denial, Ledger, guard};

/// Deletes a selector. Its budgets stay, and so does what was spent on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteSelector {
    /// Its name.
    pub name: String,
    /// Who asks; what a file owns is deleted only in its name.
    pub managed_by: String,
    /// Log index of the change it follows.
    pub if_index: Option<u64>,
}

impl DeleteSelector {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let Some(present) = ledger.selectors.get(&self.name) else {
            return Err(Denial::NotFound("selector", self.name.clone()));
        };
        guard::index(self.if_index, Some(present.changed_index))?;
        guard::owner(&present.managed_by, &self.managed_by)?;
        ledger.drop_selector(&self.name);
        Ok(at.config_changed(ledger))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;
    use crate::sample::{Log, put_selector, selector};

    #[test]
    fn a_deleted_selector_is_in_neither_map() {
        let mut log = Log::sample();
        let delete = Command::DeleteSelector(DeleteSelector {
            name: "dev".to_owned(),
            managed_by: "api:ann".to_owned(),
            if_index: None,
        });
        let missing = Denial::NotFound("selector", "dev".to_owned());
        assert_eq!(log.denied(delete.clone()), missing);
        log.done(put_selector(selector("dev", &[("env", "dev")])));
        log.done(put_selector(selector("all", &[])));
        assert_eq!(log.done(delete), [Change::Config]);
        assert_eq!(log.ledger.selectors.size(), 1);
        assert_eq!(log.ledger.selectors_by_label.size(), 1);
    }
}
