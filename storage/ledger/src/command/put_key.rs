//! Creates or replaces a key, by name. The `hash` of an existing key changes only by rotation, its `id` never.

use super::At;
use crate::{Change, Denial, KeyHash, Ledger, VirtualKey, guard, valid};

/// Creates or replaces a key, by name.
///
/// An existing key keeps its `id`, `hash` and `created_at`: the command's are ignored. A new one is
/// created at the entry's time, under an id and a hash that no key ever had.
///
/// What it refers to exists. A field its profile owns has the profile's value: it is filled in where the
/// command leaves it at the default, and another value is denied.
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
        if let Some(name) = &key.profile {
            let Some(profile) = ledger.profiles.get(name) else {
                return Err(Denial::NotFound("profile", name.clone()));
            };
            profile.agrees_with(&key)?;
            profile.impose_on(&mut key);
        }
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
        guard::budgets_exist(ledger, &key.budgets, &key.narrowed)?;
        guard::scope_exists(ledger, key.scope.as_ref())?;
        guard::path_fits(ledger, &key)?;
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
fn check_fresh(ledger: &Ledger, id: &str, hash: &KeyHash) -> Result<(), Denial> {
    valid::name("id", id)?;
    hash_is_fresh(ledger, hash)?;
    if ledger.keys.contains_key(id) || ledger.keys_by_name.contains_key(id) {
        return Err(Denial::Taken("key id", id.to_owned()));
    }
    Ok(())
}

/// Checks that no key has this hash.
pub(super) fn hash_is_fresh(ledger: &Ledger, hash: &KeyHash) -> Result<(), Denial> {
    if let Some(owner) = ledger.keys_by_hash.get(hash) {
        let revoked = ledger.keys.get(owner).is_some_and(|key| key.revoked_at.is_some());
        return Err(match revoked {
            true => Denial::Revoked,
            false => Denial::Taken("key hash", owner.clone()),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Log, key, profile, put_key, put_profile, put_scope, team};
    use crate::{Allow, KeyHash, Narrowed, Outcome, Profile, UnixMillis};

    fn denied(log: &mut Log, key: VirtualKey) -> Denial {
        log.denied(put_key(key))
    }

    #[test]
    fn a_key_put_again_keeps_its_id_hash_and_birth() {
        let mut log = Log::sample();
        let before = log.ledger.living_key("ann").unwrap().clone();
        log.now_ms = 500;
        assert_eq!(log.done(put_key(key("ann", 9))), []);
        assert_eq!(log.ledger.living_key("ann"), Some(&before));
        let mut disabled = key("ann", 9);
        disabled.enabled = false;
        assert_eq!(log.done(put_key(disabled)), [Change::Config]);
        let after = log.ledger.living_key("ann").unwrap();
        assert_eq!((&after.id, after.hash), (&before.id, before.hash));
        assert_eq!(after.created_at, before.created_at);
        assert_eq!(after.changed_index, log.ledger.applied_index);
        assert!(!after.enabled);
    }

    #[test]
    fn a_hash_or_id_that_was_ever_a_keys_is_refused() {
        let mut log = Log::sample();
        assert_eq!(denied(&mut log, key("bob", 1)), Denial::Taken("key hash", "id1".to_owned()));
        let mut same_id = key("bob", 1);
        same_id.hash = KeyHash([8; 32]);
        assert_eq!(denied(&mut log, same_id), Denial::Taken("key id", "id1".to_owned()));
        log.revoke("ann");
        assert_eq!(denied(&mut log, key("ann", 1)), Denial::Revoked);
        log.now_ms = 7;
        log.done(put_key(key("ann", 2)));
        assert_eq!(log.ledger.living_key("ann").unwrap().created_at, UnixMillis(7));
    }

    #[test]
    fn a_name_never_is_another_keys_id() {
        let mut log = Log::sample();
        assert_eq!(denied(&mut log, key("id1", 2)), Denial::Taken("key id", "id1".to_owned()));
        let mut named = key("bob", 2);
        named.id = "ann".to_owned();
        assert_eq!(denied(&mut log, named), Denial::Taken("key id", "ann".to_owned()));
    }

    #[test]
    fn a_key_names_budgets_that_exist_and_each_once() {
        let mut log = Log::sample();
        let mut lost = key("bob", 2);
        lost.budgets = vec!["nope".to_owned()];
        assert_eq!(denied(&mut log, lost), Denial::NotFound("budget", "nope".to_owned()));
        let mut twice = key("bob", 2);
        twice.budgets = vec!["team".to_owned(); 2];
        assert!(matches!(denied(&mut log, twice), Denial::Invalid("budgets", _)));
    }

    #[test]
    fn an_index_or_a_file_can_guard_a_key() {
        let mut log = Log::sample();
        let present = log.ledger.living_key("ann").unwrap().changed_index;
        let mut put = PutKey { key: key("ann", 1), if_index: Some(0) };
        let mismatch = Denial::IndexMismatch { present };
        let command = crate::command::Command::PutKey(put.clone());
        assert_eq!(log.propose(command).0, Outcome::Denied(mismatch));
        put.if_index = Some(present);
        put.key.managed_by = "file:a".to_owned();
        log.done(crate::command::Command::PutKey(put));
        let owner = Denial::ManagedBy("file:a".to_owned());
        assert_eq!(denied(&mut log, key("ann", 1)), owner);
    }

    #[test]
    fn what_a_key_refers_to_exists() {
        let mut log = Log::sample();
        let mut lost = key("bob", 2);
        lost.scope = Some(team("ops").id);
        let missing = Denial::NotFound("team", "ops".to_owned());
        assert_eq!(denied(&mut log, lost.clone()), missing);
        log.done(put_scope(team("ops")));
        lost.profile = Some("dev".to_owned());
        let missing = Denial::NotFound("profile", "dev".to_owned());
        assert_eq!(denied(&mut log, lost.clone()), missing);
        log.done(put_profile(profile("dev")));
        lost.narrowed = vec![Narrowed {
            provider: Some("openai".to_owned()),
            budgets: vec!["nope".to_owned()],
            ..Narrowed::default()
        }];
        let missing = Denial::NotFound("budget", "nope".to_owned());
        assert_eq!(denied(&mut log, lost.clone()), missing);
        lost.narrowed[0].budgets = vec!["team".to_owned()];
        log.done(put_key(lost));
    }

    #[test]
    fn what_a_profile_owns_is_filled_in_and_cannot_be_another() {
        let mut log = Log::sample();
        let only = |model: &str| Allow::Only(vec![model.to_owned()]);
        let models = Some(only("gpt-4o"));
        log.done(put_profile(Profile { models, ..profile("dev") }));
        let mut bob = key("bob", 2);
        bob.profile = Some("dev".to_owned());
        bob.models = only("o1");
        let reason = "is owned by profile dev, which has another value".to_owned();
        assert_eq!(denied(&mut log, bob.clone()), Denial::Invalid("models", reason));
        bob.models = Allow::All;
        log.done(put_key(bob.clone()));
        assert_eq!(log.ledger.keys["id2"].models, only("gpt-4o"));
        assert_eq!(log.done(put_key(bob)), []);
    }
}
