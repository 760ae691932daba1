//! Creates or replaces an alias, by name.

use super::At;
use crate::{Alias, Change, Ledger, Outcome};

/// Creates or replaces an alias, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutAlias {
    /// alias
    pub alias: Alias,
    /// if index
    pub if_index: Option<u64>,
}

impl PutAlias {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> (Outcome, Vec<Change>) {
        let _ = (ledger, at);
        todo!()
    }
}
