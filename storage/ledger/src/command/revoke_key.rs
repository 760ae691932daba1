//! Revokes a key for ever, by public id or name.

use super::At;
use crate::{Change, Denial, Ledger, guard, instance};

/// Revokes a key for ever. Its name is free again; its id and hash never are. Accounts that are its alone,
/// and those of its sessions, are closed; what is still out on them is booked as it is reported.
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
        instance::close_of_key(ledger, at.at, &id);
        Ok(at.config_changed(ledger))
    }
}

#[cfg(test)]
mod tests {
    use crate::sample::{Log, key, put_key};
    use crate::view::{KeyBlock, admissible, key_by_hash};
    use crate::{KeyHash, UnixMillis};

    #[test]
    fn a_revoked_key_is_known_and_blocked_and_its_name_is_free() {
        let mut log = Log::sample();
        log.now_ms = 42;
        log.revoke("ann");
        let revoked = key_by_hash(&log.ledger, &KeyHash([1; 32])).unwrap().clone();
        assert_eq!(revoked.revoked_at, Some(UnixMillis(42)));
        assert_eq!(admissible(&revoked, UnixMillis(42)), Err(KeyBlock::Revoked));
        log.done(put_key(key("ann", 2)));
        log.now_ms = 50;
        log.revoke("id1");
        assert_eq!(key_by_hash(&log.ledger, &KeyHash([1; 32])), Some(&revoked));
        assert!(log.ledger.living_key("ann").is_some());
    }

    #[test]
    fn a_key_a_file_owns_can_be_revoked_by_anybody() {
        let mut log = Log::sample();
        let mut owned = key("ann", 1);
        owned.managed_by = "file:a".to_owned();
        log.done(put_key(owned));
        log.revoke("id1");
        assert!(log.ledger.living_key("ann").is_none());
    }
}
