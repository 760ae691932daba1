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
            limit: present.limit,
            ends_at: present.ends_at,
            budget: budget.name.clone(),
            subject: subject.to_owned(),
            window: window.window,
            without_quorum: budget.without_quorum,
            steps: budget.steps.clone(),
        })
    })
}
