//! Deletes a budget that no key names.

use super::At;
use crate::{Change, Ledger, Outcome};

/// Deletes a budget that no key names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteBudget {
    /// name
    pub name: String,
    /// if index
    pub if_index: Option<u64>,
}

impl DeleteBudget {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> (Outcome, Vec<Change>) {
        let _ = (ledger, at);
        todo!()
    }
}
