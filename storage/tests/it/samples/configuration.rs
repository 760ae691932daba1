//! What operators set.

use super::values::{
    NODE, alias, key, monthly, monthly_periods, price, profile, provider, scope, scope_id, sealed,
    selector, shared, text, webhook,
};
use crate::support::revoke;
use ledger::command::{
    AllocateNode, DeleteAlias, DeleteBudget, DeleteProfile, DeleteProvider, DeleteScope,
    DeleteSelector, DeleteWebhook, InitCluster, PutAlias, PutBudget, PutKey, PutProfile,
    PutProvider, PutScope, PutSelector, PutWebhook, RotateKey,
};
use ledger::{
    Budget, Command, KeyHash, Per, Profile, RateLimits, ScopeKind, StreamUsage, Unpriced,
    VirtualKey, WithoutQuorum,
};

type Named = (&'static str, Command);

pub(super) fn commands() -> Vec<Named> {
    [beginnings(), keys(), budgets(), providers(), scopes(), removals()]
        .into_iter()
        .flatten()
        .collect()
}

pub(super) fn beginnings() -> Vec<Named> {
    let allocate = |id| {
        let (uuid, label) = (text("01JD0000000000000000000000"), text("node-1"));
        Command::AllocateNode(AllocateNode { uuid, label, id })
    };
    let cluster_id = text("01JC0000000000000000000000");
    vec![
        ("init-cluster", Command::InitCluster(InitCluster { cluster_id, key_pepper: sealed(1) })),
        ("allocate-node.founder", allocate(Some(NODE))),
        ("allocate-node.joiner", allocate(None)),
    ]
}

pub(super) fn keys() -> Vec<Named> {
    let put = |key| Command::PutKey(PutKey { key, if_index: None });
    let bare = VirtualKey {
        id: text("k000000000000"),
        name: text("bare"),
        managed_by: text("api:ops"),
        ..VirtualKey::default()
    };
    vec![
        ("put-key.full", put(key())),
        ("put-key.bare", put(bare)),
        (
            "rotate-key",
            Command::RotateKey(RotateKey {
                name: text("team-a"),
                id: text("k999999999999"),
                hash: KeyHash([8; 32]),
                managed_by: text("api:ops"),
                if_index: Some(9),
            }),
        ),
        ("revoke-key", revoke("team-a")),
    ]
}

/// The first of them is monthly; the others have the names of their cases.
pub(super) fn budgets() -> Vec<Named> {
    let put =
        |budget: Budget, periods| Command::PutBudget(PutBudget { budget, if_index: None, periods });
    let strict = WithoutQuorum::Strict;
    let session = Per::Session { ttl_ms: 7_200_000 };
    vec![
        ("put-budget.monthly", put(monthly(), monthly_periods())),
        ("put-budget.prepaid", put(shared("prepaid", Per::All, strict), Vec::new())),
        ("put-budget.each", put(shared("each", Per::Key, WithoutQuorum::Open), Vec::new())),
        (
            "put-budget.user",
            put(shared("user", Per::User, WithoutQuorum::Degraded(500)), Vec::new()),
        ),
        ("put-budget.tag", put(shared("tag", Per::Tag, strict), Vec::new())),
        ("put-budget.session", put(shared("session", session, strict), Vec::new())),
    ]
}

pub(super) fn providers() -> Vec<Named> {
    let put = |unpriced, stream_usage| {
        let provider = provider(unpriced, stream_usage);
        Command::PutProvider(PutProvider { provider, if_index: Some(12) })
    };
    vec![
        ("put-provider.deny", put(Unpriced::Deny, StreamUsage::Ask)),
        ("put-provider.flat", put(Unpriced::Flat(price()), StreamUsage::Always)),
        ("put-provider.track", put(Unpriced::Track, StreamUsage::Never)),
        ("put-alias", Command::PutAlias(PutAlias { alias: alias(), if_index: None })),
    ]
}

pub(super) fn scopes() -> Vec<Named> {
    let customer = scope_id(ScopeKind::Customer, "globex");
    let team = scope_id(ScopeKind::Team, "search");
    let put = |kind, name, parent| {
        Command::PutScope(PutScope { scope: scope(kind, name, parent), if_index: None })
    };
    let bare = Profile {
        name: text("bare"),
        limits: Some(RateLimits::default()),
        managed_by: text("api:ops"),
        ..Profile::default()
    };
    let put_profile = |profile| Command::PutProfile(PutProfile { profile, if_index: Some(0) });
    vec![
        ("put-scope.customer", put(ScopeKind::Customer, "globex", None)),
        ("put-scope.team", put(ScopeKind::Team, "search", Some(customer))),
        ("put-scope.user", put(ScopeKind::User, "ann", Some(team))),
        ("put-profile.full", put_profile(profile())),
        ("put-profile.bare", put_profile(bare)),
        (
            "put-selector",
            Command::PutSelector(PutSelector { selector: selector(), if_index: Some(0) }),
        ),
        ("put-webhook", Command::PutWebhook(PutWebhook { webhook: webhook(), if_index: Some(0) })),
    ]
}

fn removals() -> Vec<Named> {
    let (name, managed_by, if_index) = (text("acme"), text("api:ops"), Some(9));
    macro_rules! delete {
        ($command:ident) => {
            Command::$command($command {
                name: name.clone(),
                managed_by: managed_by.clone(),
                if_index,
            })
        };
    }
    let id = scope_id(ScopeKind::Team, "search");
    let scope = DeleteScope { id, managed_by: managed_by.clone(), if_index };
    vec![
        ("delete-budget", delete!(DeleteBudget)),
        ("delete-provider", delete!(DeleteProvider)),
        ("delete-alias", delete!(DeleteAlias)),
        ("delete-selector", delete!(DeleteSelector)),
        ("delete-profile", delete!(DeleteProfile)),
        ("delete-webhook", delete!(DeleteWebhook)),
        ("delete-scope", Command::DeleteScope(scope)),
    ]
}
