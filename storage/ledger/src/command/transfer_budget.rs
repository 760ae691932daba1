//! Moves limit from one account to another of the same unit, for their present periods.

use super::At;
use super::increase_budget::{living, told};
use crate::{Account, AccountId, Change, Denial, Ledger, NanoUsd, Word, event, threshold};

/// Moves limit from one account to another of the same unit, for their present periods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferBudget {
    /// From here: what is in its pool and no more, and nothing of what was added for a while: that ends here.
    pub from: AccountId,
    /// To here.
    pub to: AccountId,
    /// In their unit, at least 1.
    pub amount: i64,
    /// Whose word.
    pub word: Word,
}

impl TransferBudget {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        self.word.check()?;
        if event::was_done(ledger, &self.word) {
            return Ok(Vec::new());
        }
        let from = living(ledger, self.from)?.clone();
        let to = living(ledger, self.to)?.clone();
        self.check(&from, &to)?;
        shift(ledger, self.from, self.amount.saturating_neg());
        shift(ledger, self.to, self.amount);
        let (giver, taker) = (told(&from, self.from), told(&to, self.to));
        let what = format!("moved {} from {giver} to {taker}", self.amount);
        event::audit(ledger, at, &self.word, what);
        threshold::tell(ledger, at.at, self.from, from.period);
        let mut changes = at.config_changed(ledger);
        changes.push(Change::PoolGrew(self.to));
        Ok(changes)
    }

    fn check(&self, from: &Account, to: &Account) -> Result<(), Denial> {
        let invalid = |field, reason: String| Err(Denial::Invalid(field, reason));
        if self.from == self.to {
            return invalid("to", format!("{} is where it comes from", self.to));
        }
        if from.unit != to.unit {
            return invalid("to", format!("counts {:?}, not {:?}", to.unit, from.unit));
        }
        let pool = from.pool().saturating_sub(from.increased());
        let room = NanoUsd::LIMIT_MAX.0.saturating_sub(to.limit());
        if self.amount < 1 || self.amount > pool {
            let reason = format!("{} is not within 1 and the pool of {pool}", self.amount);
            return invalid("amount", reason);
        }
        if self.amount > room {
            return invalid("amount", format!("{} leads past a limit of 10^18", self.amount));
        }
        Ok(())
    }
}

/// Moves the limit of an account's present period.
fn shift(ledger: &mut Ledger, id: AccountId, by: i64) {
    let Some(account) = ledger.accounts.get_mut(&id) else {
        return;
    };
    if let Some(present) = account.periods.get_mut(&account.period) {
        present.moved = present.moved.saturating_add(by);
    }
    account.set_limit();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Command, ExpireIncrease, IncreaseBudget, ResetBudget};
    use crate::sample::{ACCOUNT, LIMIT, Log, NODES, budget, line, put_budget};
    use crate::{Outcome, Unit, UnixMillis};

    fn with_other(unit: Unit) -> (Log, AccountId) {
        let mut log = Log::sample();
        let mut other = budget("ops", 100);
        other.unit = unit;
        log.done(put_budget(other));
        let id = AccountId { budget: log.ledger.budgets["ops"].handle, window: 0 };
        (log, id)
    }

    fn transfer(from: AccountId, to: AccountId, amount: i64, operation: &str) -> Command {
        let word = Word { operation: operation.to_owned(), ..Word::default() };
        Command::TransferBudget(TransferBudget { from, to, amount, word })
    }

    fn limits(log: &Log, ids: [AccountId; 2]) -> [i64; 2] {
        ids.map(|id| log.ledger.accounts[&id].limit())
    }

    #[test]
    fn limit_moves_once_and_only_what_is_in_the_pool() {
        let (mut log, ops) = with_other(Unit::Requests);
        log.refill(NODES[0], line(0, 0, 900));
        let outcome = log.propose(transfer(ACCOUNT, ops, 101, "a")).0;
        let reason = "101 is not within 1 and the pool of 100".to_owned();
        assert_eq!(outcome, Outcome::Denied(Denial::Invalid("amount", reason)));
        let changes = [Change::Config, Change::PoolGrew(ops)];
        assert_eq!(log.done(transfer(ACCOUNT, ops, 60, "a")), changes);
        assert_eq!(log.done(transfer(ACCOUNT, ops, 60, "a")), []);
        assert_eq!(limits(&log, [ACCOUNT, ops]), [LIMIT - 60, 160]);
        let audit = log.ledger.audit.first().unwrap().1;
        assert_eq!(audit.what, "moved 60 from team window 0 to ops window 0");
    }

    #[test]
    fn what_was_added_for_a_while_does_not_move() {
        let (mut log, ops) = with_other(Unit::Requests);
        let (account, amount, word) = (ACCOUNT, 50, Word::default());
        let until = UnixMillis(5);
        log.done(Command::IncreaseBudget(IncreaseBudget { account, amount, until, word }));
        let increase = log.ledger.applied_index;
        let outcome = log.propose(transfer(ACCOUNT, ops, LIMIT + 1, "")).0;
        assert!(matches!(outcome, Outcome::Denied(Denial::Invalid("amount", _))));
        log.done(transfer(ACCOUNT, ops, LIMIT, ""));
        assert_eq!(limits(&log, [ACCOUNT, ops]), [50, 100 + LIMIT]);
        log.now_ms = 5;
        log.done(Command::ExpireIncrease(ExpireIncrease { account, increase }));
        assert_eq!(limits(&log, [ACCOUNT, ops]), [0, 100 + LIMIT]);
    }

    #[test]
    fn what_was_moved_survives_a_reset_and_ends_with_its_period() {
        let (mut log, ops) = with_other(Unit::Requests);
        log.done(transfer(ACCOUNT, ops, 60, ""));
        for account in [ACCOUNT, ops] {
            let word = Word::default();
            log.done(Command::ResetBudget(ResetBudget { account, period: 1, word }));
        }
        assert_eq!(limits(&log, [ACCOUNT, ops]), [LIMIT - 60, 160]);
        let accounts = log.ledger.accounts.values();
        let periods = accounts.flat_map(|account| account.periods.values());
        assert_eq!(periods.map(|period| period.moved).sum::<i64>(), 0);
        log.roll();
        assert_eq!(limits(&log, [ACCOUNT, ops]), [LIMIT, 160]);
    }

    #[test]
    fn units_are_not_exchanged_and_nothing_moves_onto_itself() {
        let (mut log, ops) = with_other(Unit::Tokens);
        for odd in [transfer(ACCOUNT, ops, 5, ""), transfer(ACCOUNT, ACCOUNT, 5, "")] {
            let outcome = log.propose(odd).0;
            assert!(matches!(outcome, Outcome::Denied(Denial::Invalid("to", _))));
        }
        assert!(matches!(log.propose(transfer(ACCOUNT, ops, 0, "")).0, Outcome::Denied(_)));
    }
}
