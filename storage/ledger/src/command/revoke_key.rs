//! Revokes a key for ever, by public id or name.

use super::At;
use crate::{Change, Denial, Ledger, guard};

/// Revokes a key for ever. Its name is free again; its id and hash never are.
///
/// Anybody may, whoever owns the key: a leaked key must not wait for a file to be edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokeKey {
    /// Public id, or name of a living key.
    pub name: String,
    /// Log index of the change it follows.
    pub if_index: Option<u64>,
}

impl RevokeKey {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let by_name = ledger.keys_by_name.get(&self.name);
        let id = by_name.unwrap_or(&self.name).clone();
        let Some(key) = ledger.keys.get_mut(&id) else {
            return Err(Denial::NotFound("key", self.name.clone()));
        };
        if key.revoked_at.is_some() {
            return Ok(Vec::new());
        }
        guard::index(self.if_index, Some(key.changed_index))?;
        key.revoked_at = Some(at.at);
        key.changed_index = at.index;
        let name = key.name.clone();
        ledger.keys_by_name.remove_mut(&name);
        Ok(at.config_changed(ledger))
    }
}
