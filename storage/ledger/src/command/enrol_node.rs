//! Begins a node's new life: its older ones may not spend any more.

use crate::{Denial, Ledger, NodeId, NodeRecord, PastLife};

/// Begins a node's new life: its older ones may not spend any more.
///
/// What they were granted and did not report is in suspense from here on, by definition: suspense is
/// the outstanding part of lanes that are not of their node's present incarnation. Nothing is moved. What
/// the life before this one spent may still be told, from its journal, by [`super::Adopt`].
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
            node.past = (present > 0).then_some(PastLife {
                incarnation: present,
                usage_batch: node.usage_batch,
                adopted_parts: 0,
            });
            node.incarnation = self.incarnation;
            node.refill_seq = 0;
            node.usage_batch = 0;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{ACCOUNT, Log, NODES, line};
    use crate::view::books;
    use crate::{Outcome, command::Command};

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
}
