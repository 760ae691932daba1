//! Opens the next period of an account; `period` is the present one plus one, else a no-op.

use super::At;
use crate::{AccountId, Change, Ledger, Outcome, UnixMillis};

/// Opens the next period of an account; `period` is the present one plus one, else a no-op.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenPeriod {
    /// account
    pub account: AccountId,
    /// period
    pub period: u64,
    /// starts at
    pub starts_at: UnixMillis,
    /// ends at
    pub ends_at: Option<UnixMillis>,
}

impl OpenPeriod {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> (Outcome, Vec<Change>) {
        let _ = (ledger, at);
        todo!()
    }
}
