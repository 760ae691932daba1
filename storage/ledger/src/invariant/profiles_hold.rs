//! What a profile says, its keys say, and no key is charged to more accounts than a path may have.

use super::ensure;
use crate::{Ledger, guard};

/// Compares every living key with its profile, and counts the accounts above it.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    for key in ledger.keys.values().filter(|key| key.revoked_at.is_none()) {
        guard::path_fits(ledger, key).map_err(|denial| format!("{denial:?}"))?;
        let Some(profile) = key.profile.as_ref().and_then(|name| ledger.profiles.get(name)) else {
            continue;
        };
        let mut imposed = key.clone();
        profile.impose_on(&mut imposed);
        ensure(imposed == *key, || {
            format!("key {} says something else than profile {}", key.id, profile.name)
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Log, budget, key, profile, put_budget, put_key, put_profile};
    use crate::{Profile, VirtualKey};

    #[test]
    fn a_key_that_left_its_profile_or_is_charged_too_often_is_caught() {
        let mut log = Log::sample();
        let tags = Some(vec!["nightly".to_owned()]);
        log.done(put_profile(Profile { tags, ..profile("dev") }));
        log.done(put_key(VirtualKey { profile: Some("dev".to_owned()), ..key("bob", 2) }));
        let names: Vec<String> = (0..33).map(|n| format!("b{n}")).collect();
        for name in &names {
            log.done(put_budget(budget(name, 5)));
        }
        assert_eq!(check(&log.ledger), Ok(()));
        let mut left = log.ledger.clone();
        left.keys.get_mut("id2").unwrap().tags.clear();
        assert!(check(&left).is_err());
        let mut charged = log.ledger.clone();
        charged.keys.get_mut("id1").unwrap().budgets = names;
        assert!(check(&charged).is_err());
    }
}
