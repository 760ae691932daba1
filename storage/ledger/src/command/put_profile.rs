//! Creates or replaces a profile, by name, and applies it to its keys.

use super::At;
use crate::{Change, Denial, Ledger, Profile, VirtualKey, guard, valid};

/// Creates or replaces a profile, by name, and applies it to its keys, whoever owns them.
///
/// A field it no longer owns stays on its keys as it is. Revoked keys are left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutProfile {
    /// The profile as it shall be. `changed_index` is set by the ledger.
    pub profile: Profile,
    /// Log index of the change it replaces; `Some(0)`: there must be none.
    pub if_index: Option<u64>,
}

impl PutProfile {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let present = ledger.profiles.get(&self.profile.name);
        guard::index(self.if_index, present.map(|present| present.changed_index))?;
        let mut profile = self.profile.clone();
        if let Some(present) = present {
            guard::owner(&present.managed_by, &profile.managed_by)?;
            profile.changed_index = present.changed_index;
            if profile == *present {
                return Ok(Vec::new());
            }
        }
        valid::profile(&profile)?;
        let budgets = profile.budgets.as_deref().unwrap_or_default();
        let narrowed = profile.narrowed.as_deref().unwrap_or_default();
        guard::budgets_exist(ledger, budgets, narrowed)?;
        profile.changed_index = at.index;
        let keys = reapplied(ledger, &profile, at)?;
        for key in keys {
            ledger.keys.insert_mut(key.id.clone(), key);
        }
        ledger.profiles.insert_mut(profile.name.clone(), profile);
        Ok(at.config_changed(ledger))
    }
}

/// The keys of a profile that it changes, changed.
fn reapplied(ledger: &Ledger, profile: &Profile, at: At) -> Result<Vec<VirtualKey>, Denial> {
    let mut changed = Vec::new();
    for present in guard::living_keys(ledger) {
        if present.profile.as_ref() != Some(&profile.name) {
            continue;
        }
        let mut key = present.clone();
        profile.impose_on(&mut key);
        if key == *present {
            continue;
        }
        guard::path_fits(ledger, &key)?;
        key.changed_index = at.index;
        changed.push(key);
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;
    use crate::sample::{Log, budget, key, profile, put_budget, put_key, put_profile};
    use crate::{Allow, RateLimits};

    fn limits(per_minute: u64) -> Option<RateLimits> {
        Some(RateLimits { requests_per_minute: Some(per_minute), ..RateLimits::default() })
    }

    fn dev(seed: u8) -> VirtualKey {
        VirtualKey { profile: Some("dev".to_owned()), ..key(&format!("key{seed}"), seed) }
    }

    #[test]
    fn keys_of_a_profile_have_what_it_says_now_and_keep_the_rest() {
        let mut log = Log::sample();
        log.done(put_profile(Profile { limits: limits(5), ..profile("dev") }));
        log.done(put_key(dev(2)));
        let mut owned = dev(3);
        owned.managed_by = "file:a".to_owned();
        owned.enabled = false;
        log.done(put_key(owned));
        log.done(put_key(dev(4)));
        log.revoke("key4");
        let revoked = log.ledger.keys["id4"].clone();
        let only = Some(Allow::Only(vec!["gpt-4o".to_owned()]));
        let changed = Profile { limits: limits(9), models: only.clone(), ..profile("dev") };
        assert_eq!(log.done(put_profile(changed.clone())), [Change::Config]);
        for id in ["id2", "id3"] {
            let key = &log.ledger.keys[id];
            assert_eq!((Some(key.limits), Some(&key.models)), (limits(9), only.as_ref()));
            assert_eq!(key.changed_index, log.ledger.applied_index);
            assert_eq!((key.enabled, key.budgets.len()), (id == "id2", 1));
        }
        assert_eq!(log.ledger.keys["id4"], revoked);
        assert_eq!(log.ledger.keys["id1"].limits, RateLimits::default());
        assert_eq!(log.done(put_profile(changed)), []);
    }

    #[test]
    fn a_field_a_profile_gives_up_stays_and_may_be_changed() {
        let mut log = Log::sample();
        log.done(put_profile(Profile { limits: limits(5), ..profile("dev") }));
        log.done(put_key(dev(2)));
        log.done(put_profile(profile("dev")));
        assert_eq!(Some(log.ledger.keys["id2"].limits), limits(5));
        let mut free = dev(2);
        free.limits = RateLimits::default();
        log.done(put_key(free));
        assert_eq!(log.ledger.keys["id2"].limits, RateLimits::default());
    }

    #[test]
    fn a_profile_that_would_lead_a_key_too_far_changes_no_key() {
        let mut log = Log::sample();
        let names: Vec<String> = (0..16).map(|n| format!("b{n}")).collect();
        let narrowed = |from: usize| crate::Narrowed {
            provider: Some(format!("p{from}")),
            budgets: names[from..from + 8].to_vec(),
            ..crate::Narrowed::default()
        };
        let windows = [1_000, 2_000, 3_000]
            .map(|ms| crate::BudgetWindow { window: crate::Window::Fixed(ms), limit: 5 });
        for name in &names {
            let windows = windows.to_vec();
            log.done(put_budget(crate::Budget { windows, ..budget(name, 5) }));
        }
        log.done(put_profile(profile("dev")));
        log.done(put_key(dev(2)));
        log.done(put_profile(Profile { narrowed: Some(vec![narrowed(0)]), ..profile("dev") }));
        let both = Some(vec![narrowed(0), narrowed(8)]);
        let denial = log.denied(put_profile(Profile { narrowed: both, ..profile("dev") }));
        assert!(matches!(denial, Denial::Invalid("budgets", _)), "{denial:?}");
    }

    #[test]
    fn an_index_or_a_file_can_guard_a_profile() {
        let mut log = Log::sample();
        let owned = Profile { managed_by: "file:a".to_owned(), ..profile("dev") };
        log.done(put_profile(owned.clone()));
        let owner = Denial::ManagedBy("file:a".to_owned());
        assert_eq!(log.denied(put_profile(profile("dev"))), owner);
        let put = PutProfile { profile: owned, if_index: Some(0) };
        let present = log.ledger.profiles["dev"].changed_index;
        let denial = log.denied(Command::PutProfile(put));
        assert_eq!(denial, Denial::IndexMismatch { present });
    }
}
