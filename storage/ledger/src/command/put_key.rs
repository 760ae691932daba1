//! Creates or replaces a key, by name. `hash` and `id` of an existing key change only by rotation.

use super::At;
use crate::{Change, Ledger, Outcome, VirtualKey};

/// Creates or replaces a key, by name. `hash` and `id` of an existing key change only by rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutKey {
    /// key
    pub key: VirtualKey,
    /// if index
    pub if_index: Option<u64>,
}

impl PutKey {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> (Outcome, Vec<Change>) {
        let _ = (ledger, at);
        todo!()
    }
}
