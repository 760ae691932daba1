//! Removes a node for good: nothing it sends is taken any more.

use crate::{Denial, Ledger, NodeId, NodeRecord};

/// Removes a node for good: nothing it sends is taken any more, and it can never enrol again.
///
/// What its last life was granted and did not report is in suspense until the end of the period, or
/// until an operator writes it off. The record stays, for ids are never reused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetireNode {
    /// The node.
    pub node: NodeId,
}

impl RetireNode {
    pub(super) fn apply(&self, ledger: &mut Ledger) -> Result<(), Denial> {
        let Some(node) = ledger.nodes.get_mut(&self.node) else {
            return Err(Denial::NotFound("node", self.node.0.to_string()));
        };
        node.incarnation = NodeRecord::RETIRED;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Command, EnrolNode, Refill};
    use crate::sample::{ACCOUNT, Log, NODES, line};
    use crate::{Outcome, view::books};

    #[test]
    fn a_retired_node_neither_refills_nor_enrols_and_its_grants_are_suspended() {
        let mut log = Log::sample();
        let id = NODES[0];
        log.refill(id, line(0, 0, 30));
        log.done(Command::RetireNode(RetireNode { node: id }));
        log.done(Command::RetireNode(RetireNode { node: id }));
        let present = NodeRecord::RETIRED;
        let stale = Outcome::Denied(Denial::StaleIncarnation { present });
        let enrol = Command::EnrolNode(EnrolNode { id, incarnation: 9 });
        assert_eq!(log.propose(enrol).0, stale);
        for incarnation in [1, NodeRecord::RETIRED] {
            let refill = Refill {
                node: id,
                incarnation,
                seq: 2,
                active_nodes: 1,
                lines: vec![line(0, 30, 0)],
                ..Refill::default()
            };
            assert_eq!(log.propose(Command::Refill(refill)).0, stale);
        }
        assert_eq!(books(&log.ledger, ACCOUNT).unwrap().suspense, 30);
    }
}
