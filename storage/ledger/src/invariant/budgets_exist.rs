//! Every budget named by a living key, a scope, a selector or a profile exists: a request is never
//! charged to nothing.

use super::ensure;
use crate::{Ledger, Narrowed};

/// Looks up the budgets of everything that names some.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    for (id, key) in &ledger.keys {
        if key.revoked_at.is_none() {
            all_exist(ledger, &format!("key {id}"), &key.budgets, &key.narrowed)?;
        }
    }
    for (id, scope) in &ledger.scopes {
        all_exist(ledger, &id.to_string(), &scope.budgets, &scope.narrowed)?;
    }
    for (name, selector) in &ledger.selectors {
        all_exist(ledger, &format!("selector {name}"), &selector.budgets, &selector.narrowed)?;
    }
    for (name, profile) in &ledger.profiles {
        let budgets = profile.budgets.as_deref().unwrap_or_default();
        let narrowed = profile.narrowed.as_deref().unwrap_or_default();
        all_exist(ledger, &format!("profile {name}"), budgets, narrowed)?;
    }
    Ok(())
}

fn all_exist(
    ledger: &Ledger,
    who: &str,
    budgets: &[String],
    narrowed: &[Narrowed],
) -> Result<(), String> {
    for name in budgets.iter().chain(narrowed.iter().flat_map(|narrowed| &narrowed.budgets)) {
        ensure(ledger.budgets.contains_key(name), || {
            format!("{who} names budget {name}, which does not exist")
        })?;
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
}
