//! Every budget that something names exists: a request is never charged to nothing.

use super::ensure;
use crate::{Ledger, Narrowed};

/// Looks up the budgets of every living key, scope, selector and profile, and those of their terms of
/// single providers and models.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    let exist = |who: &dyn Fn() -> String, budgets: &[String], narrowed: &[Narrowed]| {
        let narrowed = narrowed.iter().flat_map(|narrowed| &narrowed.budgets);
        let mut names = budgets.iter().chain(narrowed);
        let missing = names.find(|name| !ledger.budgets.contains_key(*name));
        ensure(missing.is_none(), || format!("{} names budget {missing:?}, which is none", who()))
    };
    for key in ledger.keys.values().filter(|key| key.revoked_at.is_none()) {
        exist(&|| format!("key {}", key.id), &key.budgets, &key.narrowed)?;
    }
    for scope in ledger.scopes.values() {
        exist(&|| scope.id.to_string(), &scope.budgets, &scope.narrowed)?;
    }
    for selector in ledger.selectors.values() {
        let who = || format!("selector {}", selector.name);
        exist(&who, &selector.budgets, &selector.narrowed)?;
    }
    for profile in ledger.profiles.values() {
        let budgets = profile.budgets.as_deref().unwrap_or_default();
        let narrowed = profile.narrowed.as_deref().unwrap_or_default();
        exist(&|| format!("profile {}", profile.name), budgets, narrowed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Log, profile, put_profile, put_scope, put_selector, selector, team};
    use crate::{Profile, Scope, Selector};

    #[test]
    fn a_key_on_a_missing_budget_is_caught_unless_it_is_revoked() {
        let mut log = Log::sample();
        assert_eq!(check(&log.ledger), Ok(()));
        log.ledger.budgets.remove_mut("team");
        assert!(check(&log.ledger).is_err());
        log.revoke("ann");
        assert_eq!(check(&log.ledger), Ok(()));
    }

    #[test]
    fn a_scope_a_selector_or_a_profile_on_a_missing_budget_is_caught() {
        let budgets = vec!["team".to_owned()];
        let narrowed = Narrowed {
            provider: Some("openai".to_owned()),
            budgets: budgets.clone(),
            ..Narrowed::default()
        };
        for put in [
            put_scope(Scope { budgets: budgets.clone(), ..team("ops") }),
            put_selector(Selector { narrowed: vec![narrowed], ..selector("all", &[]) }),
            put_profile(Profile { budgets: Some(budgets.clone()), ..profile("dev") }),
        ] {
            let mut log = Log::sample();
            log.done(put);
            log.revoke("ann");
            assert_eq!(check(&log.ledger), Ok(()));
            log.ledger.budgets.remove_mut("team");
            assert!(check(&log.ledger).is_err());
        }
    }

    #[test]
    fn whatever_else_names_a_missing_budget_is_caught() {
        let lost = || vec!["lost".to_owned()];
        let breaks: [&dyn Fn(&mut Ledger); 4] = [
            &|ledger| {
                let narrowed = Narrowed { budgets: lost(), ..Narrowed::default() };
                ledger.keys.get_mut("id1").unwrap().narrowed.push(narrowed);
            },
            &|ledger| {
                let ops = Scope { budgets: lost(), ..team("ops") };
                ledger.scopes.insert_mut(ops.id.clone(), ops);
            },
            &|ledger| {
                let all = Selector { budgets: lost(), ..selector("all", &[]) };
                ledger.selectors.insert_mut(all.name.clone(), all);
            },
            &|ledger| {
                let dev = Profile { budgets: Some(lost()), ..profile("dev") };
                ledger.profiles.insert_mut(dev.name.clone(), dev);
            },
        ];
        for broken in breaks {
            let mut log = Log::sample();
            broken(&mut log.ledger);
            assert!(check(&log.ledger).is_err());
        }
    }
}
