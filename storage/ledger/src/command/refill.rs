//! Reports, gives back and asks, for all accounts of a node.

use super::{At, RefillLine};
use crate::{Change, Ledger, NodeId, Outcome};

/// Reports, gives back and asks, for all accounts of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refill {
    /// node
    pub node: NodeId,
    /// incarnation
    pub incarnation: u64,
    /// seq
    pub seq: u64,
    /// active nodes
    pub active_nodes: u32,
    /// lines
    pub lines: Vec<RefillLine>,
}

impl Refill {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> (Outcome, Vec<Change>) {
        let _ = (ledger, at);
        todo!()
    }
}
