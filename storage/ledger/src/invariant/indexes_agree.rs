//! The maps by hash and by name are what the keys say, and no id or name means two keys.

use super::ensure;
use crate::Ledger;

/// Compares each index with the keys, both ways.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    let mut living = 0;
    for (id, key) in &ledger.keys {
        ensure(*id == key.id, || format!("key {} is filed as {id}", key.id))?;
        ensure(ledger.keys_by_hash.get(&key.hash) == Some(id), || {
            format!("the hash of key {id} does not lead to it")
        })?;
        if key.revoked_at.is_some() {
            continue;
        }
        living += 1;
        ensure(ledger.keys_by_name.get(&key.name) == Some(id), || {
            format!("the name {} does not lead to key {id}", key.name)
        })?;
        let namesake = ledger.keys.get(&key.name);
        ensure(namesake.is_none_or(|other| other.id == *id), || {
            format!("the name of key {id} is the id of another")
        })?;
    }
    let (hashes, names) = (ledger.keys_by_hash.size(), ledger.keys_by_name.size());
    let keys = ledger.keys.size();
    ensure(hashes == keys && names == living, || {
        format!("{keys} keys, {living} of them living, have {hashes} hashes and {names} names")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyHash;
    use crate::sample::{Log, key};

    #[test]
    fn an_index_that_lacks_or_invents_a_key_is_caught() {
        let breaks: [fn(&mut Ledger); 6] = [
            |ledger| assert!(ledger.keys_by_name.remove_mut("ann")),
            |ledger| assert!(ledger.keys_by_hash.remove_mut(&KeyHash([1; 32]))),
            |ledger| ledger.keys_by_hash.insert_mut(KeyHash([2; 32]), "id1".to_owned()),
            |ledger| ledger.keys_by_name.insert_mut("bob".to_owned(), "id1".to_owned()),
            |ledger| ledger.keys.insert_mut("id2".to_owned(), key("bob", 2)),
            |ledger| ledger.keys.insert_mut("id3".to_owned(), key("ann", 1)),
        ];
        for broken in breaks {
            let mut log = Log::sample();
            assert_eq!(check(&log.ledger), Ok(()));
            broken(&mut log.ledger);
            assert!(check(&log.ledger).is_err());
        }
    }
}
