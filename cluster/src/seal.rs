//! The cluster secret, and what is sealed with it: whoever does not hold it can neither read nor
//! write what nodes tell each other.
//!
//! A sealed message is `key id (1) | made at, unix ms, little endian (8) | nonce (24) | ciphertext
//! and tag`. XChaCha20-Poly1305; header and the caller's associated data are authenticated. Each
//! purpose has its own key, so a message of one kind never opens as another.

mod replay;
mod secret;

pub use replay::ReplayGuard;
pub use secret::{ClusterSecret, SecretError};

use chacha20poly1305::aead::AeadInPlace;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305, XNonce};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use thiserror::Error;

/// How far the clocks of sender and receiver, plus the way, may differ: 5 minutes.
pub const WINDOW_MS: u64 = 5 * 60 * 1_000;
/// What sealing adds to a message, in bytes.
pub const OVERHEAD_BYTES: usize = HEADER + NONCE + TAG;

const HEADER: usize = 9;
const NONCE: usize = 24;
const TAG: usize = 16;

/// What a sealed message is for. Each has a key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Requests and answers between peers.
    Peer,
    /// Gossip datagrams.
    Gossip,
}

impl Purpose {
    fn context(self) -> &'static str {
        match self {
            Purpose::Peer => "bursar 2026 cluster peer traffic v1",
            Purpose::Gossip => "bursar 2026 cluster gossip v1",
        }
    }
}

/// Why a sealed message was not opened. It says nothing of the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SealError {
    /// Too short to be one.
    #[error("sealed message is cut short")]
    Short,
    /// Made with another key; usually another cluster's secret.
    #[error("sealed with a key this node does not hold")]
    UnknownKey,
    /// Altered, or for another receiver or route.
    #[error("sealed message does not authenticate")]
    Forged,
    /// Made more than [`WINDOW_MS`] ago or ahead.
    #[error("sealed message is {0} ms away from this node's clock, at most {WINDOW_MS} are taken")]
    Stale(u64),
    /// Seen before.
    #[error("sealed message was seen before")]
    Replayed,
}

/// Seals and opens messages of one purpose. Shared freely between threads.
pub struct Sealer {
    key_id: u8,
    cipher: XChaCha20Poly1305,
    nonce_prefix: [u8; 16],
    nonce_count: AtomicU64,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealer(key {:02x})", self.key_id)
    }
}

impl Sealer {
    /// A sealer of peer traffic.
    #[must_use]
    pub fn new(secret: &ClusterSecret) -> Sealer {
        Sealer::with_purpose(secret, Purpose::Peer)
    }

    /// A sealer of one purpose.
    #[must_use]
    pub fn with_purpose(secret: &ClusterSecret, purpose: Purpose) -> Sealer {
        let key = blake3::derive_key(purpose.context(), secret.expose());
        let key_id = blake3::derive_key("bursar 2026 key id v1", &key)[0];
        let mut nonce_prefix = [0; 16];
        getrandom::fill(&mut nonce_prefix).expect("the operating system gives random bytes");
        Sealer {
            key_id,
            cipher: XChaCha20Poly1305::new(&key.into()),
            nonce_prefix,
            nonce_count: AtomicU64::new(0),
        }
    }

    /// Seals `plain`; `aad` must be the same when it is opened.
    #[must_use]
    pub fn seal(&self, aad: &[u8], plain: &[u8]) -> Vec<u8> {
        self.seal_at(aad, plain, unix_ms())
    }

    /// Opens what [`Sealer::seal`] made less than [`WINDOW_MS`] ago.
    ///
    /// # Errors
    /// As [`SealError`] says, [`SealError::Replayed`] aside.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        self.open_at(aad, sealed, unix_ms())
    }

    /// As [`Sealer::open`], and refuses what `guard` has seen.
    ///
    /// # Errors
    /// As [`SealError`] says.
    pub fn open_once(
        &self,
        aad: &[u8],
        sealed: &[u8],
        guard: &ReplayGuard,
    ) -> Result<Vec<u8>, SealError> {
        self.open_once_at(aad, sealed, guard, unix_ms())
    }

    fn open_once_at(
        &self,
        aad: &[u8],
        sealed: &[u8],
        guard: &ReplayGuard,
        now_ms: u64,
    ) -> Result<Vec<u8>, SealError> {
        let plain = self.open_at(aad, sealed, now_ms)?;
        let nonce =
            sealed[HEADER..HEADER + NONCE].try_into().expect("an opened message has a nonce");
        if guard.admit(nonce, now_ms) { Ok(plain) } else { Err(SealError::Replayed) }
    }

    fn seal_at(&self, aad: &[u8], plain: &[u8], now_ms: u64) -> Vec<u8> {
        let nonce = self.fresh_nonce();
        let mut sealed = Vec::with_capacity(plain.len() + OVERHEAD_BYTES);
        sealed.push(self.key_id);
        sealed.extend_from_slice(&now_ms.to_le_bytes());
        let bound = bind(&sealed, aad);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let tag = self
            .cipher
            .encrypt_in_place_detached(
                XNonce::from_slice(&nonce),
                &bound,
                &mut sealed[HEADER + NONCE..],
            )
            .expect("a message in memory is shorter than the cipher's 256 GiB");
        sealed.extend_from_slice(&tag);
        sealed
    }

    fn open_at(&self, aad: &[u8], sealed: &[u8], now_ms: u64) -> Result<Vec<u8>, SealError> {
        if sealed.len() < OVERHEAD_BYTES {
            return Err(SealError::Short);
        }
        let (header, rest) = sealed.split_at(HEADER);
        let (nonce, rest) = rest.split_at(NONCE);
        let (body, tag) = rest.split_at(rest.len() - TAG);
        if header[0] != self.key_id {
            return Err(SealError::UnknownKey);
        }
        let mut plain = body.to_vec();
        self.cipher
            .decrypt_in_place_detached(
                XNonce::from_slice(nonce),
                &bind(header, aad),
                &mut plain,
                Tag::from_slice(tag),
            )
            .map_err(|_| SealError::Forged)?;
        let made_at_ms = u64::from_le_bytes(header[1..].try_into().expect("the header is 1 + 8"));
        let away_ms = made_at_ms.abs_diff(now_ms);
        if away_ms > WINDOW_MS {
            return Err(SealError::Stale(away_ms));
        }
        Ok(plain)
    }

    /// Random per process, counted within: never twice under one key.
    fn fresh_nonce(&self) -> [u8; NONCE] {
        let mut nonce = [0; NONCE];
        nonce[..16].copy_from_slice(&self.nonce_prefix);
        let count = self.nonce_count.fetch_add(1, Ordering::Relaxed);
        nonce[16..].copy_from_slice(&count.to_le_bytes());
        nonce
    }
}

fn bind(header: &[u8], aad: &[u8]) -> Vec<u8> {
    [header, aad].concat()
}

/// Milliseconds since 1970 by this node's clock.
pub(crate) fn unix_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000_000;

    fn sealer() -> Sealer {
        Sealer::new(&ClusterSecret::from_bytes([7; 32]))
    }

    #[test]
    fn what_was_sealed_opens_for_whoever_holds_the_secret() {
        let sealed = sealer().seal_at(b"route", b"hello", NOW);
        assert_eq!(sealer().open_at(b"route", &sealed, NOW).unwrap(), b"hello");
        assert_eq!(sealed.len(), 5 + OVERHEAD_BYTES);
    }

    #[test]
    fn no_flipped_bit_and_no_cut_survives() {
        let sealed = sealer().seal_at(b"route", b"hello", NOW);
        for at in 0..sealed.len() {
            for bit in 0..8 {
                let mut altered = sealed.clone();
                altered[at] ^= 1 << bit;
                assert!(sealer().open_at(b"route", &altered, NOW).is_err());
            }
            assert!(sealer().open_at(b"route", &sealed[..at], NOW).is_err());
        }
    }

    #[test]
    fn another_route_secret_or_purpose_does_not_open() {
        let sealed = sealer().seal_at(b"route", b"hello", NOW);
        assert_eq!(sealer().open_at(b"other", &sealed, NOW), Err(SealError::Forged));
        let stranger = Sealer::new(&ClusterSecret::from_bytes([8; 32]));
        assert!(stranger.open_at(b"route", &sealed, NOW).is_err());
        let gossip = Sealer::with_purpose(&ClusterSecret::from_bytes([7; 32]), Purpose::Gossip);
        assert!(gossip.open_at(b"route", &sealed, NOW).is_err());
    }

    #[test]
    fn messages_outside_the_window_are_stale() {
        let sealed = sealer().seal_at(b"", b"hello", NOW);
        assert!(sealer().open_at(b"", &sealed, NOW + WINDOW_MS).is_ok());
        assert!(sealer().open_at(b"", &sealed, NOW - WINDOW_MS).is_ok());
        let late = sealer().open_at(b"", &sealed, NOW + WINDOW_MS + 1);
        assert_eq!(late, Err(SealError::Stale(WINDOW_MS + 1)));
        assert!(sealer().open_at(b"", &sealed, NOW - WINDOW_MS - 1).is_err());
    }

    #[test]
    fn a_replayed_message_is_refused_once_seen() {
        let guard = ReplayGuard::default();
        let sealed = sealer().seal_at(b"", b"hello", NOW);
        assert!(sealer().open_once_at(b"", &sealed, &guard, NOW).is_ok());
        for later_ms in [0, 1, WINDOW_MS] {
            let again = sealer().open_once_at(b"", &sealed, &guard, NOW + later_ms);
            assert_eq!(again, Err(SealError::Replayed));
        }
    }

    #[test]
    fn a_sealer_shows_no_key() {
        assert_eq!(format!("{:?}", sealer()).len(), "Sealer(key 00)".len());
    }
}
