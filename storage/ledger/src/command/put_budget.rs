//! Creates or replaces a budget, by name. Spend stays.

use super::At;
use crate::calendar::{self, Span};
use crate::{
    AccountId, Budget, Change, Denial, Ledger, Per, UnixMillis, guard, instance, threshold, valid,
};

/// Creates or replaces a budget, by name.
///
/// A new budget that all share gets one account per window, whose first period is that of the entry's
/// time. Of an existing one everything may change but the unit, the windows and who shares it: that is
/// another budget. A limit counts from this entry on, in the present period too, and spend stays; another
/// time zone counts from the next period on. All of it holds for the instances there are as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutBudget {
    /// The budget as it shall be. `handle`, `created_at` and `changed_index` are set by the ledger.
    pub budget: Budget,
    /// Log index of the change it replaces; `Some(0)`: there must be none.
    pub if_index: Option<u64>,
    /// First period of each window of a new budget, by the proposer's calendar
    /// ([`crate::calendar::first_periods`]). Only those of calendar windows in a time zone are looked at.
    pub periods: Vec<Span>,
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
        if budget.per == Per::All {
            let periods = first_periods(&budget, at.at, &self.periods)?;
            let whose = (budget.handle, "", at.at);
            instance::open_accounts(ledger, &budget, whose, &periods);
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
        budget.changed_index = at.index;
        ledger.budgets.insert_mut(budget.name.clone(), budget.clone());
        let mut changes = at.config_changed(ledger);
        for handle in instance::handles(ledger, &budget) {
            for (id, window) in budget.accounts_under(handle) {
                if set_terms(ledger, id, window.limit, [&present.thresholds, &budget.thresholds]) {
                    changes.push(Change::PoolGrew(id));
                }
                let period = ledger.accounts.get(&id).map_or(0, |account| account.period);
                threshold::tell(ledger, at.at, id, period);
            }
        }
        Ok(changes)
    }
}

/// The first period of each window: the carried ones where a window follows the clocks of a place, else
/// those that everybody computes alike.
pub(super) fn first_periods(
    budget: &Budget,
    now: UnixMillis,
    carried: &[Span],
) -> Result<Vec<Span>, Denial> {
    let invalid = |reason: String| Denial::Invalid("periods", reason);
    let mut all = Vec::new();
    for (position, terms) in budget.windows.iter().enumerate() {
        if !calendar::is_local(terms.window, &budget.time_zone) {
            all.push(calendar::first_of_all(terms.window, now));
            continue;
        }
        let span = carried.get(position).copied();
        let Some((starts_at, Some(ends_at))) = span else {
            let (window, zone) = (terms.window, &budget.time_zone);
            return Err(invalid(format!("{window:?} in {zone} has none at {position}")));
        };
        if ends_at <= starts_at {
            return Err(invalid(format!("{} ends before it starts", position)));
        }
        all.push((starts_at, Some(ends_at)));
    }
    Ok(all)
}

/// Checks that unit, windows (in their order) and sharers are the present ones: books cannot be converted.
fn check_same_shape(present: &Budget, wanted: &Budget) -> Result<(), Denial> {
    let kinds = |budget: &Budget| -> Vec<_> {
        let windows = budget.windows.iter();
        windows.map(|window| window.window).collect()
    };
    let field = if present.unit != wanted.unit {
        "unit"
    } else if kinds(present) != kinds(wanted) {
        "windows"
    } else if !same_kind(present.per, wanted.per) {
        "per"
    } else {
        return Ok(());
    };
    let reason = "cannot change once there are books: make a new budget";
    Err(Denial::Invalid(field, reason.to_owned()))
}

/// How long sessions live may change: those that are open keep their time.
fn same_kind(present: Per, wanted: Per) -> bool {
    std::mem::discriminant(&present) == std::mem::discriminant(&wanted)
}

/// Takes a base limit and renumbered thresholds over into an account; true if its pool grew.
fn set_terms(ledger: &mut Ledger, id: AccountId, limit: i64, thresholds: [&[u8]; 2]) -> bool {
    let Some(account) = ledger.accounts.get_mut(&id) else {
        return false;
    };
    let [old, new] = thresholds;
    if old != new {
        let numbers: Vec<u64> = account.periods.keys().copied().collect();
        for number in numbers {
            if let Some(period) = account.periods.get_mut(&number) {
                period.fired = threshold::renumber(period.fired, old, new);
            }
        }
    }
    let before = account.pool();
    account.base_limit = limit;
    account.set_limit();
    account.pool() > before
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Command, IncreaseBudget, OpenInstance};
    use crate::sample::{ACCOUNT, LIMIT, Log, NODES, budget, line, put_budget};
    use crate::view::books;
    use crate::{BudgetWindow, Outcome, Unit, Window, Word};

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
        let mut each = budget("team", LIMIT);
        each.per = Per::Key;
        for (odd, field) in [(tokens, "unit"), (daily, "windows"), (each, "per")] {
            let (outcome, _) = log.propose(put_budget(odd));
            assert!(
                matches!(outcome, Outcome::Denied(Denial::Invalid(named, _)) if named == field)
            );
        }
    }

    #[test]
    fn an_edit_holds_for_every_instance_and_its_increases_stay() {
        let mut log = Log::sample();
        let mut own = budget("own", LIMIT);
        own.per = Per::Session { ttl_ms: 60_000 };
        log.done(put_budget(own.clone()));
        let mut accounts = Vec::new();
        for subject in ["id1/a", "id1/b"] {
            let (budget, subject) = ("own".to_owned(), subject.to_owned());
            let open = OpenInstance { budget, subject, periods: Vec::new() };
            log.done(Command::OpenInstance(open));
            accounts.push(AccountId { budget: log.ledger.applied_index, window: 0 });
        }
        let (account, until, word) = (accounts[0], UnixMillis(9), Word::default());
        let increase = IncreaseBudget { account, amount: 5, until, word };
        log.done(Command::IncreaseBudget(increase));
        own.windows[0].limit = 2 * LIMIT;
        own.per = Per::Session { ttl_ms: 1_000 };
        let changes = log.done(put_budget(own));
        assert_eq!(changes.len(), 3, "{changes:?}");
        let limits: Vec<i64> = accounts.iter().map(|id| log.ledger.accounts[id].limit()).collect();
        assert_eq!(limits, [2 * LIMIT + 5, 2 * LIMIT]);
    }

    #[test]
    fn in_a_time_zone_the_proposer_brings_the_periods_of_calendar_windows_only() {
        let mut log = Log::sample();
        let mut local = budget("local", LIMIT);
        local.time_zone = "Europe/Berlin".to_owned();
        local.windows.push(BudgetWindow { window: Window::Day, limit: 5 });
        let periods =
            [vec![], vec![(UnixMillis(1), None); 2], vec![(UnixMillis(9), Some(UnixMillis(9))); 2]];
        for periods in periods {
            let budget = local.clone();
            let put = Command::PutBudget(PutBudget { budget, if_index: None, periods });
            let outcome = log.propose(put).0;
            assert!(matches!(outcome, Outcome::Denied(Denial::Invalid("periods", _))));
        }
        let periods = vec![(UnixMillis(3), Some(UnixMillis(7))); 2];
        let put = PutBudget { budget: local, if_index: None, periods };
        log.done(Command::PutBudget(put));
        let handle = log.ledger.budgets["local"].handle;
        let starts = |window| {
            let account = &log.ledger.accounts[&AccountId { budget: handle, window }];
            account.present().unwrap().starts_at.0
        };
        assert_eq!((starts(0), starts(1)), (0, 3));
    }
}
