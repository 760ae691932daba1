//! Every provider an alias names exists, and so does what a key or a scope belongs to.

use super::ensure;
use crate::{Ledger, ScopeId};

/// Looks up the providers of every alias, the scope and the profile of every living key, and the parent
/// of every scope, which is of a kind above.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    for (name, alias) in &ledger.aliases {
        for target in &alias.targets {
            ensure(ledger.providers.contains_key(&target.provider), || {
                let provider = &target.provider;
                format!("alias {name} names provider {provider}, which does not exist")
            })?;
        }
    }
    for (id, scope) in &ledger.scopes {
        belongs(ledger, &id.to_string(), scope.parent.as_ref())?;
        let above = scope.parent.as_ref().is_none_or(|parent| parent.kind < id.kind);
        ensure(above, || format!("{id} belongs to a scope of no kind above"))?;
    }
    for key in ledger.keys.values().filter(|key| key.revoked_at.is_none()) {
        belongs(ledger, &format!("key {}", key.id), key.scope.as_ref())?;
        let profile = key.profile.as_ref();
        ensure(profile.is_none_or(|profile| ledger.profiles.contains_key(profile)), || {
            format!("key {} has profile {profile:?}, which does not exist", key.id)
        })?;
    }
    Ok(())
}

fn belongs(ledger: &Ledger, who: &str, to: Option<&ScopeId>) -> Result<(), String> {
    ensure(to.is_none_or(|to| ledger.scopes.contains_key(to)), || {
        format!("{who} belongs to {to:?}, which does not exist")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Log, key, profile, put_key, put_profile, put_scope, scope, team};
    use crate::{Scope, ScopeKind, VirtualKey};

    #[test]
    fn an_alias_to_nowhere_is_caught() {
        let mut log = Log::sample();
        assert_eq!(check(&log.ledger), Ok(()));
        log.ledger.providers.remove_mut("openai");
        assert!(check(&log.ledger).is_err());
    }

    #[test]
    fn what_belongs_to_nothing_or_to_its_like_is_caught() {
        let mut log = Log::sample();
        let acme = scope(ScopeKind::Customer, "acme");
        log.done(put_scope(acme.clone()));
        let ops = Scope { parent: Some(acme.id.clone()), ..team("ops") };
        log.done(put_scope(ops.clone()));
        log.done(put_profile(profile("dev")));
        let (scope, profile) = (Some(ops.id.clone()), Some("dev".to_owned()));
        log.done(put_key(VirtualKey { scope, profile, ..key("bob", 2) }));
        assert_eq!(check(&log.ledger), Ok(()));
        let breaks: [fn(&mut Ledger); 4] = [
            |ledger| assert!(ledger.scopes.remove_mut(&scope_id(ScopeKind::Customer, "acme"))),
            |ledger| assert!(ledger.scopes.remove_mut(&scope_id(ScopeKind::Team, "ops"))),
            |ledger| assert!(ledger.profiles.remove_mut("dev")),
            |ledger| {
                let ops = scope_id(ScopeKind::Team, "ops");
                ledger.scopes.get_mut(&ops).unwrap().parent = Some(ops.clone());
            },
        ];
        for broken in breaks {
            let mut ledger = log.ledger.clone();
            broken(&mut ledger);
            assert!(check(&ledger).is_err());
        }
    }

    fn scope_id(kind: ScopeKind, name: &str) -> ScopeId {
        ScopeId { kind, name: name.to_owned() }
    }
}
