//! Who asks? Pure: from a presented key to its hash, and from what the ledger says to a verdict.

use crate::virtual_key;
use api::refusal::Reason;
use ledger::view::{self, KeyBlock};
use ledger::{KeyHash, UnixMillis, VirtualKey};
use wire::Refusal;

/// Longest key looked at, in bytes.
const KEY_BYTES_MAX: usize = 512;

/// The hash a presented key is known by.
///
/// # Errors
///
/// No key, or one whose own checksum says that it was mistyped.
pub(crate) fn hash(pepper: &[u8; 32], presented: Option<&str>) -> Result<KeyHash, Refusal> {
    let Some(key) = presented else {
        return Err(Reason::KeyRequired
            .refuse("no virtual key was presented; send it as `Authorization: Bearer <key>`"));
    };
    if key.len() > KEY_BYTES_MAX {
        return Err(Reason::KeyUnknown.refuse("the virtual key is too long to be one"));
    }
    if virtual_key::check_shape(key).is_err() {
        return Err(Reason::KeyUnknown
            .refuse("the virtual key is mistyped: its checksum does not fit; copy it again"));
    }
    Ok(virtual_key::hash(pepper, key))
}

/// The refusal of a key nobody knows.
pub(crate) fn unknown() -> Refusal {
    Reason::KeyUnknown.refuse("the virtual key is unknown")
}

/// Whether a known key may be used at `now`.
///
/// # Errors
///
/// A key that is revoked, expired or disabled, by its public id.
pub(crate) fn admissible(key: &VirtualKey, now: UnixMillis) -> Result<(), Refusal> {
    view::admissible(key, now).map_err(|block| {
        let why = match block {
            KeyBlock::Disabled => "disabled",
            KeyBlock::Expired => "expired",
            KeyBlock::Revoked => "revoked",
        };
        Reason::KeyBlocked.refuse(format!("virtual key {} is {why}", key.id))
    })
}
