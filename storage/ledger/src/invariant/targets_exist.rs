//! Every provider an alias names exists, and every profile a key has.

use super::ensure;
use crate::Ledger;

/// Looks up the providers of every alias and the profile of every living key.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    for (name, alias) in &ledger.aliases {
        for target in &alias.targets {
            ensure(ledger.providers.contains_key(&target.provider), || {
                let provider = &target.provider;
                format!("alias {name} names provider {provider}, which does not exist")
            })?;
        }
    }
    for key in ledger.keys.values().filter(|key| key.revoked_at.is_none()) {
        let profile = key.profile.as_ref();
        ensure(profile.is_none_or(|profile| ledger.profiles.contains_key(profile)), || {
            format!("key {} has profile {profile:?}, which does not exist", key.id)
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VirtualKey;
    use crate::sample::{Log, key, profile, put_key, put_profile};

    #[test]
    fn an_alias_to_nowhere_is_caught() {
        let mut log = Log::sample();
        assert_eq!(check(&log.ledger), Ok(()));
        log.ledger.providers.remove_mut("openai");
        assert!(check(&log.ledger).is_err());
    }

    #[test]
    fn a_key_of_a_missing_profile_is_caught_unless_it_is_revoked() {
        let mut log = Log::sample();
        log.done(put_profile(profile("dev")));
        log.done(put_key(VirtualKey { profile: Some("dev".to_owned()), ..key("bob", 2) }));
        assert_eq!(check(&log.ledger), Ok(()));
        log.ledger.profiles.remove_mut("dev");
        assert!(check(&log.ledger).is_err());
        log.revoke("bob");
        assert_eq!(check(&log.ledger), Ok(()));
    }
}
