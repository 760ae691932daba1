//! Who asks, and may they?

use crate::{Allow, KeyHash, Ledger, UnixMillis, VirtualKey};

/// The key with this hash, revoked ones included: [`admissible`] tells.
pub fn key_by_hash<'a>(ledger: &'a Ledger, hash: &KeyHash) -> Option<&'a VirtualKey> {
    ledger.keys.get(ledger.keys_by_hash.get(hash)?)
}

/// Why a known key is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyBlock {
    /// Switched off; it may be switched on again.
    Disabled,
    /// Past its `expires_at`.
    Expired,
    /// Revoked, for ever.
    Revoked,
}

/// Whether a key may be used at `now`. What cannot be undone is named first.
pub fn admissible(key: &VirtualKey, now: UnixMillis) -> Result<(), KeyBlock> {
    if key.revoked_at.is_some() {
        return Err(KeyBlock::Revoked);
    }
    if key.expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Err(KeyBlock::Expired);
    }
    if !key.enabled {
        return Err(KeyBlock::Disabled);
    }
    Ok(())
}

/// Whether a key may use a provider.
pub fn provider_allowed(key: &VirtualKey, provider: &str) -> bool {
    match &key.providers {
        Allow::All => true,
        Allow::Only(names) => names.iter().any(|name| name == provider),
    }
}

/// Whether a key may use a provider's model, asked for as `asked_name`.
///
/// An entry of the list allows the model as `provider/model`, under its bare name with any provider, or
/// whatever an alias of that name stands for.
pub fn model_allowed(key: &VirtualKey, provider: &str, model: &str, asked_name: &str) -> bool {
    let qualified = |entry: &str| {
        let rest = entry.strip_prefix(provider);
        rest.and_then(|rest| rest.strip_prefix('/')) == Some(model)
    };
    match &key.models {
        Allow::All => true,
        Allow::Only(entries) => {
            entries.iter().any(|entry| entry == asked_name || entry == model || qualified(entry))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::key;

    #[test]
    fn a_key_is_blocked_for_the_reason_that_cannot_be_undone() {
        let mut ann = key("ann", 1);
        let now = UnixMillis(10);
        assert_eq!(admissible(&ann, now), Ok(()));
        ann.enabled = false;
        assert_eq!(admissible(&ann, now), Err(KeyBlock::Disabled));
        ann.expires_at = Some(now);
        assert_eq!(admissible(&ann, now), Err(KeyBlock::Expired));
        assert_eq!(admissible(&ann, UnixMillis(9)), Err(KeyBlock::Disabled));
        ann.revoked_at = Some(now);
        assert_eq!(admissible(&ann, now), Err(KeyBlock::Revoked));
    }

    #[test]
    fn a_model_is_allowed_qualified_bare_or_by_its_alias() {
        let mut ann = key("ann", 1);
        let allowed = |ann: &VirtualKey| model_allowed(ann, "openai", "gpt-4o", "fast");
        assert!(allowed(&ann) && provider_allowed(&ann, "openai"));
        for entry in ["openai/gpt-4o", "gpt-4o", "fast"] {
            ann.models = Allow::Only(vec!["x".to_owned(), entry.to_owned()]);
            assert!(allowed(&ann), "{entry}");
        }
        for entry in ["", "openai", "openai/", "openaigpt-4o", "azure/gpt-4o", "gpt-4"] {
            ann.models = Allow::Only(vec![entry.to_owned()]);
            assert!(!allowed(&ann), "{entry}");
        }
        ann.providers = Allow::Only(Vec::new());
        assert!(!provider_allowed(&ann, "openai"));
    }
}
