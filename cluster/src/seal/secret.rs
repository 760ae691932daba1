//! The one secret every node of a cluster is given.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use thiserror::Error;

/// Shortest passphrase taken, in characters.
const PASSPHRASE_MIN: usize = 16;

/// 32 bytes that every node of one cluster shares. Never shown, not even in debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct ClusterSecret([u8; 32]);

/// Why a text is no cluster secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SecretError {
    /// Neither 32 bytes in hex or base64 nor a long passphrase.
    #[error(
        "cluster secret has {0} characters: give 32 bytes as hex or base64, or a passphrase of at least {PASSPHRASE_MIN}"
    )]
    TooShort(usize),
}

impl std::fmt::Debug for ClusterSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClusterSecret(..)")
    }
}

impl ClusterSecret {
    /// The secret of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> ClusterSecret {
        ClusterSecret(bytes)
    }

    /// Reads 32 bytes in hex (64 characters) or base64 (any alphabet); any other text of at least 16
    /// characters is a passphrase, from which the bytes are derived. White space around it is ignored.
    ///
    /// # Errors
    /// [`SecretError::TooShort`].
    pub fn parse(text: &str) -> Result<ClusterSecret, SecretError> {
        let text = text.trim();
        if let Some(bytes) = from_hex(text).or_else(|| from_base64(text)) {
            return Ok(ClusterSecret(bytes));
        }
        let length = text.chars().count();
        if length < PASSPHRASE_MIN {
            return Err(SecretError::TooShort(length));
        }
        let context = "bursar 2026 cluster secret from passphrase v1";
        Ok(ClusterSecret(blake3::derive_key(context, text.as_bytes())))
    }

    /// A new random secret.
    #[must_use]
    pub fn generate() -> ClusterSecret {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
        ClusterSecret(bytes)
    }

    /// The bytes themselves: to derive keys, and to write a new secret down once.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).ok()?;
    }
    Some(bytes)
}

fn from_base64(text: &str) -> Option<[u8; 32]> {
    [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|alphabet| alphabet.decode(text).ok()?.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_are_read_from_hex_and_base64() {
        let bytes = [0xab; 32];
        let expected = ClusterSecret::from_bytes(bytes);
        assert_eq!(ClusterSecret::parse(&"ab".repeat(32)).unwrap(), expected);
        assert_eq!(ClusterSecret::parse(&"AB".repeat(32)).unwrap(), expected);
        let encoded = format!("  {}\n", STANDARD.encode(bytes));
        assert_eq!(ClusterSecret::parse(&encoded).unwrap(), expected);
        assert_eq!(ClusterSecret::parse(&URL_SAFE_NO_PAD.encode(bytes)).unwrap(), expected);
    }

    #[test]
    fn a_long_passphrase_makes_a_secret_and_a_short_one_is_refused() {
        let one = ClusterSecret::parse("correct horse battery staple").unwrap();
        let two = ClusterSecret::parse("correct horse battery stable").unwrap();
        assert_ne!(one, two);
        assert_eq!(ClusterSecret::parse("hunter2"), Err(SecretError::TooShort(7)));
    }

    #[test]
    fn a_secret_is_never_shown() {
        let secret = ClusterSecret::from_bytes([1; 32]);
        assert_eq!(format!("{secret:?}"), "ClusterSecret(..)");
    }
}
