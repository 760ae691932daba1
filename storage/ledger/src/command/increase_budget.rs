//! Raises a limit for a while.

use super::At;
use crate::account::INCREASES_MAX;
use crate::{
    Account, AccountId, Change, Denial, Increase, Ledger, NanoUsd, UnixMillis, Word, event,
};

/// Raises the limit of an account for a while, over as many periods as there are until then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncreaseBudget {
    /// The account.
    pub account: AccountId,
    /// So much more, at least 1, in the account's unit.
    pub amount: i64,
    /// Until then.
    pub until: UnixMillis,
    /// Whose word.
    pub word: Word,
}

impl IncreaseBudget {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        self.word.check()?;
        if event::was_done(ledger, &self.word) {
            return Ok(Vec::new());
        }
        if self.until <= at.at {
            let reason = format!("{} is over, it is {}", self.until.0, at.at.0);
            return Err(Denial::Invalid("until", reason));
        }
        let account = living(ledger, self.account)?;
        let raised = account.base_limit.saturating_add(account.increased());
        if self.amount < 1 || self.amount > NanoUsd::LIMIT_MAX.0.saturating_sub(raised) {
            let reason = format!("{} is not within 1 and a limit of 10^18", self.amount);
            return Err(Denial::Invalid("amount", reason));
        }
        if account.increases.len() >= INCREASES_MAX {
            let reason = format!("{INCREASES_MAX} increases last, and no more may");
            return Err(Denial::Invalid("account", reason));
        }
        let (id, amount, until) = (at.index, self.amount, self.until);
        account.increases.push(Increase { id, amount, until });
        account.set_limit();
        let what = format!("raised {} by {amount} until {}", told(account, self.account), until.0);
        event::audit(ledger, at, &self.word, what);
        let mut changes = at.config_changed(ledger);
        changes.push(Change::PoolGrew(self.account));
        Ok(changes)
    }
}

/// An account that grants.
pub(super) fn living(ledger: &mut Ledger, id: AccountId) -> Result<&mut Account, Denial> {
    let account = ledger.accounts.get_mut(&id);
    let living = account.filter(|account| account.deleted_at.is_none());
    living.ok_or_else(|| Denial::NotFound("account", id.to_string()))
}

/// An account in words, for the audit.
pub(super) fn told(account: &Account, id: AccountId) -> String {
    let (budget, window) = (&account.budget, id.window);
    match account.subject.as_str() {
        "" => format!("{budget} window {window}"),
        subject => format!("{budget} of {subject} window {window}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;
    use crate::command::{Command, ExpireIncrease};
    use crate::sample::{ACCOUNT, LIMIT, Log, NODES, line};
    use crate::view::books;

    fn increase(amount: i64, until_ms: u64, operation: &str) -> Command {
        let word = Word {
            actor: "api:ann".to_owned(),
            reason: "launch".to_owned(),
            operation: operation.to_owned(),
        };
        let until = UnixMillis(until_ms);
        Command::IncreaseBudget(IncreaseBudget { account: ACCOUNT, amount, until, word })
    }

    fn expire(increase: u64) -> Command {
        Command::ExpireIncrease(ExpireIncrease { account: ACCOUNT, increase })
    }

    #[test]
    fn an_increase_counts_at_once_through_periods_and_until_it_is_taken_back() {
        let mut log = Log::sample();
        let changes = [Change::Config, Change::PoolGrew(ACCOUNT)];
        assert_eq!(log.done(increase(200, 5_000, "a")), changes);
        let id = log.ledger.applied_index;
        assert_eq!(log.done(increase(200, 5_000, "a")), []);
        assert_eq!(books(&log.ledger, ACCOUNT).unwrap().limit, LIMIT + 200);
        let audit = &log.ledger.audit[&id];
        assert_eq!((audit.actor.as_str(), audit.reason.as_str()), ("api:ann", "launch"));
        assert_eq!(audit.what, "raised team window 0 by 200 until 5000");
        log.roll();
        assert_eq!(
            log.refill(NODES[0], crate::command::RefillLine { period: 2, ..line(0, 0, 1_150) }),
            1_150
        );
        log.now_ms = 4_999;
        assert_eq!(log.done(expire(id)), []);
        log.now_ms = 5_000;
        assert_eq!(log.done(expire(id)), [Change::Config]);
        assert_eq!(log.done(expire(id)), []);
        let after = books(&log.ledger, ACCOUNT).unwrap();
        assert_eq!((after.limit, after.pool), (LIMIT, -150));
    }

    #[test]
    fn an_increase_that_is_over_or_nothing_is_denied() {
        let mut log = Log::sample();
        log.now_ms = 10;
        for (odd, field) in [
            (increase(5, 10, ""), "until"),
            (increase(0, 20, ""), "amount"),
            (increase(i64::MAX, 20, ""), "amount"),
            (increase(5, 20, &"x".repeat(129)), "operation"),
        ] {
            let outcome = log.propose(odd).0;
            assert!(
                matches!(outcome, Outcome::Denied(Denial::Invalid(named, _)) if named == field)
            );
        }
    }
}
