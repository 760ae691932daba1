//! Closes a past period: its lanes' reports become closed spend, and outstanding ones are charged.

use super::At;
use crate::{AccountId, Change, Ledger, Outcome};

/// Closes a past period: its lanes' reports become closed spend, and outstanding ones are charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosePeriod {
    /// account
    pub account: AccountId,
    /// period
    pub period: u64,
}

impl ClosePeriod {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> (Outcome, Vec<Change>) {
        let _ = (ledger, at);
        todo!()
    }
}
