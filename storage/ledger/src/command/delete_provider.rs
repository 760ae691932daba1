//! Deletes a provider that no alias names.

use super::At;
use crate::{Change, Ledger, Outcome};

/// Deletes a provider that no alias names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteProvider {
    /// name
    pub name: String,
    /// if index
    pub if_index: Option<u64>,
}

impl DeleteProvider {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> (Outcome, Vec<Change>) {
        let _ = (ledger, at);
        todo!()
    }
}
