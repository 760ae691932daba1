//! Deletes an alias.

use super::At;
use crate::{Change, Ledger, Outcome};

/// Deletes an alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteAlias {
    /// name
    pub name: String,
    /// if index
    pub if_index: Option<u64>,
}

impl DeleteAlias {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> (Outcome, Vec<Change>) {
        let _ = (ledger, at);
        todo!()
    }
}
