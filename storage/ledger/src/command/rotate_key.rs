//! Gives an existing key another secret: the old one stops.

use super::At;
use super::put_key::check_fresh;
use crate::{Change, Denial, KeyHash, Ledger, guard, instance};

/// Gives an existing key another secret and public id: the old ones stop. What was spent on accounts of
/// its own stays spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotateKey {
    /// Name of the key.
    pub name: String,
    /// Its new public id.
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
        let Some(present) = ledger.living_key(&self.name).cloned() else {
            return Err(Denial::NotFound("key", self.name.clone()));
        };
        if (present.hash, &present.id) == (self.hash, &self.id) {
            return Ok(Vec::new());
        }
        guard::index(self.if_index, Some(present.changed_index))?;
        guard::owner(&present.managed_by, &self.managed_by)?;
        check_fresh(ledger, &self.id, &self.hash)?;
        ledger.keys.remove_mut(&present.id);
        ledger.keys_by_hash.remove_mut(&present.hash);
        let present_id = present.id.clone();
        let mut key = present;
        key.id.clone_from(&self.id);
        key.hash = self.hash;
        key.changed_index = at.index;
        ledger.keys_by_hash.insert_mut(key.hash, key.id.clone());
        ledger.keys_by_name.insert_mut(key.name.clone(), key.id.clone());
        instance::rename_key(ledger, &present_id, &key.id);
        ledger.keys.insert_mut(key.id.clone(), key);
        Ok(at.config_changed(ledger))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Log;
    use crate::view::key_by_hash;
    use crate::{Outcome, command::Command};

    fn rotate(seed: u8) -> Command {
        Command::RotateKey(RotateKey {
            name: "ann".to_owned(),
            id: format!("id{seed}"),
            hash: KeyHash([seed; 32]),
            managed_by: "api:bob".to_owned(),
            if_index: None,
        })
    }

    #[test]
    fn a_rotated_key_answers_to_its_new_secret_only() {
        let mut log = Log::sample();
        assert_eq!(log.done(rotate(2)), [Change::Config]);
        assert_eq!(log.done(rotate(2)), []);
        assert_eq!(key_by_hash(&log.ledger, &KeyHash([1; 32])), None);
        let key = key_by_hash(&log.ledger, &KeyHash([2; 32])).unwrap();
        assert_eq!((key.name.as_str(), key.id.as_str()), ("ann", "id2"));
    }

    #[test]
    fn a_revoked_key_is_not_rotated() {
        let mut log = Log::sample();
        log.revoke("ann");
        let missing = Denial::NotFound("key", "ann".to_owned());
        assert_eq!(log.propose(rotate(2)).0, Outcome::Denied(missing));
    }
}
