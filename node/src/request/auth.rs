//! Who asks? Pure: from a presented key to its hash, and from what the ledger says to a verdict.

use crate::virtual_key;
use api::refusal::Reason;
use ledger::view::{self, KeyBlock};
use ledger::{KeyHash, UnixMillis, VirtualKey};
use std::time::Duration;
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

/// A node that has not heard for so long whether it is up to date does not say that a key is unknown.
const STALE_MAX: Duration = Duration::from_secs(5);

/// The refusal of a key this node does not know, where the node may have missed what was acknowledged for
/// this long: it may be another node that knows it.
pub(crate) fn unknown(stale_for: Duration) -> Refusal {
    if stale_for > STALE_MAX {
        return Reason::ClusterUnavailable.refuse(
            "this node does not know the virtual key, and has not heard from the cluster of late; \
             ask again, or another node",
        );
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_is_told_from_one_nobody_knows() {
        let pepper = [1; 32];
        let new = virtual_key::generate();
        let good = new.key.expose();
        let typo = &good[..good.len() - 1];
        let long = "x".repeat(KEY_BYTES_MAX + 1);
        let cases = [
            (None, Err("virtual_key_required")),
            (Some(typo), Err("virtual_key_unknown")),
            (Some(long.as_str()), Err("virtual_key_unknown")),
            (Some(good), Ok(virtual_key::hash(&pepper, good))),
            (Some("sk-imported"), Ok(virtual_key::hash(&pepper, "sk-imported"))),
        ];
        for (presented, expected) in cases {
            let found = hash(&pepper, presented).map_err(|refusal| refusal.code);
            assert_eq!(found, expected, "{presented:?}");
        }
        assert_ne!(hash(&[2; 32], Some(good)).unwrap(), hash(&pepper, Some(good)).unwrap());
    }

    #[test]
    fn a_node_that_may_have_missed_a_key_does_not_call_it_unknown() {
        assert_eq!(unknown(STALE_MAX).status, 401);
        let stale = unknown(STALE_MAX + Duration::from_millis(1));
        assert_eq!((stale.status, stale.code), (503, "cluster_unavailable"));
        assert_eq!(unknown(Duration::MAX).status, 503);
    }
}
