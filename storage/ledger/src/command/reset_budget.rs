//! Begins the present period of an account anew, by hand.

use super::At;
use super::increase_budget::{living, told};
use crate::{Account, AccountId, Change, Denial, Ledger, UnixMillis, Word, event};

/// Begins the present period of an account anew, by hand: nothing is spent in it any more.
///
/// It is a new period with the end of the old one. What is still out of the old one is reported there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetBudget {
    /// The account.
    pub account: AccountId,
    /// Number of the period that ends by it; another than the present one: a repetition.
    pub period: u64,
    /// Whose word.
    pub word: Word,
}

impl ResetBudget {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        self.word.check()?;
        if event::was_done(ledger, &self.word) {
            return Ok(Vec::new());
        }
        let (id, word) = (self.account, &self.word);
        let account = living(ledger, id)?;
        if self.period != account.period {
            return Ok(Vec::new());
        }
        let Some(present) = account.present() else {
            return Ok(Vec::new());
        };
        let ends_at = present.ends_at;
        // Each period lasts a millisecond at least, whatever the proposer's clock says.
        let earliest = present.starts_at.0.saturating_add(1);
        let latest = ends_at.map_or(u64::MAX, |end| end.0.saturating_sub(1));
        if earliest > latest {
            let reason = format!("{} is over", self.period);
            return Err(Denial::Invalid("period", reason));
        }
        let cut_at = UnixMillis(at.at.0.clamp(earliest, latest));
        let what = format!("reset {} at {} spent", told(account, id), account.spent());
        begin_anew(account, cut_at, ends_at);
        event::audit(ledger, at, word, what);
        let mut changes = at.config_changed(ledger);
        let period = self.period.saturating_add(1);
        changes.push(Change::PeriodOpened { account: id, period });
        changes.push(Change::PoolGrew(id));
        Ok(changes)
    }
}

/// Ends the present period and opens the next one under the same limit: what was moved goes along, for it
/// is missing, or to be had, elsewhere.
fn begin_anew(account: &mut Account, cut_at: UnixMillis, ends_at: Option<UnixMillis>) {
    let moved = account.moved();
    let counting: Vec<u64> = account.counting().map(|(number, _)| number).collect();
    for number in counting {
        if let Some(period) = account.periods.get_mut(&number) {
            period.moved = 0;
        }
    }
    if let Some(present) = account.periods.get_mut(&account.period) {
        present.ends_at = Some(cut_at);
    }
    account.ring_from = account.period.saturating_add(1);
    account.open_next(cut_at, ends_at);
    if let Some(present) = account.periods.get_mut(&account.period) {
        (present.moved, present.fired) = (moved, 0);
    }
    account.set_limit();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;
    use crate::sample::{ACCOUNT, LIMIT, Log, NODES, SPAN_MS, budget, line, put_budget};
    use crate::view::books;
    use crate::{BudgetWindow, Outcome, Window};

    fn reset(account: AccountId, period: u64) -> Command {
        let word = Word { actor: "api:ann".to_owned(), ..Word::default() };
        Command::ResetBudget(ResetBudget { account, period, word })
    }

    #[test]
    fn an_operation_resets_once_whatever_period_it_names_the_second_time() {
        let mut log = Log::sample();
        let word = Word { operation: "op1".to_owned(), ..Word::default() };
        let named = |period| {
            let word = word.clone();
            Command::ResetBudget(ResetBudget { account: ACCOUNT, period, word })
        };
        log.now_ms = 400;
        assert!(!log.done(named(1)).is_empty());
        assert_eq!(log.done(named(2)), []);
        assert_eq!(log.ledger.accounts[&ACCOUNT].period, 2);
    }

    #[test]
    fn a_reset_begins_the_period_anew_and_leaves_its_end() {
        let mut log = Log::sample();
        log.now_ms = 400;
        log.refill(NODES[0], line(0, 0, 600));
        log.refill(NODES[0], line(500, 0, 0));
        let period = 2;
        let changes = [
            Change::Config,
            Change::PeriodOpened { account: ACCOUNT, period },
            Change::PoolGrew(ACCOUNT),
        ];
        assert_eq!(log.done(reset(ACCOUNT, 1)), changes);
        assert_eq!(log.done(reset(ACCOUNT, 1)), []);
        let after = books(&log.ledger, ACCOUNT).unwrap();
        assert_eq!((after.period, after.pool), (2, LIMIT));
        assert_eq!(after.starts_at, UnixMillis(400));
        assert_eq!(after.ends_at, Some(UnixMillis(SPAN_MS)));
        assert_eq!(log.refill(NODES[0], line(550, 0, 5)), 600);
        assert_eq!(log.ledger.accounts[&ACCOUNT].periods[&1].spent(), 550);
        let audit = log.ledger.audit.first().unwrap().1;
        assert_eq!(audit.what, "reset team window 0 at 500 spent");
    }

    #[test]
    fn a_prepaid_and_a_rolling_budget_are_reset_too() {
        let mut log = Log::sample();
        let mut two = budget("two", 10);
        two.windows[0].window = Window::Rolling(24_000);
        two.windows.push(BudgetWindow { window: Window::Never, limit: 10 });
        log.done(put_budget(two));
        let handle = log.ledger.budgets["two"].handle;
        let [rolling, prepaid] = [0, 1].map(|window| AccountId { budget: handle, window });
        for account in [rolling, prepaid] {
            let mut ask = line(0, 0, 10);
            ask.account = account;
            assert_eq!(log.refill(NODES[0], ask), 10);
            log.done(reset(account, 1));
            (ask.period, ask.want) = (2, 10);
            assert_eq!(log.refill(NODES[0], ask), 10, "{account}");
        }
    }

    #[test]
    fn a_period_that_is_too_short_to_cut_is_left() {
        let mut log = Log::sample();
        let account = log.ledger.accounts.get_mut(&ACCOUNT).unwrap();
        account.periods.get_mut(&1).unwrap().ends_at = Some(UnixMillis(1));
        let outcome = log.propose(reset(ACCOUNT, 1)).0;
        assert!(matches!(outcome, Outcome::Denied(Denial::Invalid("period", _))));
    }
}
