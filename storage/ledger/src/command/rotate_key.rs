//! Gives an existing key another secret: the old one stops.

use super::At;
use crate::{Change, KeyHash, Ledger, Outcome};

/// Gives an existing key another secret: the old one stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotateKey {
    /// name
    pub name: String,
    /// id
    pub id: String,
    /// hash
    pub hash: KeyHash,
    /// if index
    pub if_index: Option<u64>,
}

impl RotateKey {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> (Outcome, Vec<Change>) {
        let _ = (ledger, at);
        todo!()
    }
}
