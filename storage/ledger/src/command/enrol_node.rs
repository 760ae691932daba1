//! Begins a node's new life: its older ones may not spend any more.

use crate::{Denial, Ledger, NodeId, NodeRecord};

/// Begins a node's new life: its older ones may not spend any more.
///
/// What they were granted and did not report is in suspense from here on, by definition: suspense is
/// the outstanding part of lanes that are not of their node's present incarnation. Nothing is moved. What
/// the lives before this one spent may still be told, from their journals, by [`super::Adopt`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolNode {
    /// The node.
    pub id: NodeId,
    /// Its new incarnation, from 1. The present one again is a repetition, an older one is denied.
    pub incarnation: u64,
}

impl EnrolNode {
    pub(super) fn apply(&self, ledger: &mut Ledger) -> Result<(), Denial> {
        let Some(node) = ledger.nodes.get_mut(&self.id) else {
            return Err(Denial::NotFound("node", self.id.0.to_string()));
        };
        if self.incarnation == 0 || self.incarnation == NodeRecord::RETIRED {
            let reason = format!("{} is not the life of a node", self.incarnation);
            return Err(Denial::Invalid("incarnation", reason));
        }
        let present = node.incarnation;
        if self.incarnation < present {
            return Err(Denial::StaleIncarnation { present });
        }
        if self.incarnation > present {
            node.begin(self.incarnation);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Adopt, AdoptLine, Command};
    use crate::sample::{ACCOUNT, Log, NODES, line};
    use crate::view::books;
    use crate::{Outcome, PAST_LIVES_MAX};

    fn enrol(log: &mut Log, incarnation: u64) -> Outcome {
        let id = NODES[0];
        log.propose(Command::EnrolNode(EnrolNode { id, incarnation })).0
    }

    #[test]
    fn a_new_life_puts_the_old_ones_grants_into_suspense() {
        let mut log = Log::sample();
        log.refill(NODES[0], line(0, 0, 30));
        log.refill(NODES[0], line(10, 0, 0));
        assert_eq!(enrol(&mut log, 4), Outcome::Done);
        let books = books(&log.ledger, ACCOUNT).unwrap();
        assert_eq!((books.reported, books.outstanding, books.suspense), (10, 0, 20));
        assert_eq!(log.ledger.nodes[&NODES[0]].refill_seq, 0);
    }

    #[test]
    fn lives_only_rise() {
        let mut log = Log::sample();
        log.refill(NODES[0], line(0, 0, 30));
        assert_eq!(enrol(&mut log, 1), Outcome::Done);
        assert_eq!(log.ledger.nodes[&NODES[0]].refill_seq, 1);
        assert_eq!(enrol(&mut log, 3), Outcome::Done);
        let stale = Denial::StaleIncarnation { present: 3 };
        assert_eq!(enrol(&mut log, 2), Outcome::Denied(stale));
        for odd in [0, NodeRecord::RETIRED] {
            assert!(matches!(enrol(&mut log, odd), Outcome::Denied(Denial::Invalid(..))));
        }
    }

    fn past(log: &Log) -> Vec<u64> {
        log.ledger.nodes[&NODES[0]].past.iter().map(|past| past.incarnation).collect()
    }

    #[test]
    fn lives_that_are_over_may_be_told_of_those_that_were_never_enrolled_too() {
        let mut log = Log::sample();
        enrol(&mut log, 2);
        assert_eq!(past(&log), [1]);
        enrol(&mut log, 5);
        assert_eq!(past(&log), [1, 2, 3, 4]);
    }

    #[test]
    fn a_life_that_was_granted_something_is_told_of_however_many_came_to_nothing_after_it() {
        let mut log = Log::sample();
        log.refill(NODES[0], line(0, 0, 30));
        let last = 10 * PAST_LIVES_MAX as u64;
        enrol(&mut log, last);
        assert_eq!(past(&log).len(), PAST_LIVES_MAX);
        let told = Adopt {
            node: NODES[0],
            incarnation: last,
            past: 1,
            part: 0,
            last: true,
            lines: vec![AdoptLine { account: ACCOUNT, period: 1, settled_cum: 20 }],
            usage: Vec::new(),
        };
        log.done(Command::Adopt(told));
        let after = books(&log.ledger, ACCOUNT).unwrap();
        assert_eq!((after.closed_spend, after.suspense), (20, 0));
    }

    #[test]
    fn only_so_many_lives_are_waited_for_and_the_known_ones_first() {
        let mut log = Log::sample();
        let most = PAST_LIVES_MAX as u64;
        enrol(&mut log, 1 + most);
        assert_eq!(past(&log), (1..=most).collect::<Vec<_>>());
        enrol(&mut log, 2 + most);
        assert_eq!(past(&log), (2..=1 + most).collect::<Vec<_>>());
        enrol(&mut log, u64::MAX - 1);
        assert_eq!(past(&log), (3..=2 + most).collect::<Vec<_>>());
    }
}
