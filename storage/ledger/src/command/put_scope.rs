//! Creates or replaces a customer, a team or a user.

use super::At;
use crate::view::scopes_of;
use crate::{Change, Denial, Ledger, Scope, guard, valid};

/// Creates or replaces a customer, a team or a user.
///
/// Its parent is of a kind above and exists, so nothing belongs to itself by any way around. Its budgets
/// exist. No key below it may come to be charged to more accounts than a path may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutScope {
    /// The scope as it shall be. `created_at` and `changed_index` are set by the ledger.
    pub scope: Scope,
    /// Log index of the change it replaces; `Some(0)`: there must be none.
    pub if_index: Option<u64>,
}

impl PutScope {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let present = ledger.scopes.get(&self.scope.id);
        guard::index(self.if_index, present.map(|present| present.changed_index))?;
        let mut scope = self.scope.clone();
        scope.created_at = at.at;
        if let Some(present) = present {
            guard::owner(&present.managed_by, &scope.managed_by)?;
            scope.created_at = present.created_at;
            scope.changed_index = present.changed_index;
            if scope == *present {
                return Ok(Vec::new());
            }
        }
        valid::scope(&scope)?;
        guard::scope_exists(ledger, scope.parent.as_ref())?;
        guard::budgets_exist(ledger, &scope.budgets, &scope.narrowed)?;
        scope.changed_index = at.index;
        let mut after = ledger.clone();
        after.scopes.insert_mut(scope.id.clone(), scope);
        for key in guard::living_keys(&after) {
            if scopes_of(&after, key).iter().any(|above| above.id == self.scope.id) {
                guard::path_fits(&after, key)?;
            }
        }
        *ledger = after;
        Ok(at.config_changed(ledger))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;
    use crate::sample::{Log, budget, key, put_budget, put_key, put_scope, scope, team};
    use crate::{ScopeKind, UnixMillis, VirtualKey};

    fn child(of: &Scope, kind: ScopeKind, name: &str) -> Scope {
        Scope { parent: Some(of.id.clone()), ..scope(kind, name) }
    }

    #[test]
    fn a_scope_belongs_to_one_of_a_kind_above_that_exists() {
        let acme = scope(ScopeKind::Customer, "acme");
        let ops = child(&acme, ScopeKind::Team, "ops");
        let mut log = Log::sample();
        let missing = Denial::NotFound("customer", "acme".to_owned());
        assert_eq!(log.denied(put_scope(ops.clone())), missing);
        log.done(put_scope(acme.clone()));
        log.done(put_scope(ops.clone()));
        log.done(put_scope(child(&ops, ScopeKind::User, "ann")));
        log.done(put_scope(child(&acme, ScopeKind::User, "bob")));
        for (parent, kind) in [(&ops, ScopeKind::Team), (&ops, ScopeKind::Customer)] {
            let denial = log.denied(put_scope(child(parent, kind, "odd")));
            assert!(matches!(denial, Denial::Invalid("parent", _)), "{denial:?}");
        }
    }

    #[test]
    fn a_scope_put_again_unchanged_keeps_its_index_and_birth() {
        let mut log = Log::sample();
        log.now_ms = 7;
        log.done(put_scope(team("ops")));
        let made = log.ledger.scopes[&team("ops").id].clone();
        assert_eq!(made.created_at, UnixMillis(7));
        log.now_ms = 9;
        assert_eq!(log.done(put_scope(team("ops"))), []);
        assert_eq!(log.ledger.scopes[&team("ops").id], made);
        let limited = Scope { budgets: vec!["team".to_owned()], ..team("ops") };
        assert_eq!(log.done(put_scope(limited)), [Change::Config]);
        let after = &log.ledger.scopes[&team("ops").id];
        assert_eq!(
            (after.created_at, after.changed_index),
            (UnixMillis(7), log.ledger.applied_index)
        );
    }

    #[test]
    fn an_index_or_a_file_can_guard_a_scope() {
        let mut log = Log::sample();
        let owned = Scope { managed_by: "file:a".to_owned(), ..team("ops") };
        let put = PutScope { scope: owned, if_index: Some(3) };
        let mismatch = Denial::IndexMismatch { present: 0 };
        assert_eq!(log.denied(Command::PutScope(put.clone())), mismatch);
        log.done(Command::PutScope(PutScope { if_index: Some(0), ..put }));
        let owner = Denial::ManagedBy("file:a".to_owned());
        assert_eq!(log.denied(put_scope(team("ops"))), owner);
    }

    #[test]
    fn budgets_of_a_scope_exist_and_leave_no_key_below_with_too_many_accounts() {
        let mut log = Log::sample();
        log.done(put_scope(scope(ScopeKind::Customer, "acme")));
        log.done(put_scope(child(&scope(ScopeKind::Customer, "acme"), ScopeKind::Team, "ops")));
        let mine = VirtualKey { scope: Some(team("ops").id), ..key("ann", 1) };
        log.done(put_key(mine));
        let names: Vec<String> = (0..32).map(|n| format!("b{n}")).collect();
        let with = |names: &[String]| Scope {
            budgets: names.to_vec(),
            ..scope(ScopeKind::Customer, "acme")
        };
        let missing = Denial::NotFound("budget", "b0".to_owned());
        assert_eq!(log.denied(put_scope(with(&names[..1]))), missing);
        for name in &names {
            log.done(put_budget(budget(name, 5)));
        }
        let ops = child(&scope(ScopeKind::Customer, "acme"), ScopeKind::Team, "ops");
        log.done(put_scope(Scope { budgets: names[..16].to_vec(), ..ops }));
        let reason = "key ann would be charged to 33 accounts, 32 are allowed".to_owned();
        let denial = log.denied(put_scope(with(&names[16..])));
        assert_eq!(denial, Denial::Invalid("budgets", reason));
        log.done(put_scope(with(&names[17..])));
    }
}
