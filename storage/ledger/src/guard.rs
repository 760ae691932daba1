//! What stands between a command and an object: its index, its owner.

use crate::view::{self, PATH_ACCOUNTS_MAX};
use crate::{Denial, Ledger, Narrowed, ScopeId, VirtualKey};

/// Checks `If-Match`: `Some(0)` wants no object, `Some(n)` wants one last changed at `n`.
pub(crate) fn index(wanted: Option<u64>, present: Option<u64>) -> Result<(), Denial> {
    let present = present.unwrap_or(0);
    match wanted {
        Some(wanted) if wanted != present => Err(Denial::IndexMismatch { present }),
        Some(_) | None => Ok(()),
    }
}

/// Checks that what a file owns is changed only in the name of that file.
///
/// What the API owns may be changed by anybody, and so may pass into the ownership of a file.
pub(crate) fn owner(owner: &str, asker: &str) -> Result<(), Denial> {
    if owner.starts_with("file:") && owner != asker {
        return Err(Denial::ManagedBy(owner.to_owned()));
    }
    Ok(())
}

/// Checks that every budget named here exists.
pub(crate) fn budgets_exist(
    ledger: &Ledger,
    budgets: &[String],
    narrowed: &[Narrowed],
) -> Result<(), Denial> {
    let narrowed = narrowed.iter().flat_map(|narrowed| &narrowed.budgets);
    match budgets.iter().chain(narrowed).find(|name| !ledger.budgets.contains_key(*name)) {
        Some(missing) => Err(Denial::NotFound("budget", missing.clone())),
        None => Ok(()),
    }
}

/// Checks that a scope exists.
pub(crate) fn scope_exists(ledger: &Ledger, scope: Option<&ScopeId>) -> Result<(), Denial> {
    match scope {
        Some(id) if !ledger.scopes.contains_key(id) => {
            Err(Denial::NotFound(id.kind.as_str(), id.name.clone()))
        }
        Some(_) | None => Ok(()),
    }
}

/// Checks that no living key, no scope, no selector and no profile names this budget.
pub(crate) fn budget_unused(ledger: &Ledger, name: &str) -> Result<(), Denial> {
    let names = |budgets: &[String], narrowed: &[Narrowed]| {
        let mut narrowed = narrowed.iter().flat_map(|narrowed| &narrowed.budgets);
        budgets.iter().any(|budget| budget == name) || narrowed.any(|budget| budget == name)
    };
    let keys = living_keys(ledger).filter(|key| names(&key.budgets, &key.narrowed));
    unused("key", keys.map(|key| &key.name))?;
    let scopes = ledger.scopes.values().filter(|scope| names(&scope.budgets, &scope.narrowed));
    if let Some(scope) = scopes.map(|scope| &scope.id).next() {
        return Err(Denial::InUse(scope.to_string()));
    }
    let selectors = ledger.selectors.values();
    let selectors = selectors.filter(|selector| names(&selector.budgets, &selector.narrowed));
    unused("selector", selectors.map(|selector| &selector.name))?;
    let profiles = ledger.profiles.values().filter(|profile| {
        let budgets = profile.budgets.as_deref().unwrap_or_default();
        names(budgets, profile.narrowed.as_deref().unwrap_or_default())
    });
    unused("profile", profiles.map(|profile| &profile.name))
}

/// Checks that nobody uses what is to be deleted. The first three users are named.
pub(crate) fn unused<'a>(
    kind: &str,
    mut users: impl Iterator<Item = &'a String>,
) -> Result<(), Denial> {
    let named: Vec<&str> = users.by_ref().take(3).map(String::as_str).collect();
    let more = users.count();
    let names = named.join(", ");
    match (named.len(), more) {
        (0, _) => Ok(()),
        (1, _) => Err(Denial::InUse(format!("{kind} {names}"))),
        (_, 0) => Err(Denial::InUse(format!("{kind}s {names}"))),
        (_, more) => Err(Denial::InUse(format!("{kind}s {names} and {more} more"))),
    }
}

/// Checks that no request of this key would be charged to more accounts than a path may have.
pub(crate) fn path_fits(ledger: &Ledger, key: &VirtualKey) -> Result<(), Denial> {
    let accounts = view::accounts_max(ledger, key);
    if accounts <= PATH_ACCOUNTS_MAX {
        return Ok(());
    }
    let name = &key.name;
    let reason = format!("key {name} would be charged to {accounts} accounts, 32 are allowed");
    Err(Denial::Invalid("budgets", reason))
}

/// Keys that were not revoked, in the order of their names.
pub(crate) fn living_keys(ledger: &Ledger) -> impl Iterator<Item = &VirtualKey> {
    ledger.keys_by_name.values().filter_map(|id| ledger.keys.get(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{
        Log, budget, key, profile, put_budget, put_key, put_profile, put_scope, put_selector,
        selector, team,
    };
    use crate::{Profile, Scope, Selector};

    #[test]
    fn an_index_of_zero_asks_that_nothing_is_there() {
        assert_eq!(index(Some(0), None), Ok(()));
        let denial = Err(Denial::IndexMismatch { present: 4 });
        assert_eq!(index(Some(0), Some(4)), denial);
        assert_eq!(index(Some(3), Some(4)), denial);
        assert_eq!(index(Some(4), Some(4)), Ok(()));
        assert_eq!(index(None, Some(4)), Ok(()));
    }

    #[test]
    fn what_a_file_owns_is_changed_only_in_its_name() {
        assert_eq!(owner("file:a", "file:a"), Ok(()));
        assert_eq!(owner("api:ann", "file:a"), Ok(()));
        assert_eq!(owner("file:a", "api:ann"), Err(Denial::ManagedBy("file:a".to_owned())));
        assert_eq!(owner("file:a", "file:b"), Err(Denial::ManagedBy("file:a".to_owned())));
    }

    #[test]
    fn at_most_three_users_are_named() {
        let users: Vec<String> = ["ann", "bob", "cid", "dan", "eve"].map(str::to_owned).to_vec();
        let denied = |count: usize| unused("key", users[..count].iter());
        let in_use = |say: &str| Err(Denial::InUse(say.to_owned()));
        assert_eq!(denied(0), Ok(()));
        assert_eq!(denied(1), in_use("key ann"));
        assert_eq!(denied(3), in_use("keys ann, bob, cid"));
        assert_eq!(denied(5), in_use("keys ann, bob, cid and 2 more"));
    }

    #[test]
    fn a_budget_is_in_use_wherever_it_is_named() {
        let narrowed = || Narrowed {
            provider: Some("openai".to_owned()),
            budgets: vec!["free".to_owned()],
            ..Narrowed::default()
        };
        let mut log = Log::sample();
        log.done(put_budget(budget("free", 5)));
        assert_eq!(budget_unused(&log.ledger, "free"), Ok(()));
        let in_use = |log: &Log, say: &str| {
            assert_eq!(budget_unused(&log.ledger, "free"), Err(Denial::InUse(say.to_owned())));
        };
        let mut with = log.clone();
        let profile = Profile { budgets: Some(vec!["free".to_owned()]), ..profile("dev") };
        with.done(put_profile(profile));
        in_use(&with, "profile dev");
        let mut with = log.clone();
        with.done(put_selector(Selector { narrowed: vec![narrowed()], ..selector("all", &[]) }));
        in_use(&with, "selector all");
        let mut with = log.clone();
        with.done(put_scope(Scope { budgets: vec!["free".to_owned()], ..team("ops") }));
        in_use(&with, "team ops");
        with.done(put_key(VirtualKey { narrowed: vec![narrowed()], ..key("ann", 1) }));
        in_use(&with, "key ann");
    }
}
