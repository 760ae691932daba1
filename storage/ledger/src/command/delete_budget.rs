//! Deletes a budget that nothing names.

use super::At;
use crate::{Change, Denial, Ledger, guard, instance};

/// Deletes a budget that no living key, scope, selector or profile names, with all its instances.
///
/// Accounts with something outstanding stay on the books, without granting, until their periods are
/// closed: nodes may still report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteBudget {
    /// Name of the budget.
    pub name: String,
    /// Who asks; what a file owns is deleted only in its name.
    pub managed_by: String,
    /// Log index of the change it follows.
    pub if_index: Option<u64>,
}

impl DeleteBudget {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let Some(budget) = ledger.budgets.get(&self.name).cloned() else {
            return Err(Denial::NotFound("budget", self.name.clone()));
        };
        guard::index(self.if_index, Some(budget.changed_index))?;
        guard::owner(&budget.managed_by, &self.managed_by)?;
        guard::budget_unused(ledger, &self.name)?;
        instance::close_of_budget(ledger, at.at, budget.handle);
        instance::close_accounts(ledger, at.at, budget.handle);
        ledger.budgets.remove_mut(&self.name);
        Ok(at.config_changed(ledger))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{ACCOUNT, Log, NODES, line};
    use crate::{Outcome, command::ClosePeriod, command::Command};

    fn delete() -> Command {
        Command::DeleteBudget(DeleteBudget {
            name: "team".to_owned(),
            managed_by: "api:ann".to_owned(),
            if_index: None,
        })
    }

    #[test]
    fn a_budget_in_use_is_not_deleted() {
        let mut log = Log::sample();
        let in_use = Denial::InUse("key ann".to_owned());
        assert_eq!(log.propose(delete()).0, Outcome::Denied(in_use));
        log.revoke("ann");
        assert_eq!(log.done(delete()), [Change::Config]);
        assert!(log.ledger.accounts.is_empty());
        let missing = Denial::NotFound("budget", "team".to_owned());
        assert_eq!(log.propose(delete()).0, Outcome::Denied(missing));
    }

    #[test]
    fn late_reports_on_a_deleted_budget_are_booked_until_it_is_closed() {
        let mut log = Log::sample();
        log.refill(NODES[0], line(0, 0, 30));
        log.revoke("ann");
        log.done(delete());
        assert_eq!(log.refill(NODES[0], line(20, 0, 5)), 30);
        let account = &log.ledger.accounts[&ACCOUNT];
        assert_eq!(account.present().unwrap().spent(), 20);
        let (account, period) = (ACCOUNT, 1);
        log.done(Command::ClosePeriod(ClosePeriod { account, period }));
        assert!(log.ledger.accounts.is_empty());
        assert_eq!(log.refill(NODES[0], line(25, 0, 5)), 0);
    }
}
