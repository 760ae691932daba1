//! Gives an existing key another secret: the old one stops.

use super::At;
use super::put_key::hash_is_fresh;
use crate::{Change, Denial, KeyHash, Ledger, guard};

/// Gives an existing key another secret: the old one stops. All else stays, its public id too: usage,
/// receipts, and accounts of its own go on under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotateKey {
    /// Name of the key.
    pub name: String,
    /// Its public id: a key that took the name since is not meant.
    pub id: String,
    /// Keyed hash of its new secret.
    pub hash: KeyHash,
    /// Who asks; what a file owns is rotated only in its name.
    pub managed_by: String,
    /// Log index of the change it follows.
    pub if_index: Option<u64>,
}

impl RotateKey {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let Some(present) = ledger.living_key(&self.name).filter(|key| key.id == self.id) else {
            return Err(Denial::NotFound("key", self.name.clone()));
        };
        if present.hash == self.hash {
            return Ok(Vec::new());
        }
        guard::index(self.if_index, Some(present.changed_index))?;
        guard::owner(&present.managed_by, &self.managed_by)?;
        hash_is_fresh(ledger, &self.hash)?;
        let mut key = present.clone();
        ledger.keys_by_hash.remove_mut(&key.hash);
        key.hash = self.hash;
        key.changed_index = at.index;
        ledger.keys_by_hash.insert_mut(key.hash, key.id.clone());
        ledger.keys.insert_mut(key.id.clone(), key);
        Ok(at.config_changed(ledger))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Log, key, put_key};
    use crate::view::key_by_hash;
    use crate::{Outcome, VirtualKey, command::Command};

    fn rotate(seed: u8) -> Command {
        Command::RotateKey(RotateKey {
            name: "ann".to_owned(),
            id: "id1".to_owned(),
            hash: KeyHash([seed; 32]),
            managed_by: "api:bob".to_owned(),
            if_index: None,
        })
    }

    #[test]
    fn a_rotated_key_answers_to_its_new_secret_only_and_is_otherwise_the_same() {
        let mut log = Log::sample();
        let before = key_by_hash(&log.ledger, &KeyHash([1; 32])).unwrap().clone();
        assert_eq!(log.done(rotate(2)), [Change::Config]);
        assert_eq!(log.done(rotate(2)), []);
        assert_eq!(key_by_hash(&log.ledger, &KeyHash([1; 32])), None);
        let key = key_by_hash(&log.ledger, &KeyHash([2; 32])).unwrap().clone();
        let changed_index = log.ledger.config_index;
        assert_eq!(key, VirtualKey { hash: KeyHash([2; 32]), changed_index, ..before });
    }

    #[test]
    fn a_secret_that_is_another_keys_is_refused() {
        let mut log = Log::sample();
        log.done(put_key(key("bob", 5)));
        let taken = Denial::Taken("key hash", "id5".to_owned());
        assert_eq!(log.propose(rotate(5)).0, Outcome::Denied(taken));
    }

    #[test]
    fn neither_a_revoked_key_nor_one_that_took_its_name_is_rotated() {
        let mut log = Log::sample();
        log.revoke("ann");
        let missing = Denial::NotFound("key", "ann".to_owned());
        assert_eq!(log.propose(rotate(2)).0, Outcome::Denied(missing.clone()));
        log.done(put_key(key("ann", 7)));
        assert_eq!(log.propose(rotate(2)).0, Outcome::Denied(missing));
    }
}
