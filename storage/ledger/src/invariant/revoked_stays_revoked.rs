//! A revoked key can never be used again, under any name or id.

use super::ensure;
use crate::Ledger;

/// A revoked key's hash leads to it and to no other key, and no name does.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    for (id, key) in &ledger.keys {
        if key.revoked_at.is_none() {
            continue;
        }
        ensure(ledger.keys_by_hash.get(&key.hash) == Some(id), || {
            format!("the hash of revoked key {id} leads elsewhere")
        })?;
        ensure(ledger.keys_by_name.get(&key.name) != Some(id), || {
            format!("revoked key {id} still has its name {}", key.name)
        })?;
    }
    Ok(())
}

/// A revoked key stays as it is.
pub(super) fn check_step(before: &Ledger, after: &Ledger) -> Result<(), String> {
    for (id, key) in &before.keys {
        if key.revoked_at.is_some() {
            ensure(after.keys.get(id) == Some(key), || format!("revoked key {id} changed"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyHash;
    use crate::sample::Log;

    #[test]
    fn a_revoked_keys_hash_in_other_hands_is_caught() {
        let mut log = Log::sample();
        log.revoke("ann");
        assert_eq!(check(&log.ledger), Ok(()));
        let hash = KeyHash([1; 32]);
        log.ledger.keys_by_hash.insert_mut(hash, "id9".to_owned());
        assert!(check(&log.ledger).is_err());
    }

    #[test]
    fn a_revoked_key_with_a_name_is_caught() {
        let mut log = Log::sample();
        log.revoke("ann");
        let (name, id) = ("ann".to_owned(), "id1".to_owned());
        log.ledger.keys_by_name.insert_mut(name, id);
        assert!(check(&log.ledger).is_err());
    }

    #[test]
    fn a_revoked_key_that_comes_back_is_caught() {
        let mut log = Log::sample();
        log.revoke("ann");
        let before = log.ledger.clone();
        log.ledger.keys.get_mut("id1").unwrap().revoked_at = None;
        assert!(check_step(&before, &log.ledger).is_err());
        log.ledger.keys.remove_mut("id1");
        assert!(check_step(&before, &log.ledger).is_err());
    }
}
