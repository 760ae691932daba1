//! Revokes a key for ever, by public id or name.

use super::At;
use crate::{Change, Ledger, Outcome};

/// Revokes a key for ever, by public id or name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokeKey {
    /// name
    pub name: String,
    /// if index
    pub if_index: Option<u64>,
}

impl RevokeKey {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> (Outcome, Vec<Change>) {
        let _ = (ledger, at);
        todo!()
    }
}
