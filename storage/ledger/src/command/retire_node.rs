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
