//! Deletes a scope that no living key and no other scope names.

use super::At;
use crate::{Change, Denial, Ledger, ScopeId, ScopeKind, guard, instance};

/// Deletes a scope that no living key and no other scope names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteScope {
    /// The scope.
    pub id: ScopeId,
    /// Who asks; what a file owns is deleted only in its name.
    pub managed_by: String,
    /// Log index of the change it follows.
    pub if_index: Option<u64>,
}

impl DeleteScope {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let Some(present) = ledger.scopes.get(&self.id) else {
            return Err(Denial::NotFound(self.id.kind.as_str(), self.id.name.clone()));
        };
        guard::index(self.if_index, Some(present.changed_index))?;
        guard::owner(&present.managed_by, &self.managed_by)?;
        let keys = guard::living_keys(ledger).filter(|key| key.scope.as_ref() == Some(&self.id));
        guard::unused("key", keys.map(|key| &key.name))?;
        let mut scopes = ledger.scopes.values();
        if let Some(child) = scopes.find(|scope| scope.parent.as_ref() == Some(&self.id)) {
            return Err(Denial::InUse(child.id.to_string()));
        }
        if self.id.kind == ScopeKind::User {
            instance::close_of_user(ledger, at.at, &self.id.name);
        }
        ledger.scopes.remove_mut(&self.id);
        Ok(at.config_changed(ledger))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;
    use crate::sample::{Log, key, put_key, put_scope, scope, team};
    use crate::{Scope, ScopeKind, VirtualKey};

    fn delete(id: &ScopeId) -> Command {
        Command::DeleteScope(DeleteScope {
            id: id.clone(),
            managed_by: "api:ann".to_owned(),
            if_index: None,
        })
    }

    #[test]
    fn a_team_with_living_keys_is_not_deleted() {
        let mut log = Log::sample();
        let ops = team("ops").id;
        assert_eq!(log.denied(delete(&ops)), Denial::NotFound("team", "ops".to_owned()));
        log.done(put_scope(team("ops")));
        for (name, seed) in [("bob", 2), ("cid", 3)] {
            log.done(put_key(VirtualKey { scope: Some(ops.clone()), ..key(name, seed) }));
        }
        assert_eq!(log.denied(delete(&ops)), Denial::InUse("keys bob, cid".to_owned()));
        log.revoke("bob");
        assert_eq!(log.denied(delete(&ops)), Denial::InUse("key cid".to_owned()));
        log.done(put_key(key("cid", 3)));
        assert_eq!(log.done(delete(&ops)), [Change::Config]);
        assert!(log.ledger.scopes.is_empty());
    }

    #[test]
    fn a_customer_with_teams_or_of_a_file_is_not_deleted() {
        let mut log = Log::sample();
        let owned = Scope { managed_by: "file:a".to_owned(), ..scope(ScopeKind::Customer, "acme") };
        log.done(put_scope(owned.clone()));
        assert_eq!(log.denied(delete(&owned.id)), Denial::ManagedBy("file:a".to_owned()));
        let acme = scope(ScopeKind::Customer, "acme2");
        log.done(put_scope(acme.clone()));
        log.done(put_scope(Scope { parent: Some(acme.id.clone()), ..team("ops") }));
        assert_eq!(log.denied(delete(&acme.id)), Denial::InUse("team ops".to_owned()));
    }
}
