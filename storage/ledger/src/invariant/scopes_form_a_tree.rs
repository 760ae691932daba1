//! Whoever a key or a scope belongs to exists, and is of a kind above: there are no circles.

use super::ensure;
use crate::Ledger;

/// Looks up the parent of every scope and the scope of every living key.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    for (id, scope) in &ledger.scopes {
        let Some(parent) = &scope.parent else {
            continue;
        };
        ensure(parent.kind < id.kind && ledger.scopes.contains_key(parent), || {
            format!("{id} belongs to {parent}, which is not above or not there")
        })?;
    }
    for key in ledger.keys.values().filter(|key| key.revoked_at.is_none()) {
        let Some(scope) = &key.scope else {
            continue;
        };
        ensure(ledger.scopes.contains_key(scope), || {
            format!("key {} belongs to {scope}, which is not there", key.id)
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Log, team};
    use crate::{Scope, ScopeId, ScopeKind};

    #[test]
    fn who_belongs_to_nobody_known_or_in_a_circle_is_caught() {
        let ops = team("ops").id;
        let nobody = ScopeId { kind: ScopeKind::Customer, name: "nobody".to_owned() };
        for parent in [ops.clone(), nobody.clone()] {
            let mut log = Log::sample();
            let scope = Scope { parent: Some(parent), ..team("ops") };
            log.ledger.scopes.insert_mut(ops.clone(), scope);
            assert!(check(&log.ledger).is_err());
        }
        let mut log = Log::sample();
        log.ledger.keys.get_mut("id1").unwrap().scope = Some(nobody);
        assert!(check(&log.ledger).is_err());
        log.revoke("ann");
        assert_eq!(check(&log.ledger), Ok(()));
    }
}
