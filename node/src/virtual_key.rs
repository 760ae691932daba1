//! Virtual keys as callers hold them: `bsr-<public id>-<secret><checksum>`.
//!
//! The prefix can be found by secret scanners, the public id may be shown, and the checksum tells a
//! typo from a key we do not know. What is stored is a keyed hash of the whole.

use crate::vault::{Secret, random};
use ledger::KeyHash;

/// What every key of ours begins with.
pub const PREFIX: &str = "bsr-";
/// Characters of the public id: 60 bits.
const ID_CHARS: usize = 12;
/// Characters of the secret: 200 bits.
const SECRET_CHARS: usize = 40;
/// Characters of the checksum: 30 bits, one typo in a billion goes unnoticed.
const CHECKSUM_CHARS: usize = 6;
/// Crockford's base 32 in lower case: no `i`, `l`, `o`, `u`.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A key that was just drawn.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Its public id.
    pub id: String,
    /// The whole key. Shown once, never stored.
    pub key: Secret,
}

/// A key as presented, which may well be unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presented<'a> {
    /// Public id of a key in our own format; `None` for one imported from elsewhere.
    pub public_id: Option<&'a str>,
}

/// The key begins like ours and was not copied whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key begins with bsr- and its checksum does not hold: it was mistyped or cut short")]
pub struct Typo;

/// Draws a new key.
pub fn generate() -> NewKey {
    generate_for(letters::<ID_CHARS>(&random()))
}

/// Draws another secret for a key of this public id.
pub fn generate_for(id: String) -> NewKey {
    let secret = Secret::new(letters::<SECRET_CHARS>(&random()));
    let body = Secret::new(format!("{PREFIX}{id}-{}", secret.expose()));
    let key = Secret::new(format!("{}{}", body.expose(), checksum(body.expose())));
    NewKey { id, key }
}

/// Tells a mistyped key of ours from one that may be known. Foreign keys (`sk-...`) are opaque.
///
/// # Errors
///
/// [`Typo`] where the key begins with [`PREFIX`] and is not whole.
pub fn check_shape(presented: &str) -> Result<Presented<'_>, Typo> {
    let Some(rest) = presented.strip_prefix(PREFIX) else {
        return Ok(Presented { public_id: None });
    };
    let whole = PREFIX.len() + ID_CHARS + 1 + SECRET_CHARS + CHECKSUM_CHARS;
    if presented.len() != whole || !presented.is_ascii() {
        return Err(Typo);
    }
    let (body, sum) = presented.split_at(whole - CHECKSUM_CHARS);
    let (id, secret) = rest.split_at(ID_CHARS);
    if !secret.starts_with('-') || checksum(body) != sum {
        return Err(Typo);
    }
    Ok(Presented { public_id: Some(id) })
}

/// What the ledger stores of a key: keyed BLAKE3 of all of it.
pub fn hash(pepper: &[u8; 32], presented: &str) -> KeyHash {
    KeyHash(*blake3::keyed_hash(pepper, presented.as_bytes()).as_bytes())
}

fn checksum(body: &str) -> String {
    let digest = blake3::hash(body.as_bytes());
    let mut bytes = [0; CHECKSUM_CHARS];
    bytes.copy_from_slice(&digest.as_bytes()[..CHECKSUM_CHARS]);
    letters(&bytes)
}

/// Five bits of each byte as one letter.
fn letters<const N: usize>(bytes: &[u8; N]) -> String {
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_key_has_the_shape_and_names_its_public_id() {
        let new = generate();
        let presented = check_shape(new.key.expose()).unwrap();
        assert_eq!(presented.public_id, Some(new.id.as_str()));
        assert!(new.key.expose().starts_with(&format!("bsr-{}-", new.id)));
    }

    #[test]
    fn another_secret_of_a_key_names_the_same_public_id() {
        let (first, second) = (generate(), generate());
        let rotated = generate_for(first.id.clone());
        assert!(rotated.key != first.key && rotated.key != second.key);
        let presented = check_shape(rotated.key.expose()).unwrap();
        assert_eq!(presented.public_id, Some(first.id.as_str()));
    }

    #[test]
    fn every_changed_letter_is_a_typo() {
        let key = generate().key;
        for at in PREFIX.len()..key.expose().len() {
            let mut changed = key.expose().as_bytes().to_vec();
            changed[at] = if changed[at] == b'7' { b'8' } else { b'7' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(check_shape(&changed), Err(Typo), "letter {at}");
        }
    }

    #[test]
    fn a_cut_or_padded_key_is_a_typo() {
        let key = generate().key;
        for cut in PREFIX.len()..key.expose().len() {
            assert_eq!(check_shape(&key.expose()[..cut]), Err(Typo));
        }
        assert_eq!(check_shape(&format!("{}0", key.expose())), Err(Typo));
        assert_eq!(check_shape("bsr-ééééééé"), Err(Typo));
    }

    #[test]
    fn keys_of_other_products_are_opaque() {
        for key in ["sk-proj-abc", "sk-bf-123", "", "BSR-x"] {
            assert_eq!(check_shape(key), Ok(Presented { public_id: None }));
        }
    }

    #[test]
    fn the_hash_depends_on_the_pepper_and_on_every_letter() {
        assert_eq!(hash(&[1; 32], "a"), hash(&[1; 32], "a"));
        assert_ne!(hash(&[1; 32], "a"), hash(&[2; 32], "a"));
        assert_ne!(hash(&[1; 32], "a"), hash(&[1; 32], "b"));
    }

    #[test]
    fn two_keys_are_never_alike() {
        let (one, two) = (generate(), generate());
        assert_ne!(one.id, two.id);
        assert_ne!(one.key, two.key);
    }
}
