//! Closes a past period: what is still outstanding counts as spent.

use crate::{AccountId, Denial, Ledger};

/// Closes a past period: its books become the account's closed spend, and what is still outstanding
/// counts as spent.
///
/// Of a deleted budget's account the last period may be closed too, and with it the account goes. A
/// period that was closed before is a repetition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosePeriod {
    /// The account.
    pub account: AccountId,
    /// Number of the period.
    pub period: u64,
}

impl ClosePeriod {
    pub(super) fn apply(&self, ledger: &mut Ledger) -> Result<(), Denial> {
        let Some(account) = ledger.accounts.get_mut(&self.account) else {
            return Ok(());
        };
        if self.period >= account.period && account.deleted_at.is_none() {
            let reason = format!("{} is not past", self.period);
            return Err(Denial::Invalid("period", reason));
        }
        let Some(period) = account.periods.get(&self.period) else {
            return Ok(());
        };
        if account.deleted_at.is_none() && account.counts(self.period) {
            let reason = format!("{} still counts in a rolling window", self.period);
            return Err(Denial::Invalid("period", reason));
        }
        account.closed_spend = account.closed_spend.saturating_add(period.committed());
        account.periods.remove_mut(&self.period);
        if account.periods.is_empty() {
            ledger.drop_account(self.account);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Command, OpenPeriod};
    use crate::sample::{ACCOUNT, Log, NODES, SPAN_MS, budget, line, put_budget};
    use crate::{Outcome, UnixMillis, Window};

    #[test]
    fn what_is_outstanding_at_the_close_counts_as_spent() {
        let mut log = Log::sample();
        let (account, period) = (ACCOUNT, 1);
        let close = Command::ClosePeriod(ClosePeriod { account, period });
        log.refill(NODES[0], line(0, 0, 30));
        log.refill(NODES[0], line(20, 5, 0));
        let (outcome, _) = log.propose(close.clone());
        assert!(matches!(outcome, Outcome::Denied(Denial::Invalid("period", _))));
        log.roll();
        log.done(close.clone());
        log.done(close);
        let account = &log.ledger.accounts[&ACCOUNT];
        assert_eq!((account.closed_spend, account.periods.size()), (25, 1));
    }

    #[test]
    fn a_part_of_a_rolling_window_that_counts_is_not_closed() {
        let mut log = Log::sample();
        let mut rolling = budget("rolling", 10);
        rolling.windows[0].window = Window::Rolling(24 * SPAN_MS);
        log.done(put_budget(rolling));
        let account = AccountId { budget: log.ledger.budgets["rolling"].handle, window: 0 };
        let open = |period: u64, part: u64| {
            let [starts_at, ends_at] = [part, part + 1].map(|part| UnixMillis(part * SPAN_MS));
            let ends_at = Some(ends_at);
            Command::OpenPeriod(OpenPeriod { account, period, starts_at, ends_at })
        };
        let close = Command::ClosePeriod(ClosePeriod { account, period: 1 });
        log.done(open(2, 24));
        let (outcome, _) = log.propose(close.clone());
        assert!(matches!(outcome, Outcome::Denied(Denial::Invalid("period", _))));
        log.done(open(3, 25));
        log.done(close);
        assert_eq!(log.ledger.accounts[&account].periods.size(), 2);
    }
}
