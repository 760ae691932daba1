//! Creates or replaces a budget, by name. Spend stays.

use super::At;
use crate::{Budget, Change, Ledger, Outcome};

/// Creates or replaces a budget, by name. Spend stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutBudget {
    /// budget
    pub budget: Budget,
    /// if index
    pub if_index: Option<u64>,
}

impl PutBudget {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> (Outcome, Vec<Change>) {
        let _ = (ledger, at);
        todo!()
    }
}
