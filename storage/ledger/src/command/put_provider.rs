//! Creates or replaces a provider, by name.

use super::At;
use crate::{Change, Ledger, Outcome, Provider};

/// Creates or replaces a provider, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutProvider {
    /// provider
    pub provider: Provider,
    /// if index
    pub if_index: Option<u64>,
}

impl PutProvider {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> (Outcome, Vec<Change>) {
        let _ = (ledger, at);
        todo!()
    }
}
