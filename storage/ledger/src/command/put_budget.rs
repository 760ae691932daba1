//! Creates or replaces a budget, by name. Spend stays.

use super::At;
use crate::calendar::period_bounds;
use crate::{Account, AccountId, Budget, Change, Denial, Ledger, Period, guard, valid};
use rpds::RedBlackTreeMapSync;

/// Creates or replaces a budget, by name.
///
/// A new budget gets one account per window, whose first period is that of the entry's time. Of an
/// existing one the limits, the mode and the owner may change: a limit counts from this entry on, in the
/// present period too, and spend stays. Other units or windows are another budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutBudget {
    /// The budget as it shall be. `handle`, `created_at` and `changed_index` are set by the ledger.
    pub budget: Budget,
    /// Log index of the change it replaces; `Some(0)`: there must be none.
    pub if_index: Option<u64>,
}

impl PutBudget {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let present = ledger.budgets.get(&self.budget.name).cloned();
        let changed_index = present.as_ref().map(|budget| budget.changed_index);
        guard::index(self.if_index, changed_index)?;
        match present {
            Some(present) => self.replace(ledger, at, &present),
            None => self.create(ledger, at),
        }
    }

    fn create(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        valid::budget(&self.budget)?;
        let mut budget = self.budget.clone();
        budget.handle = at.index;
        budget.created_at = at.at;
        budget.changed_index = at.index;
        for (id, window) in budget.accounts() {
            let (starts_at, ends_at) = period_bounds(window.window, at.at, at.at);
            let first = Period::open(starts_at, ends_at, window.limit);
            let account = Account {
                unit: budget.unit,
                period: 1,
                deleted_at: None,
                closed_spend: 0,
                periods: RedBlackTreeMapSync::new_sync().insert(1, first),
            };
            ledger.accounts.insert_mut(id, account);
        }
        ledger.budgets.insert_mut(budget.name.clone(), budget);
        Ok(at.config_changed(ledger))
    }

    fn replace(
        &self,
        ledger: &mut Ledger,
        at: At,
        present: &Budget,
    ) -> Result<Vec<Change>, Denial> {
        let mut budget = self.budget.clone();
        guard::owner(&present.managed_by, &budget.managed_by)?;
        budget.handle = present.handle;
        budget.created_at = present.created_at;
        budget.changed_index = present.changed_index;
        if budget == *present {
            return Ok(Vec::new());
        }
        valid::budget(&budget)?;
        check_same_shape(present, &budget)?;
        let mut grown = Vec::new();
        for (id, window) in budget.accounts() {
            if set_limit(ledger, id, window.limit) {
                grown.push(Change::PoolGrew(id));
            }
        }
        budget.changed_index = at.index;
        ledger.budgets.insert_mut(budget.name.clone(), budget);
        let mut changes = at.config_changed(ledger);
        changes.append(&mut grown);
        Ok(changes)
    }
}

/// Checks that unit and windows are the present ones, in their order: books cannot be converted.
fn check_same_shape(present: &Budget, wanted: &Budget) -> Result<(), Denial> {
    let kinds = |budget: &Budget| -> Vec<_> {
        let windows = budget.windows.iter();
        windows.map(|window| window.window).collect()
    };
    let field = if present.unit != wanted.unit {
        "unit"
    } else if kinds(present) != kinds(wanted) {
        "windows"
    } else {
        return Ok(());
    };
    let reason = "cannot change once there are books: make a new budget";
    Err(Denial::Invalid(field, reason.to_owned()))
}

/// Sets the limit of an account's present period; true if that made its pool grow.
fn set_limit(ledger: &mut Ledger, id: AccountId, limit: i64) -> bool {
    let Some(account) = ledger.accounts.get_mut(&id) else {
        return false;
    };
    let Some(period) = account.periods.get_mut(&account.period) else {
        return false;
    };
    let grew = limit > period.limit;
    period.set_limit(limit);
    grew
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{ACCOUNT, LIMIT, Log, NODES, budget, line, put_budget};
    use crate::view::books;
    use crate::{BudgetWindow, Outcome, Unit, UnixMillis, Window};

    #[test]
    fn a_new_budget_opens_one_account_per_window() {
        let mut log = Log::sample();
        log.now_ms = 1_709_210_096_000;
        let mut two = budget("two", 5);
        let (window, limit) = (Window::Day, 3);
        two.windows.push(BudgetWindow { window, limit });
        log.done(put_budget(two));
        let made = &log.ledger.budgets["two"];
        assert_eq!(made.handle, log.ledger.applied_index);
        let periods: Vec<_> = made
            .accounts()
            .map(|(id, _)| log.ledger.accounts[&id].present().unwrap().clone())
            .collect();
        let starts: Vec<u64> = periods.iter().map(|period| period.starts_at.0).collect();
        assert_eq!(starts, [1_709_210_096_000, 1_709_164_800_000]);
        assert_eq!(periods[1].ends_at, Some(UnixMillis(1_709_251_200_000)));
    }

    #[test]
    fn a_limit_counts_at_once_and_spend_stays() {
        let mut log = Log::sample();
        log.refill(NODES[0], line(0, 0, 100));
        log.refill(NODES[0], line(60, 0, 0));
        assert_eq!(log.done(put_budget(budget("team", LIMIT))), []);
        assert_eq!(log.done(put_budget(budget("team", 50))), [Change::Config]);
        let lowered = books(&log.ledger, ACCOUNT).unwrap();
        assert_eq!((lowered.pool, lowered.overspend_bound), (-50, 50));
        assert_eq!(log.refill(NODES[1], line(0, 0, 10)), 0);
        let raised = log.done(put_budget(budget("team", 120)));
        assert_eq!(raised, [Change::Config, Change::PoolGrew(ACCOUNT)]);
        let raised = books(&log.ledger, ACCOUNT).unwrap();
        assert_eq!((raised.reported, raised.outstanding, raised.pool), (60, 40, 20));
    }

    #[test]
    fn unit_and_windows_of_a_budget_are_for_ever() {
        let mut log = Log::sample();
        let mut tokens = budget("team", LIMIT);
        tokens.unit = Unit::Tokens;
        let mut daily = budget("team", LIMIT);
        daily.windows[0].window = Window::Day;
        for (odd, field) in [(tokens, "unit"), (daily, "windows")] {
            let (outcome, _) = log.propose(put_budget(odd));
            assert!(
                matches!(outcome, Outcome::Denied(Denial::Invalid(named, _)) if named == field)
            );
        }
    }
}
