//! Releases what a lost node was granted, on an operator's word.

use super::At;
use super::increase_budget::told;
use crate::{AccountId, Change, Denial, Ledger, NodeId, Word, event};

/// Releases suspense of one lane back into the pool, on an operator's word.
///
/// Nobody can know whether the lost node spent it: the amount is what the operator accepts the budget
/// may be overspent by, and it is kept in the period's `written_off`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteOff {
    /// The account.
    pub account: AccountId,
    /// The period; past ones too, as long as they are not closed.
    pub period: u64,
    /// The lost node.
    pub node: NodeId,
    /// Its incarnation, which must not be the node's present one.
    pub incarnation: u64,
    /// Written off of this lane in all, earlier write-offs included, so that a repetition changes
    /// nothing. More than the suspense releases the suspense.
    pub amount: i64,
    /// Whose word. Several write-offs may be of one operation: it is the amount that tells repetitions.
    pub word: Word,
}

impl WriteOff {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        self.word.check()?;
        if self.amount < 0 {
            let reason = format!("{} is negative", self.amount);
            return Err(Denial::Invalid("amount", reason));
        }
        if ledger.is_present(self.node, self.incarnation) {
            let reason = format!("{} is the node's present one", self.incarnation);
            return Err(Denial::Invalid("incarnation", reason));
        }
        let unknown = || {
            let account = self.account;
            Denial::NotFound("period", format!("{account} period {}", self.period))
        };
        let told_of =
            ledger.nodes.get(&self.node).and_then(|node| node.past_life(self.incarnation));
        let told_of = told_of.is_some();
        let account = ledger.accounts.get_mut(&self.account);
        let account = account.ok_or_else(unknown)?;
        let books = account.periods.get_mut(&self.period).ok_or_else(unknown)?;
        let mut lane = books.lane(self.node, self.incarnation);
        let more = self.amount.saturating_sub(lane.written_off);
        let more = more.min(lane.outstanding());
        if more <= 0 {
            return Ok(Vec::new());
        }
        lane.written_off = lane.written_off.saturating_add(more);
        lane.returned = lane.returned.saturating_add(more);
        books.put_lane(self.node, self.incarnation, lane);
        // The journal of that life may still tell more than the lane knows.
        if !told_of {
            books.fold_lane(self.node, self.incarnation);
        }
        let grew = account.deleted_at.is_none() && account.counts(self.period);
        let what = format!(
            "wrote {more} off {} period {}, of node {} life {}",
            told(account, self.account),
            self.period,
            self.node.0,
            self.incarnation
        );
        event::audit(ledger, at, &self.word, what);
        Ok(match grew {
            true => vec![Change::PoolGrew(self.account)],
            false => Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{ACCOUNT, LIMIT, Log, NODES, line};
    use crate::view::books;
    use crate::{Outcome, command::Command};

    fn write_off(incarnation: u64, amount: i64) -> Command {
        Command::WriteOff(WriteOff {
            account: ACCOUNT,
            period: 1,
            node: NODES[0],
            incarnation,
            amount,
            word: Word::default(),
        })
    }

    #[test]
    fn a_write_off_releases_suspense_once_and_is_remembered() {
        let mut log = Log::sample();
        log.refill(NODES[0], line(0, 0, 300));
        log.refill(NODES[0], line(100, 0, 0));
        log.enrol(NODES[0], 2);
        let grew = [Change::PoolGrew(ACCOUNT)];
        assert_eq!(log.done(write_off(1, 50)), grew);
        assert_eq!(log.done(write_off(1, 50)), []);
        let part = books(&log.ledger, ACCOUNT).unwrap();
        assert_eq!((part.suspense, part.overspend_bound), (150, 50));
        assert_eq!(log.done(write_off(1, i64::MAX)), grew);
        let all = books(&log.ledger, ACCOUNT).unwrap();
        assert_eq!((all.suspense, all.overspend_bound), (0, 200));
        assert_eq!((all.closed_spend + all.reported, all.pool), (100, LIMIT - 100));
    }

    #[test]
    fn what_a_node_may_be_spending_is_not_written_off() {
        let mut log = Log::sample();
        log.refill(NODES[0], line(0, 0, 300));
        let (outcome, _) = log.propose(write_off(1, 50));
        assert!(matches!(outcome, Outcome::Denied(Denial::Invalid("incarnation", _))));
    }
}
