//! Creates or replaces a key, by name. `hash` and `id` of an existing key change only by rotation.

use super::At;
use crate::{Change, Denial, KeyHash, Ledger, VirtualKey, guard, valid};

/// Creates or replaces a key, by name.
///
/// An existing key keeps its `id`, `hash` and `created_at`: the command's are ignored. A new one is
/// created at the entry's time, under an id and a hash that no key ever had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutKey {
    /// The key as it shall be. `changed_index` and `created_at` are set by the ledger.
    pub key: VirtualKey,
    /// Log index of the change it replaces; `Some(0)`: there must be none.
    pub if_index: Option<u64>,
}

impl PutKey {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let present = ledger.living_key(&self.key.name).cloned();
        guard::index(self.if_index, present.as_ref().map(|key| key.changed_index))?;
        let mut key = self.key.clone();
        if let Some(present) = &present {
            guard::owner(&present.managed_by, &key.managed_by)?;
            key.id.clone_from(&present.id);
            key.hash = present.hash;
            key.created_at = present.created_at;
            key.changed_index = present.changed_index;
            if key == *present {
                return Ok(Vec::new());
            }
        }
        valid::key(&key)?;
        for budget in &key.budgets {
            if !ledger.budgets.contains_key(budget) {
                return Err(Denial::NotFound("budget", budget.clone()));
            }
        }
        if present.is_none() {
            check_fresh(ledger, &key.id, &key.hash)?;
            if ledger.keys.contains_key(&key.name) {
                return Err(Denial::Taken("key id", key.name));
            }
            key.created_at = at.at;
        }
        key.changed_index = at.index;
        ledger.keys_by_hash.insert_mut(key.hash, key.id.clone());
        ledger.keys_by_name.insert_mut(key.name.clone(), key.id.clone());
        ledger.keys.insert_mut(key.id.clone(), key);
        Ok(at.config_changed(ledger))
    }
}

/// Checks that no key has or had this id or hash, and that no key is called like the id: commands
/// that take "id or name" must mean one key.
pub(super) fn check_fresh(ledger: &Ledger, id: &str, hash: &KeyHash) -> Result<(), Denial> {
    valid::name("id", id)?;
    if let Some(owner) = ledger.keys_by_hash.get(hash) {
        let revoked = ledger.keys.get(owner).is_some_and(|key| key.revoked_at.is_some());
        return Err(match revoked {
            true => Denial::Revoked,
            false => Denial::Taken("key hash", owner.clone()),
        });
    }
    if ledger.keys.contains_key(id) || ledger.keys_by_name.contains_key(id) {
        return Err(Denial::Taken("key id", id.to_owned()));
    }
    Ok(())
}
