//! Begins a node's new life: its older ones may not spend any more.

use super::At;
use crate::{Change, Ledger, NodeId, Outcome};

/// Begins a node's new life: its older ones may not spend any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolNode {
    /// id
    pub id: NodeId,
    /// incarnation
    pub incarnation: u64,
}

impl EnrolNode {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> (Outcome, Vec<Change>) {
        let _ = (ledger, at);
        todo!()
    }
}
