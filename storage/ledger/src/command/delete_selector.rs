//! Deletes a selector.

use super::At;
use crate::{Change, Denial, Ledger};

/// Deletes a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteSelector {
    /// Its name.
    pub name: String,
    /// Who asks; what a file owns is deleted only in its name.
    pub managed_by: String,
    /// Log index of the change it follows.
    pub if_index: Option<u64>,
}

impl DeleteSelector {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let _ = (ledger, at);
        Err(Denial::Invalid("command", "is not known yet".to_owned()))
    }
}
