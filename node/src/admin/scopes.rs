//! Customers, teams and users.

use super::Node;
use super::resource::{Farewell, Kept, Wish};
use super::terms::{limits_in, limits_out, narrowed_in, narrowed_out, owner_in, owner_out};
use api::admin::v1::scopes::{self, Customers, ScopeSettings, Teams, Users};
use api::admin::{Answer, Resource, Timestamp};
use ledger::command::{Command, DeleteScope, PutScope};
use ledger::{Ledger, Scope, ScopeId, ScopeKind, UnixMillis};

/// The three kinds are kept in one map, and differ in nothing else here.
macro_rules! kept_scopes {
    ($($kind:ident: $scope_kind:path,)*) => {$(
        impl Kept for $kind {
            type Stored = Scope;

            fn all(ledger: &Ledger) -> impl Iterator<Item = &Scope> {
                ledger.scopes.values().filter(|scope| scope.id.kind == $scope_kind)
            }

            fn stored<'l>(ledger: &'l Ledger, name: &str) -> Option<&'l Scope> {
                ledger.scopes.get(&ScopeId { kind: $scope_kind, name: name.to_owned() })
            }

            fn name_of(scope: &Scope) -> &str {
                &scope.id.name
            }

            fn shown(_: &Ledger, scope: &Scope) -> scopes::Scope {
                shown(scope)
            }

            fn put(_: &Node, wish: Wish<Self>) -> Answer<Command> {
                put($scope_kind, wish)
            }

            fn delete(farewell: Farewell) -> Command {
                let Farewell { name, managed_by, if_index } = farewell;
                let id = ScopeId { kind: $scope_kind, name };
                Command::DeleteScope(DeleteScope { id, managed_by, if_index })
            }
        }
    )*};
}

kept_scopes! {
    Customers: ScopeKind::Customer,
    Teams: ScopeKind::Team,
    Users: ScopeKind::User,
}

fn put<R: Resource<Settings = ScopeSettings>>(kind: ScopeKind, wish: Wish<R>) -> Answer<Command> {
    let settings = wish.settings;
    let scope = Scope {
        id: ScopeId { kind, name: wish.name },
        parent: owner_in(settings.owner()?),
        budgets: settings.budgets,
        limits: limits_in(settings.limits),
        narrowed: narrowed_in(settings.narrowed),
        labels: settings.labels,
        managed_by: wish.managed_by,
        created_at: UnixMillis::default(),
        changed_index: 0,
    };
    Ok(Command::PutScope(PutScope { scope, if_index: wish.if_index }))
}

fn shown(scope: &Scope) -> scopes::Scope {
    scopes::Scope {
        name: scope.id.name.clone(),
        customer: owner_out(scope.parent.as_ref(), ScopeKind::Customer),
        team: owner_out(scope.parent.as_ref(), ScopeKind::Team),
        budgets: scope.budgets.clone(),
        limits: limits_out(scope.limits),
        narrowed: narrowed_out(&scope.narrowed),
        labels: scope.labels.clone(),
        managed_by: scope.managed_by.clone(),
        created_at: Timestamp(scope.created_at.0),
        changed_index: scope.changed_index,
    }
}
