//! Begins a node's new life: its older ones may not spend any more.

use crate::{Denial, Ledger, NodeId, NodeRecord};

/// Begins a node's new life: its older ones may not spend any more.
///
/// What they were granted and did not report is in suspense from here on, by definition: suspense is
/// the outstanding part of lanes that are not of their node's present incarnation. Nothing is moved.
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
            node.incarnation = self.incarnation;
            node.refill_seq = 0;
        }
        Ok(())
    }
}
