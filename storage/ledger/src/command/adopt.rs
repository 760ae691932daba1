//! Books what a past life of a node spent, by its journal.

use super::{AdoptLine, At};
use crate::{Change, Denial, Ledger, NodeId, NodeRecord, UsageLine, threshold, usage};

/// Books what a past life of a node spent, by its journal, and gives back the rest of what it was granted.
///
/// Only lives that are over are told of, and only by the present one: all are the same data directory, which
/// they can use no more. What they spent is known then, to the unit or from above, and nothing of it stays in
/// suspense. A life that was never enrolled may be told of, too: it was granted nothing, and what a budget's
/// policy let it spend is beyond all grants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adopt {
    /// The node.
    pub node: NodeId,
    /// Its present incarnation.
    pub incarnation: u64,
    /// The life that is told of: that of the journal, one of [`crate::NodeRecord::past`]. One that is over and
    /// not among them was told of in full, or is too long ago: nothing changes.
    pub past: u64,
    /// From 0; parts are applied in order, each once.
    pub part: u32,
    /// Nothing is told of that life after this part.
    pub last: bool,
    /// What that life spent on each account and period, by its journal: all of it, also where it was
    /// granted nothing. The rest of its grants is given back. Accounts that are not listed stay in suspense.
    pub lines: Vec<AdoptLine>,
    /// Usage that no applied batch of that life held.
    pub usage: Vec<UsageLine>,
}

impl Adopt {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let Some(node) = ledger.nodes.get(&self.node) else {
            return Err(Denial::NotFound("node", self.node.0.to_string()));
        };
        if self.incarnation != node.incarnation || node.is_retired() {
            return Err(Denial::StaleIncarnation { present: node.incarnation });
        }
        if self.past == 0 || self.past >= node.incarnation {
            let reason = format!("{} is not a life that is over", self.past);
            return Err(Denial::Invalid("past", reason));
        }
        let Some(past) = node.past_life(self.past) else {
            return Ok(Vec::new());
        };
        if self.part < past.adopted_parts {
            return Ok(Vec::new());
        }
        if self.part > past.adopted_parts {
            let reason = format!("{} comes before {}", self.part, past.adopted_parts);
            return Err(Denial::Invalid("part", reason));
        }
        if let Some(node) = ledger.nodes.get_mut(&self.node) {
            self.count(node);
        }
        usage::add(ledger, &self.usage);
        let grown = self.lines.iter().filter(|line| self.book(ledger, at, line));
        Ok(grown.map(|line| Change::PoolGrew(line.account)).collect())
    }

    /// Notes that this part was applied.
    fn count(&self, node: &mut NodeRecord) {
        if self.last {
            node.past.retain(|past| past.incarnation != self.past);
        }
        if let Some(past) = node.past.iter_mut().find(|past| past.incarnation == self.past) {
            past.adopted_parts = past.adopted_parts.saturating_add(1);
        }
    }

    /// Books one line; true if the account's pool grew. No lane of that life goes before the last part, so
    /// where there is none it was granted nothing, and whatever it spent was beyond; and a line that a journal
    /// read anew repeats in a later part changes nothing.
    fn book(&self, ledger: &mut Ledger, at: At, line: &AdoptLine) -> bool {
        let Some(account) = ledger.accounts.get_mut(&line.account) else {
            return false;
        };
        let before = account.pool();
        let pool = if account.grants_in(line.period) { before.max(0) } else { 0 };
        let Some(period) = account.periods.get_mut(&line.period) else {
            return false;
        };
        let lane = period.lane(self.node, self.past);
        let mut settled = lane.spend(line.settled_cum, pool);
        settled.returned = settled.granted.saturating_sub(settled.reported);
        period.put_lane(self.node, self.past, settled);
        if self.last {
            period.fold_lane(self.node, self.past);
        }
        threshold::tell(ledger, at.at, line.account, line.period);
        let account = ledger.accounts.get(&line.account);
        account.is_some_and(|account| account.deleted_at.is_none() && account.pool() > before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Command, Refill, RetireNode, WriteOff};
    use crate::sample::{ACCOUNT, LIMIT, Log, NODES, line};
    use crate::view::books;
    use crate::{Outcome, UsageKey, UsageSums, Word};

    fn adopt(past: u64, part: u32, settled_cum: i64) -> Adopt {
        Adopt {
            node: NODES[0],
            incarnation: past + 1,
            past,
            part,
            last: true,
            lines: vec![AdoptLine { account: ACCOUNT, period: 1, settled_cum }],
            usage: Vec::new(),
        }
    }

    fn used(requests: u64, cost_nano_usd: i64) -> UsageLine {
        let sums = UsageSums { requests, cost_nano_usd, ..UsageSums::default() };
        UsageLine { key: UsageKey { day: 7, key: "id1".to_owned(), ..UsageKey::default() }, sums }
    }

    /// A node that was granted 300, told of 100 spent and 50 given back, and begins its second life.
    fn restarted() -> Log {
        let mut log = Log::sample();
        log.refill(NODES[0], line(0, 0, 300));
        log.refill(NODES[0], line(100, 50, 0));
        log.enrol(NODES[0], 2);
        log
    }

    #[test]
    fn what_a_journal_tells_is_booked_and_the_rest_comes_back() {
        let mut log = restarted();
        assert_eq!(books(&log.ledger, ACCOUNT).unwrap().suspense, 150);
        let told = Command::Adopt(adopt(1, 0, 220));
        assert_eq!(log.done(told.clone()), [Change::PoolGrew(ACCOUNT)]);
        let after = books(&log.ledger, ACCOUNT).unwrap();
        assert_eq!((after.closed_spend, after.suspense, after.debt), (220, 0, 0));
        assert_eq!(after.pool, LIMIT - 220);
        assert_eq!(log.done(told), []);
        assert_eq!(books(&log.ledger, ACCOUNT).unwrap(), after);
    }

    #[test]
    fn what_was_told_before_is_not_taken_back_by_an_old_journal() {
        let mut log = restarted();
        log.done(Command::Adopt(adopt(1, 0, 60)));
        let after = books(&log.ledger, ACCOUNT).unwrap();
        assert_eq!((after.closed_spend, after.pool), (100, LIMIT - 100));
    }

    #[test]
    fn more_than_was_granted_is_covered_by_the_pool_and_else_is_debt() {
        let mut log = restarted();
        log.refill(NODES[1], line(0, 0, LIMIT - 250 - 20));
        log.done(Command::Adopt(adopt(1, 0, 300)));
        let after = books(&log.ledger, ACCOUNT).unwrap();
        assert_eq!((after.closed_spend, after.debt, after.pool), (270, 30, 0));
    }

    #[test]
    fn spend_beyond_all_grants_is_booked_though_the_new_life_was_faster() {
        let mut log = Log::sample();
        log.refill(NODES[0], line(0, 0, 100));
        log.refill(NODES[0], line(100, 0, 0));
        log.enrol(NODES[0], 2);
        log.refill(NODES[0], line(0, 0, 10));
        log.done(Command::Adopt(adopt(1, 0, 130)));
        let after = books(&log.ledger, ACCOUNT).unwrap();
        assert_eq!((after.closed_spend, after.debt, after.pool), (130, 0, LIMIT - 140));
    }

    #[test]
    fn spend_without_any_grant_is_booked() {
        let mut log = Log::sample();
        log.enrol(NODES[0], 2);
        log.refill(NODES[1], line(0, 0, LIMIT - 20));
        log.done(Command::Adopt(adopt(1, 0, 50)));
        let after = books(&log.ledger, ACCOUNT).unwrap();
        assert_eq!((after.closed_spend, after.debt, after.pool), (20, 30, 0));
    }

    #[test]
    fn what_was_written_off_in_full_is_not_booked_twice() {
        let mut log = restarted();
        let word = Word::default();
        let (account, period, node, incarnation, amount) = (ACCOUNT, 1, NODES[0], 1, 150);
        log.done(Command::WriteOff(WriteOff { account, period, node, incarnation, amount, word }));
        log.done(Command::Adopt(adopt(1, 0, 220)));
        let after = books(&log.ledger, ACCOUNT).unwrap();
        assert_eq!((after.closed_spend, after.pool, after.debt), (220, LIMIT - 220, 0));
    }

    #[test]
    fn what_an_operator_wrote_off_is_booked_if_it_was_spent_after_all() {
        let mut log = restarted();
        let word = Word::default();
        let (account, period, node, incarnation, amount) = (ACCOUNT, 1, NODES[0], 1, 100);
        let lost = WriteOff { account, period, node, incarnation, amount, word };
        log.done(Command::WriteOff(lost));
        assert_eq!(books(&log.ledger, ACCOUNT).unwrap().suspense, 50);
        log.done(Command::Adopt(adopt(1, 0, 220)));
        let after = books(&log.ledger, ACCOUNT).unwrap();
        assert_eq!((after.closed_spend, after.pool, after.debt), (220, LIMIT - 220, 0));
    }

    #[test]
    fn parts_are_applied_in_order_each_once_with_their_usage() {
        let mut log = restarted();
        let mut first = Adopt { last: false, ..adopt(1, 0, 220) };
        first.usage = vec![used(1, 5)];
        let mut second = Adopt { part: 1, last: true, lines: Vec::new(), ..first.clone() };
        second.usage = vec![used(2, 7)];
        let early = log.propose(Command::Adopt(second.clone())).0;
        assert!(matches!(early, Outcome::Denied(Denial::Invalid("part", _))));
        for part in [&first, &first, &second, &first, &second] {
            log.done(Command::Adopt(part.clone()));
        }
        assert_eq!(log.ledger.usage[&used(0, 0).key], used(3, 12).sums);
    }

    /// What that life spent, told by the life of that number.
    fn told_by(incarnation: u64, past: u64, settled_cum: i64) -> Command {
        Command::Adopt(Adopt { incarnation, ..adopt(past, 0, settled_cum) })
    }

    #[test]
    fn every_life_that_died_before_it_could_tell_is_told_of_once() {
        let mut log = restarted();
        // Each was granted a hundred and died; the fourth was never enrolled, and spent by a policy.
        for life in [2, 3] {
            log.refill(NODES[0], line(0, 0, 100));
            log.enrol(NODES[0], if life == 3 { 5 } else { 3 });
        }
        assert_eq!(books(&log.ledger, ACCOUNT).unwrap().suspense, 350);
        for (past, settled) in [(1, 110), (2, 20), (3, 0), (4, 7)] {
            for _ in 0..2 {
                log.done(told_by(5, past, settled));
            }
        }
        let after = books(&log.ledger, ACCOUNT).unwrap();
        assert_eq!((after.closed_spend, after.suspense, after.debt), (137, 0, 0));
        assert_eq!(after.pool, LIMIT - 137);
        assert_eq!(log.ledger.nodes[&NODES[0]].past, []);
    }

    #[test]
    fn a_journal_read_anew_in_the_middle_of_its_telling_is_told_of_once() {
        let mut log = restarted();
        log.refill(NODES[1], line(0, 0, LIMIT - 250));
        let part = |part, last| Command::Adopt(Adopt { last, ..adopt(1, part, 270) });
        log.done(part(0, false));
        log.done(part(1, true));
        let after = books(&log.ledger, ACCOUNT).unwrap();
        assert_eq!((after.closed_spend, after.debt, after.pool), (250, 20, 0));
    }

    #[test]
    fn a_life_that_left_nothing_to_tell_stays_in_suspense() {
        let mut log = restarted();
        log.done(Command::Adopt(Adopt { lines: Vec::new(), ..adopt(1, 0, 0) }));
        assert_eq!(books(&log.ledger, ACCOUNT).unwrap().suspense, 150);
        assert_eq!(log.ledger.nodes[&NODES[0]].past, []);
    }

    #[test]
    fn only_lives_that_are_over_are_told_of_and_by_nobody_but_the_present_one() {
        let mut log = restarted();
        let mut stale = adopt(1, 0, 220);
        stale.incarnation = 1;
        let denied = Outcome::Denied(Denial::StaleIncarnation { present: 2 });
        assert_eq!(log.propose(Command::Adopt(stale)).0, denied);
        log.enrol(NODES[0], 3);
        for living in [0, 3, 4] {
            let outcome = log.propose(told_by(3, living, 220)).0;
            assert!(matches!(outcome, Outcome::Denied(Denial::Invalid("past", _))), "{living}");
        }
        log.done(Command::RetireNode(RetireNode { node: NODES[0] }));
        let mut retired = adopt(2, 0, 0);
        retired.incarnation = NodeRecord::RETIRED;
        let denied = Outcome::Denied(Denial::StaleIncarnation { present: NodeRecord::RETIRED });
        assert_eq!(log.propose(Command::Adopt(retired)).0, denied);
    }

    #[test]
    fn a_batch_of_usage_counts_once_in_each_life() {
        let mut log = Log::sample();
        let refill = |incarnation, seq, usage_batch| {
            Command::Refill(Refill {
                node: NODES[0],
                incarnation,
                seq,
                active_nodes: 2,
                usage_batch,
                usage: vec![used(1, 5)],
                ..Refill::default()
            })
        };
        for (seq, batch) in [(1, 1), (1, 1), (2, 1), (2, 2), (3, 0), (1, 9)] {
            log.propose(refill(1, seq, batch));
        }
        let requests = |log: &Log| log.ledger.usage[&used(0, 0).key].requests;
        assert_eq!(requests(&log), 1);
        log.propose(refill(1, 4, 2));
        assert_eq!(requests(&log), 2);
        log.enrol(NODES[0], 2);
        let past = log.ledger.nodes[&NODES[0]].past_life(1).unwrap();
        assert_eq!(past.usage_batch, 2);
        log.propose(refill(2, 1, 1));
        assert_eq!(requests(&log), 3);
    }
}
