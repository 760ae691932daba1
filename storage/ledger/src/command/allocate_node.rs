//! Gives a node its id; idempotent per uuid. `id` is set for founders, else the log index is the id.

use super::At;
use crate::{Change, Ledger, NodeId, Outcome};

/// Gives a node its id; idempotent per uuid. `id` is set for founders, else the log index is the id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllocateNode {
    /// uuid
    pub uuid: String,
    /// label
    pub label: String,
    /// id
    pub id: Option<NodeId>,
}

impl AllocateNode {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> (Outcome, Vec<Change>) {
        let _ = (ledger, at);
        todo!()
    }
}
