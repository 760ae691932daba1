//! What is a request charged to and limited by?
//!
//! The answer depends on whom and what, not on when: it is worked out when terms are prepared, and again
//! when [`Ledger::config_index`] has moved.

use super::source::{lineage, sources_of};
use crate::{
    AccountId, Budget, Ledger, Mode, Per, RateLimits, Step, Unit, UnixMillis, VirtualKey, Window,
    WithoutQuorum,
};
use std::collections::{BTreeMap, BTreeSet};

/// Most accounts one request should be charged to. Puts that would lead a key past it are denied; tags and
/// sessions, which only the request brings, may still pass it, and such a request is to be refused.
pub const PATH_ACCOUNTS_MAX: usize = 32;

/// What a request asks for, as far as it matters to what it is charged to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// Provider it goes to, by name.
    pub provider: &'a str,
    /// Model, as the provider lists it.
    pub model: &'a str,
    /// Session or run it names.
    pub session: Option<&'a str>,
    /// Tags it brings; those of its key count besides.
    pub tags: &'a [String],
}

/// What a request is charged to and limited by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathTerms {
    /// Accounts, ordered by id, each once.
    pub accounts: Vec<AccountTerms>,
    /// Rates and concurrency, the key's own first, then those of its scopes from the user up, then those of
    /// selectors.
    pub limits: Vec<LimitTerms>,
    /// Instances to be opened before the request may go on, each once.
    pub missing: Vec<Missing>,
}

/// One account a request is charged to, and on which terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountTerms {
    /// The account.
    pub account: AccountId,
    /// The period that admits.
    pub period: u64,
    /// What it counts.
    pub unit: Unit,
    /// What happens at the limit.
    pub mode: Mode,
    /// Limit of the period, in `unit`.
    pub limit: i64,
    /// End of the period: the budget starts anew. `None`: never.
    pub ends_at: Option<UnixMillis>,
    /// Name of the budget.
    pub budget: String,
    /// Whom the account is for; empty: all.
    pub subject: String,
    /// Window of the budget.
    pub window: Window,
    /// What a node may do that cannot ask.
    pub without_quorum: WithoutQuorum,
    /// What happens before the limit, rising by share.
    pub steps: Vec<Step>,
}

/// Limits that are shared by all requests they are found for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitTerms {
    /// Whose: `key:<id>`, `user:<name>`, `team:<name>`, `customer:<name>`, `selector:<name>`; of a single
    /// provider or model, a slash and [`Narrowed::place`] behind it.
    pub id: String,
    /// Rates and concurrency; some is set.
    pub limits: RateLimits,
}

/// An instance nobody has opened yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// Name of the budget.
    pub budget: String,
    /// Whom it is for.
    pub subject: String,
}

/// What a request of this key is charged to and limited by.
pub fn path_of(ledger: &Ledger, key: &VirtualKey, asked: &Asked<'_>) -> PathTerms {
    let sources = sources_of(ledger, key);
    let mut budgets = BTreeSet::new();
    let mut limits = Vec::new();
    for source in &sources {
        budgets.extend(source.budgets);
        push_limits(&mut limits, || source.id.clone(), source.limits);
        let narrowed = source.narrowed.iter();
        for narrowed in narrowed.filter(|it| it.matches(asked.provider, asked.model)) {
            budgets.extend(&narrowed.budgets);
            let id = || format!("{}/{}", source.id, narrowed.place());
            push_limits(&mut limits, id, narrowed.limits);
        }
    }
    let mut accounts = BTreeMap::new();
    let mut missing = Vec::new();
    for budget in budgets.into_iter().filter_map(|name| ledger.budgets.get(name)) {
        for subject in subjects(ledger, key, budget.per, asked) {
            let Some(handle) = handle_of(ledger, budget, &subject) else {
                missing.push(Missing { budget: budget.name.clone(), subject });
                continue;
            };
            let terms = terms_under(ledger, budget, handle, &subject);
            accounts.extend(terms.map(|terms| (terms.account, terms)));
        }
    }
    PathTerms { accounts: accounts.into_values().collect(), limits, missing }
}

/// The accounts every request of this key is charged to, whatever it asks for, ordered by account. Those
/// of instances nobody has opened yet are not among them.
pub fn accounts_of(ledger: &Ledger, key: &VirtualKey) -> Vec<AccountTerms> {
    path_of(ledger, key, &Asked::default()).accounts
}

/// Most accounts a request of this key is charged to whose path can be told now: with every provider and
/// model terms exist for, in a session if it may open one, and with the key's own tags, or one if it has
/// none.
pub(crate) fn accounts_max(ledger: &Ledger, key: &VirtualKey) -> usize {
    let mut budgets = BTreeSet::new();
    for source in sources_of(ledger, key) {
        budgets.extend(source.budgets);
        budgets.extend(source.narrowed.iter().flat_map(|narrowed| &narrowed.budgets));
    }
    let of_budget = |budget: &Budget| match budget.per {
        Per::All | Per::Key | Per::User => budget.windows.len(),
        Per::Session { .. } if key.may_open_sessions => budget.windows.len(),
        Per::Session { .. } => 0,
        Per::Tag => budget.windows.len().saturating_mul(key.tags.len().max(1)),
    };
    budgets.into_iter().filter_map(|name| ledger.budgets.get(name)).map(of_budget).sum()
}

fn push_limits(all: &mut Vec<LimitTerms>, id: impl FnOnce() -> String, limits: RateLimits) {
    if limits != RateLimits::default() {
        all.push(LimitTerms { id: id(), limits });
    }
}

/// Whose accounts of such a budget the request is charged to. Empty: those of all.
fn subjects(ledger: &Ledger, key: &VirtualKey, per: Per, asked: &Asked<'_>) -> Vec<String> {
    match per {
        Per::All => vec![String::new()],
        Per::Key => vec![key.id.clone()],
        Per::User => match lineage(ledger, key).user {
            user if user.is_empty() => vec![format!("key:{}", key.id)],
            user => vec![format!("user:{user}")],
        },
        Per::Tag => {
            let tags: BTreeSet<&String> = key.tags.iter().chain(asked.tags).collect();
            tags.into_iter().cloned().collect()
        }
        Per::Session { .. } => {
            let session = asked.session.filter(|_| key.may_open_sessions);
            session.map(|session| format!("{}/{session}", key.id)).into_iter().collect()
        }
    }
}

/// The number a subject's accounts carry; `None` where they are not open.
fn handle_of(ledger: &Ledger, budget: &Budget, subject: &str) -> Option<u64> {
    if budget.per == Per::All {
        return Some(budget.handle);
    }
    let instance = ledger.instances.get(&(budget.handle, subject.to_owned()))?;
    Some(instance.handle)
}

/// The accounts of one subject, one per window.
fn terms_under<'a>(
    ledger: &'a Ledger,
    budget: &'a Budget,
    handle: u64,
    subject: &'a str,
) -> impl Iterator<Item = AccountTerms> + 'a {
    budget.accounts_under(handle).filter_map(move |(id, window)| {
        let account = ledger.accounts.get(&id)?;
        let present = account.present()?;
        Some(AccountTerms {
            account: id,
            period: account.period,
            unit: account.unit,
            mode: budget.mode,
            limit: account.limit(),
            ends_at: present.ends_at,
            budget: budget.name.clone(),
            subject: subject.to_owned(),
            window: window.window,
            without_quorum: budget.without_quorum,
            steps: budget.steps.clone(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Command, OpenInstance};
    use crate::sample::{
        ACCOUNT, LIMIT, Log, SPAN_MS, budget, key, labels, put_budget, put_key, put_scope,
        put_selector, scope, selector, team,
    };
    use crate::view::{Lineage, lineage};
    use crate::{Narrowed, Scope, ScopeKind, Selector};

    const ASKED: Asked<'static> =
        Asked { provider: "openai", model: "gpt-4o", session: None, tags: &[] };

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn per(name: &str, per: Per) -> Command {
        put_budget(Budget { per, ..budget(name, LIMIT) })
    }

    fn per_minute(requests: u64) -> RateLimits {
        RateLimits { requests_per_minute: Some(requests), ..RateLimits::default() }
    }

    fn path(log: &Log, key: &str, asked: &Asked<'_>) -> PathTerms {
        path_of(&log.ledger, log.ledger.living_key(key).unwrap(), asked)
    }

    /// Budgets and whom the accounts are for, in order.
    fn charged(path: &PathTerms) -> Vec<(&str, &str)> {
        let accounts = path.accounts.iter();
        accounts.map(|terms| (terms.budget.as_str(), terms.subject.as_str())).collect()
    }

    fn missing(path: &PathTerms) -> Vec<(&str, &str)> {
        let missing = path.missing.iter();
        missing.map(|it| (it.budget.as_str(), it.subject.as_str())).collect()
    }

    /// Opens what is missing, as a node would.
    fn open(log: &mut Log, path: &PathTerms) {
        for Missing { budget, subject } in path.missing.clone() {
            let spans = log.ledger.budgets[&budget].windows.iter();
            let periods = spans.map(|_| (UnixMillis(0), Some(UnixMillis(SPAN_MS)))).collect();
            log.done(Command::OpenInstance(OpenInstance { budget, subject, periods }));
        }
    }

    /// The sample, with key `bob` of user `bob` of team `ops` of customer `acme`, each with a budget of
    /// its name.
    fn family() -> Log {
        let mut log = Log::sample();
        for name in ["b-key", "b-user", "b-team", "b-customer"] {
            log.done(put_budget(budget(name, 5)));
        }
        let acme = Scope {
            budgets: names(&["b-customer"]),
            limits: per_minute(40),
            ..scope(ScopeKind::Customer, "acme")
        };
        let ops =
            Scope { parent: Some(acme.id.clone()), budgets: names(&["b-team"]), ..team("ops") };
        let user = Scope {
            parent: Some(ops.id.clone()),
            budgets: names(&["b-user"]),
            limits: per_minute(20),
            ..scope(ScopeKind::User, "bob")
        };
        let scope = Some(user.id.clone());
        for above in [acme, ops, user] {
            log.done(put_scope(above));
        }
        let budgets = names(&["b-key"]);
        log.done(put_key(VirtualKey { scope, budgets, limits: per_minute(10), ..key("bob", 2) }));
        log
    }

    #[test]
    fn a_keys_accounts_are_the_windows_of_its_budgets_in_order() {
        let mut log = Log::sample();
        log.done(put_budget(budget("later", 5)));
        let budgets = names(&["later", "team"]);
        log.done(put_key(VirtualKey { budgets, ..key("ann", 1) }));
        let terms = path(&log, "ann", &ASKED).accounts;
        let first = AccountTerms {
            account: ACCOUNT,
            period: 1,
            unit: Unit::Requests,
            mode: Mode::Hard,
            limit: LIMIT,
            ends_at: Some(UnixMillis(SPAN_MS)),
            budget: "team".to_owned(),
            subject: String::new(),
            window: Window::Fixed(SPAN_MS),
            without_quorum: WithoutQuorum::Strict,
            steps: Vec::new(),
        };
        assert_eq!(terms[0], first);
        assert_eq!((terms.len(), terms[1].budget.as_str()), (2, "later"));
    }

    #[test]
    fn a_key_is_charged_and_limited_with_its_user_team_and_customer() {
        let log = family();
        let path = path(&log, "bob", &ASKED);
        let budgets = [("b-key", ""), ("b-user", ""), ("b-team", ""), ("b-customer", "")];
        assert_eq!(charged(&path), budgets);
        let limits: Vec<_> = path.limits.iter().map(|it| (it.id.as_str(), it.limits)).collect();
        let expected = [("key:id2", 10), ("user:bob", 20), ("customer:acme", 40)];
        assert_eq!(limits, expected.map(|(id, requests)| (id, per_minute(requests))));
        let of = |name| lineage(&log.ledger, log.ledger.living_key(name).unwrap());
        let (customer, team, user) = ("acme".to_owned(), "ops".to_owned(), "bob".to_owned());
        assert_eq!(of("bob"), Lineage { customer, team, user });
        assert_eq!(of("ann"), Lineage::default());
    }

    #[test]
    fn terms_of_a_provider_or_model_count_only_there() {
        let mut log = family();
        let narrowed = |model: &str, budget: &str| Narrowed {
            model: Some(model.to_owned()),
            budgets: names(&[budget]),
            limits: per_minute(1),
            ..Narrowed::default()
        };
        let ops = log.ledger.scopes[&team("ops").id].clone();
        let narrowed = vec![narrowed("openai/*", "b-customer"), narrowed("o1*", "team")];
        log.done(put_scope(Scope { narrowed, ..ops }));
        let here = path(&log, "bob", &ASKED);
        assert_eq!(here.accounts.len(), 4, "an account twice found is charged once");
        assert!(here.limits.iter().any(|terms| terms.id == "team:ops/openai/*"));
        let there = path(&log, "bob", &Asked { provider: "azure", model: "o1-mini", ..ASKED });
        assert_eq!(there.accounts[0].budget, "team");
        assert!(there.limits.iter().any(|terms| terms.id == "team:ops/o1*"));
        assert!(!there.limits.iter().any(|terms| terms.id == "team:ops/openai/*"));
    }

    #[test]
    fn selectors_look_at_labels_of_the_key_and_then_of_its_scopes() {
        let mut log = family();
        log.done(put_budget(budget("b-dev", 5)));
        let ops = log.ledger.scopes[&team("ops").id].clone();
        let of_team = labels(&[("env", "dev"), ("site", "zrh")]);
        log.done(put_scope(Scope { labels: of_team, ..ops }));
        let wanted: [(&str, &[(&str, &str)]); 4] = [
            ("all", &[]),
            ("dev", &[("env", "dev")]),
            ("dev-zrh", &[("env", "dev"), ("site", "zrh")]),
            ("prod", &[("env", "prod")]),
        ];
        for (name, labels) in wanted {
            let budgets = names(&["b-dev"]);
            let limits = per_minute(7);
            log.done(put_selector(Selector { budgets, limits, ..selector(name, labels) }));
        }
        let of_selectors = |log: &Log, key: &str| {
            let limits = path(log, key, &ASKED).limits.into_iter();
            limits.filter(|terms| terms.id.starts_with("selector:")).map(|it| it.id).collect()
        };
        let found: Vec<String> = of_selectors(&log, "bob");
        assert_eq!(found, ["selector:all", "selector:dev", "selector:dev-zrh"]);
        let found: Vec<String> = of_selectors(&log, "ann");
        assert_eq!(found, ["selector:all"]);
        let bob = log.ledger.living_key("bob").unwrap().clone();
        log.done(put_key(VirtualKey { labels: labels(&[("env", "prod")]), ..bob }));
        let found: Vec<String> = of_selectors(&log, "bob");
        assert_eq!(found, ["selector:all", "selector:prod"]);
        assert_eq!(path(&log, "bob", &ASKED).accounts.len(), 5);
    }

    #[test]
    fn each_dev_key_has_its_own_budget_under_one_of_all_of_them() {
        let mut log = Log::sample();
        log.done(per("each", Per::Key));
        log.done(put_budget(budget("together", 200)));
        let budgets = names(&["each", "together"]);
        log.done(put_selector(Selector { budgets, ..selector("dev", &[("env", "dev")]) }));
        for (name, seed) in [("bob", 2), ("cid", 3)] {
            let labels = labels(&[("env", "dev")]);
            let budgets = Vec::new();
            log.done(put_key(VirtualKey { labels, budgets, ..key(name, seed) }));
        }
        let before = path(&log, "bob", &ASKED);
        assert_eq!(charged(&before), [("together", "")]);
        assert_eq!(missing(&before), [("each", "id2")]);
        open(&mut log, &before);
        let bob = path(&log, "bob", &ASKED);
        assert_eq!(charged(&bob), [("together", ""), ("each", "id2")]);
        assert_eq!(bob.missing, []);
        let cid = path(&log, "cid", &ASKED);
        assert_eq!(missing(&cid), [("each", "id3")]);
        open(&mut log, &cid);
        let (bob, cid) = (path(&log, "bob", &ASKED), path(&log, "cid", &ASKED));
        assert_eq!(bob.accounts[0].account, cid.accounts[0].account);
        assert_ne!(bob.accounts[1].account, cid.accounts[1].account);
    }

    #[test]
    fn users_tags_and_sessions_have_accounts_of_their_own() {
        let mut log = family();
        log.done(per("per-user", Per::User));
        log.done(per("per-tag", Per::Tag));
        log.done(per("per-run", Per::Session { ttl_ms: 60_000 }));
        for name in ["ann", "bob"] {
            let key = log.ledger.living_key(name).unwrap().clone();
            let budgets = names(&["per-user", "per-tag", "per-run"]);
            let (may_open_sessions, tags) = (name == "bob", names(&["nightly"]));
            log.done(put_key(VirtualKey { budgets, may_open_sessions, tags, ..key }));
        }
        let tags = names(&["eval", "nightly"]);
        let asked = Asked { session: Some("run-7"), tags: &tags, ..ASKED };
        let of_bob = [
            ("per-run", "id2/run-7"),
            ("per-tag", "eval"),
            ("per-tag", "nightly"),
            ("per-user", "user:bob"),
        ];
        assert_eq!(missing(&path(&log, "bob", &asked)), of_bob);
        let of_ann = [("per-tag", "eval"), ("per-tag", "nightly"), ("per-user", "key:id1")];
        assert_eq!(missing(&path(&log, "ann", &asked)), of_ann);
        assert_eq!(
            missing(&path(&log, "bob", &ASKED)),
            [("per-tag", "nightly"), ("per-user", "user:bob")]
        );
        let bob = path(&log, "bob", &asked);
        open(&mut log, &bob);
        let after = path(&log, "bob", &asked);
        let mut subjects = charged(&after);
        subjects.sort_unstable();
        let mut expected = of_bob.to_vec();
        expected.extend([("b-customer", ""), ("b-team", ""), ("b-user", "")]);
        expected.sort_unstable();
        assert_eq!(subjects, expected);
        assert_eq!(missing(&path(&log, "ann", &asked)), [("per-user", "key:id1")]);
    }

    #[test]
    fn a_rotated_key_goes_on_with_its_accounts() {
        let mut log = Log::sample();
        log.done(per("each", Per::Key));
        log.done(put_key(VirtualKey { budgets: names(&["each"]), ..key("ann", 1) }));
        let before = path(&log, "ann", &ASKED);
        open(&mut log, &before);
        let before = path(&log, "ann", &ASKED);
        log.done(Command::RotateKey(crate::command::RotateKey {
            name: "ann".to_owned(),
            id: "id1".to_owned(),
            hash: crate::KeyHash([9; 32]),
            managed_by: "api:ann".to_owned(),
            if_index: None,
        }));
        let after = path(&log, "ann", &ASKED);
        assert_eq!(after.accounts[0].account, before.accounts[0].account);
        assert_eq!(charged(&after), [("each", "id1")]);
        log.revoke("ann");
        assert!(log.ledger.instances.is_empty());
        assert!(!log.ledger.accounts.contains_key(&before.accounts[0].account));
    }

    #[test]
    fn ten_thousand_selectors_of_other_keys_are_not_looked_at() {
        let mut log = family();
        for number in 0..10_000 {
            let team = format!("team-{number}");
            let wanted = [("env", "dev"), ("owner", team.as_str())];
            log.ledger.file_selector(selector(&format!("s{number}"), &wanted));
        }
        let bob = log.ledger.living_key("bob").unwrap().clone();
        let labels = labels(&[("env", "dev"), ("owner", "team-77")]);
        log.done(put_key(VirtualKey { labels, ..bob }));
        let filed = &log.ledger.selectors_by_label;
        assert_eq!(filed.get(&("owner".to_owned(), "team-77".to_owned())).unwrap(), &["s77"]);
        let widest = filed.values().map(Vec::len).max();
        assert_eq!(widest, Some(1), "no list of selectors is long");
    }
}
