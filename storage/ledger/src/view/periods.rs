//! Which periods are to be opened, and which may be closed? The leader asks, and proposes the answers.

use crate::calendar::period_bounds;
use crate::command::{ClosePeriod, OpenPeriod};
use crate::{Ledger, UnixMillis};

/// The periods to open at `now`, ready to be proposed: those of budgets whose present period is over.
///
/// Each reaches from the boundary before `now` to the one after; boundaries nobody was there for are
/// skipped. The proposer must first be sure of `now`.
pub fn due_periods(ledger: &Ledger, now: UnixMillis) -> Vec<OpenPeriod> {
    let mut due = Vec::new();
    for budget in ledger.budgets.values() {
        for (id, window) in budget.accounts() {
            let Some(account) = ledger.accounts.get(&id) else {
                continue;
            };
            let ends_at = account.present().and_then(|present| present.ends_at);
            if ends_at.is_none_or(|ends_at| ends_at > now) {
                continue;
            }
            let (starts_at, ends_at) = period_bounds(window.window, budget.created_at, now);
            due.push(OpenPeriod {
                account: id,
                period: account.period.saturating_add(1),
                starts_at,
                ends_at,
            });
        }
    }
    due
}

/// The periods that may be closed at `now`, ready to be proposed: past ones, and those of deleted
/// budgets, `grace_ms` after their end. Until then late reports are booked; after, what is outstanding
/// is charged.
pub fn closable_periods(ledger: &Ledger, now: UnixMillis, grace_ms: u64) -> Vec<ClosePeriod> {
    let mut closable = Vec::new();
    for (&id, account) in &ledger.accounts {
        for (&number, period) in &account.periods {
            let ended_at = match account.deleted_at {
                Some(deleted_at) => Some(deleted_at),
                None => period.ends_at.filter(|_| number < account.period),
            };
            let is_past = |ended_at: UnixMillis| ended_at.0.saturating_add(grace_ms) <= now.0;
            if ended_at.is_some_and(is_past) {
                closable.push(ClosePeriod { account: id, period: number });
            }
        }
    }
    closable
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;
    use crate::sample::{ACCOUNT, Log, SPAN_MS};

    #[test]
    fn a_period_is_due_at_its_end_and_opens_where_now_is() {
        let mut log = Log::sample();
        assert_eq!(due_periods(&log.ledger, UnixMillis(SPAN_MS - 1)), []);
        let due = due_periods(&log.ledger, UnixMillis(7 * SPAN_MS + 3));
        let expected = OpenPeriod {
            account: ACCOUNT,
            period: 2,
            starts_at: UnixMillis(7 * SPAN_MS),
            ends_at: Some(UnixMillis(8 * SPAN_MS)),
        };
        assert_eq!(due, [expected]);
        log.done(Command::OpenPeriod(due[0].clone()));
        assert_eq!(due_periods(&log.ledger, UnixMillis(7 * SPAN_MS + 3)), []);
    }

    #[test]
    fn a_past_period_is_closable_after_its_grace() {
        let mut log = Log::sample();
        let far = UnixMillis(u64::MAX);
        assert_eq!(closable_periods(&log.ledger, far, 0), []);
        log.roll();
        let ended = SPAN_MS;
        assert_eq!(closable_periods(&log.ledger, UnixMillis(ended + 9), 10), []);
        let closable = closable_periods(&log.ledger, UnixMillis(ended + 10), 10);
        let (account, period) = (ACCOUNT, 1);
        assert_eq!(closable, [ClosePeriod { account, period }]);
    }
}
