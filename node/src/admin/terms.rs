//! What keys, scopes, selectors and profiles have in common, both ways.

use api::admin::v1::terms::{All, Allowed, Limits, Narrowed, Owner};
use ledger::{Allow, RateLimits, ScopeId, ScopeKind};

pub(super) fn limits_in(limits: Limits) -> RateLimits {
    RateLimits {
        requests_per_minute: limits.requests_per_minute,
        tokens_per_minute: limits.tokens_per_minute,
        concurrent_requests: limits.concurrent_requests,
    }
}

pub(super) fn limits_out(limits: RateLimits) -> Limits {
    Limits {
        requests_per_minute: limits.requests_per_minute,
        tokens_per_minute: limits.tokens_per_minute,
        concurrent_requests: limits.concurrent_requests,
    }
}

pub(super) fn narrowed_in(narrowed: Vec<Narrowed>) -> Vec<ledger::Narrowed> {
    let terms = narrowed.into_iter().map(|terms| ledger::Narrowed {
        provider: terms.provider,
        model: terms.model,
        budgets: terms.budgets,
        limits: limits_in(terms.limits),
    });
    terms.collect()
}

pub(super) fn narrowed_out(narrowed: &[ledger::Narrowed]) -> Vec<Narrowed> {
    let terms = narrowed.iter().map(|terms| Narrowed {
        provider: terms.provider.clone(),
        model: terms.model.clone(),
        budgets: terms.budgets.clone(),
        limits: limits_out(terms.limits),
    });
    terms.collect()
}

pub(super) fn allowed_in(allowed: Allowed) -> Allow {
    match allowed {
        Allowed::All(All::All) => Allow::All,
        Allowed::Only(names) => Allow::Only(names),
    }
}

pub(super) fn allowed_out(allow: &Allow) -> Allowed {
    match allow {
        Allow::All => Allowed::All(All::All),
        Allow::Only(names) => Allowed::Only(names.clone()),
    }
}

pub(super) fn owner_in(owner: Option<Owner<'_>>) -> Option<ScopeId> {
    let (kind, name) = match owner? {
        Owner::Customer(name) => (ScopeKind::Customer, name),
        Owner::Team(name) => (ScopeKind::Team, name),
        Owner::User(name) => (ScopeKind::User, name),
    };
    Some(ScopeId { kind, name: name.to_owned() })
}

/// The name, where it belongs to something of that kind.
pub(super) fn owner_out(owner: Option<&ScopeId>, kind: ScopeKind) -> Option<String> {
    owner.filter(|owner| owner.kind == kind).map(|owner| owner.name.clone())
}
