//! A living key has the profile it names, and every field that is the profile's.

use super::ensure;
use crate::Ledger;

/// Imposes each profile anew and looks for keys it changes.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    for key in ledger.keys.values().filter(|key| key.revoked_at.is_none()) {
        let Some(name) = &key.profile else {
            continue;
        };
        let Some(profile) = ledger.profiles.get(name) else {
            return Err(format!("key {} has profile {name}, which does not exist", key.id));
        };
        let mut imposed = key.clone();
        profile.impose_on(&mut imposed);
        ensure(imposed == *key, || format!("key {} is not as its profile {name} says", key.id))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;
    use crate::sample::{Log, profile};

    #[test]
    fn a_key_that_is_not_as_its_profile_says_is_caught() {
        let mut log = Log::sample();
        let tags = Some(vec!["dev".to_owned()]);
        let dev = Profile { tags, ..profile("dev") };
        log.ledger.profiles.insert_mut("dev".to_owned(), dev);
        let key = log.ledger.keys.get_mut("id1").unwrap();
        key.profile = Some("dev".to_owned());
        assert!(check(&log.ledger).is_err());
        log.ledger.keys.get_mut("id1").unwrap().tags = vec!["dev".to_owned()];
        assert_eq!(check(&log.ledger), Ok(()));
        log.ledger.profiles.remove_mut("dev");
        assert!(check(&log.ledger).is_err());
    }
}
