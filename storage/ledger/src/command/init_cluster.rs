//! Names the cluster; the first entry of its log. A second one is denied.

use super::At;
use crate::{Change, Ledger, Outcome, Sealed};

/// Names the cluster; the first entry of its log. A second one is denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitCluster {
    /// cluster id
    pub cluster_id: String,
    /// key pepper
    pub key_pepper: Sealed,
}

impl InitCluster {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> (Outcome, Vec<Change>) {
        let _ = (ledger, at);
        todo!()
    }
}
