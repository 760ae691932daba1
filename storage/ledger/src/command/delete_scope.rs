//! Deletes a scope that no living key and no other scope names.

use super::At;
use crate::{Change, Denial, Ledger, ScopeId};

/// Deletes a scope that no living key and no other scope names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteScope {
    /// The scope.
    pub id: ScopeId,
    /// Who asks; what a file owns is deleted only in its name.
    pub managed_by: String,
    /// Log index of the change it follows.
    pub if_index: Option<u64>,
}

impl DeleteScope {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let _ = (ledger, at);
        Err(Denial::Invalid("command", "is not known yet".to_owned()))
    }
}
