//! Secrets at rest: sealed with XChaCha20-Poly1305 under the key-encryption key.
//!
//! The ledger replicates sealed secrets and never sees one open; a node opens them with a key that it
//! got from a file or the environment and that is never written to the log.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use ledger::Sealed;
use zeroize::Zeroizing;

/// What the pepper of the cluster is sealed for.
const PEPPER: &str = "pepper";

/// A piece of text nobody may see by accident: no `Display`, an empty `Debug`, wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself. Every use is a place where it could leak: keep them few.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Key of the keyed hash of virtual keys; one per cluster, drawn when it is founded.
#[derive(Clone)]
pub struct Pepper(Zeroizing<[u8; 32]>);

impl Pepper {
    /// The 32 bytes.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for Pepper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pepper(..)")
    }
}

/// Why a sealed secret stays shut.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// Another key-encryption key sealed it.
    #[error(
        "sealed under key-encryption key {sealed_by}, this node has {ours}: give every node of a cluster the same key"
    )]
    OtherKey {
        /// Identity of the key that sealed it.
        sealed_by: String,
        /// Identity of this node's key.
        ours: String,
    },
    /// The bytes were changed, or were sealed for another purpose.
    #[error("the sealed secret for {0} is damaged or was sealed for another purpose")]
    Damaged(String),
    /// The ledger holds none yet.
    #[error("the cluster is not founded yet")]
    Missing,
}

/// Seals and opens secrets.
#[derive(Clone)]
pub struct Vault {
    cipher: XChaCha20Poly1305,
    kek_id: [u8; 8],
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault({})", hex(&self.kek_id))
    }
}

impl Vault {
    /// A vault over a key-encryption key of 32 random bytes.
    pub fn new(kek: [u8; 32]) -> Self {
        let kek = Zeroizing::new(kek);
        let digest = blake3::hash(&kek[..]);
        let mut kek_id = [0; 8];
        kek_id.copy_from_slice(&digest.as_bytes()[..8]);
        Self { cipher: XChaCha20Poly1305::new((&*kek).into()), kek_id }
    }

    /// Which key this vault has: 16 hexadecimal digits that may be shown.
    pub fn key_id(&self) -> String {
        hex(&self.kek_id)
    }

    /// Seals `plain`. Only the same `purpose` opens it again: `pepper`, or [`credential_purpose`].
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> Sealed {
        let nonce: [u8; 24] = random();
        let payload = Payload { msg: plain, aad: purpose.as_bytes() };
        let ciphertext = self
            .cipher
            .encrypt(XNonce::from_slice(&nonce), payload)
            .expect("sealing fails only past 256 GiB of plain text");
        Sealed { kek_id: self.kek_id, nonce, ciphertext }
    }

    /// Opens what [`Vault::seal`] sealed for the same purpose.
    ///
    /// # Errors
    ///
    /// Where another key sealed it, or the bytes or the purpose are not those of the sealing.
    pub fn open(&self, purpose: &str, sealed: &Sealed) -> Result<Secret, VaultError> {
        let plain = self.open_bytes(purpose, sealed)?;
        let text = std::str::from_utf8(&plain)
            .map_err(|_| VaultError::Damaged(purpose.to_owned()))?
            .to_owned();
        Ok(Secret::new(text))
    }

    /// Draws a pepper and seals it, for the command that founds a cluster.
    pub fn seal_new_pepper(&self) -> Sealed {
        let pepper = Zeroizing::new(random::<32>());
        self.seal(PEPPER, &pepper[..])
    }

    /// The pepper the cluster was founded with.
    ///
    /// # Errors
    ///
    /// [`VaultError::Missing`] before this node has applied the founding, else as [`Vault::open`].
    pub fn pepper(&self, sealed: Option<&Sealed>) -> Result<Pepper, VaultError> {
        let plain = self.open_bytes(PEPPER, sealed.ok_or(VaultError::Missing)?)?;
        let bytes =
            <[u8; 32]>::try_from(&plain[..]).map_err(|_| VaultError::Damaged(PEPPER.to_owned()))?;
        Ok(Pepper(Zeroizing::new(bytes)))
    }

    fn open_bytes(&self, purpose: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        if sealed.kek_id != self.kek_id {
            return Err(VaultError::OtherKey {
                sealed_by: hex(&sealed.kek_id),
                ours: hex(&self.kek_id),
            });
        }
        let payload = Payload { msg: &sealed.ciphertext, aad: purpose.as_bytes() };
        self.cipher
            .decrypt(XNonce::from_slice(&sealed.nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| VaultError::Damaged(purpose.to_owned()))
    }
}

/// Purpose of a provider's credential: a sealed credential moved to another provider stays shut.
pub fn credential_purpose(provider: &str, credential: &str) -> String {
    format!("credential:{provider}/{credential}")
}

/// Random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has randomness once it has booted");
    bytes
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The 32 bytes of 64 hexadecimal digits.
pub(crate) fn unhex_32(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_for_the_same_purpose_only() {
        let vault = Vault::new([7; 32]);
        let sealed = vault.seal("credential:a/b", b"sk-upstream");
        assert_eq!(vault.open("credential:a/b", &sealed).unwrap().expose(), "sk-upstream");
        assert_eq!(
            vault.open("credential:a/c", &sealed),
            Err(VaultError::Damaged("credential:a/c".to_owned()))
        );
    }

    #[test]
    fn another_key_is_told_from_damage() {
        let sealed = Vault::new([7; 32]).seal("p", b"x");
        assert!(matches!(Vault::new([8; 32]).open("p", &sealed), Err(VaultError::OtherKey { .. })));
        let mut damaged = sealed;
        damaged.ciphertext[0] ^= 1;
        assert_eq!(
            Vault::new([7; 32]).open("p", &damaged),
            Err(VaultError::Damaged("p".to_owned()))
        );
    }

    #[test]
    fn the_pepper_survives_sealing_and_each_cluster_draws_its_own() {
        let vault = Vault::new([7; 32]);
        let (one, two) = (vault.seal_new_pepper(), vault.seal_new_pepper());
        let open = |sealed| *vault.pepper(Some(sealed)).unwrap().expose();
        assert_eq!(open(&one), open(&one));
        assert_ne!(open(&one), open(&two));
        assert_eq!(vault.pepper(None).err(), Some(VaultError::Missing));
    }

    #[test]
    fn nothing_secret_is_in_debug_output() {
        let shown = format!("{:?} {:?}", Secret::new("hunter2".into()), Vault::new([7; 32]));
        assert!(!shown.contains("hunter2"));
        assert!(shown.starts_with("Secret(..) Vault("));
    }

    #[test]
    fn hexadecimal_goes_there_and_back() {
        let bytes: [u8; 32] = random();
        assert_eq!(unhex_32(&hex(&bytes)), Some(bytes));
        assert_eq!(unhex_32("abc"), None);
        assert_eq!(unhex_32(&"g".repeat(64)), None);
    }
}
