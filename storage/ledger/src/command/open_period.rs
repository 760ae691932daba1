//! Opens the next period of an account.

use super::At;
use crate::{AccountId, Change, Denial, Ledger, UnixMillis, threshold};

/// Opens the next period of an account, under the limit the budget has now, increases included. What was
/// moved from or to the account counted for the period that ends.
///
/// Only the period after the present one opens, and only from the end of the present one on; anything
/// else is a repetition or a proposer's wrong clock, and a no-op. The period before no longer admits
/// and stays on the books for late reports until it is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenPeriod {
    /// The account.
    pub account: AccountId,
    /// Number of the period to open: the present one plus one.
    pub period: u64,
    /// Its start: the present one's end, or later if nobody was there to open periods in between.
    pub starts_at: UnixMillis,
    /// Its end.
    pub ends_at: Option<UnixMillis>,
}

impl OpenPeriod {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let id = self.account;
        let living = ledger.accounts.get_mut(&id);
        let Some(account) = living.filter(|account| account.deleted_at.is_none()) else {
            return Err(Denial::NotFound("account", id.to_string()));
        };
        if self.ends_at.is_none_or(|ends_at| ends_at <= self.starts_at) {
            let reason = "is not after the start".to_owned();
            return Err(Denial::Invalid("ends_at", reason));
        }
        let Some(present) = account.present() else {
            return Ok(Vec::new());
        };
        let is_over = present.ends_at.is_some_and(|end| end <= self.starts_at);
        if Some(self.period) != account.period.checked_add(1) || !is_over {
            return Ok(Vec::new());
        }
        account.open_next(self.starts_at, self.ends_at);
        threshold::let_go(ledger, id);
        threshold::tell(ledger, at.at, id, self.period);
        let mut changes = at.config_changed(ledger);
        let period = self.period;
        changes.push(Change::PeriodOpened { account: id, period });
        changes.push(Change::PoolGrew(id));
        Ok(changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{ACCOUNT, LIMIT, Log, NODES, line};
    use crate::{Outcome, command::Command};

    fn open(period: u64, starts_ms: u64, ends_ms: u64) -> Command {
        Command::OpenPeriod(OpenPeriod {
            account: ACCOUNT,
            period,
            starts_at: UnixMillis(starts_ms),
            ends_at: Some(UnixMillis(ends_ms)),
        })
    }

    #[test]
    fn a_new_period_starts_with_the_whole_limit() {
        let mut log = Log::sample();
        log.refill(NODES[0], line(0, 0, 600));
        let (account, period) = (ACCOUNT, 2);
        let changes =
            [Change::Config, Change::PeriodOpened { account, period }, Change::PoolGrew(ACCOUNT)];
        assert_eq!(log.done(open(2, 1_000, 2_000)), changes);
        assert_eq!(log.ledger.accounts[&ACCOUNT].present().unwrap().pool(), LIMIT);
        assert_eq!(log.refill(NODES[0], line(500, 0, 50)), 600);
        assert_eq!(log.ledger.accounts[&ACCOUNT].periods[&1].spent(), 500);
    }

    #[test]
    fn no_clock_opens_a_period_twice_or_early() {
        let mut log = Log::sample();
        assert_eq!(log.done(open(2, 999, 2_000)), []);
        assert_eq!(log.done(open(3, 1_000, 2_000)), []);
        assert_eq!(log.done(open(1, 1_000, 2_000)), []);
        assert_eq!(log.done(open(2, 5_000, 6_000)).len(), 3);
        assert_eq!(log.done(open(2, 5_000, 6_000)), []);
        let (outcome, _) = log.propose(open(3, 6_000, 6_000));
        assert!(matches!(outcome, Outcome::Denied(Denial::Invalid("ends_at", _))));
    }
}
