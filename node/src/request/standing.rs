//! What may a key do, and how much is left? For whoever holds it; costs nothing, and works where
//! everything is spent.

use crate::plane::core::Core;
use api::admin::Timestamp;
use api::inference::key::{AccountStanding, Amount, LimitStanding, RateStanding, Spending};
use api::inference::{KeyQuestion, KeyStanding, key};
use cluster::rates::Dimension;
use ledger::view::{self, AccountTerms, Asked, LimitTerms};
use ledger::{
    Allow, Ledger, Mode, Narrowed, Per, ScopeId, ScopeKind, Unit, UnixMillis, VirtualKey, Window,
};
use std::borrow::Cow;
use std::collections::BTreeSet;
use wire::Refusal;

/// Most single providers and models that are looked at.
const PLACES_MAX: usize = 64;
/// Most sessions that are listed.
const SESSIONS_MAX: usize = 100;
const DAY_MS: u64 = 86_400_000;

/// How a key stands.
///
/// # Errors
///
/// None yet.
pub(crate) async fn of(
    core: &Core,
    key: &VirtualKey,
    question: KeyQuestion,
) -> Result<KeyStanding, Refusal> {
    let ledger = core.view();
    let spending = if question.spending {
        spending(&ledger, &key.id, core.now())
    } else {
        Spending::default()
    };
    let mut found = Found::new(core, &ledger, key);
    found.look(&Asked::default(), None);
    for narrowed in places(&ledger, key) {
        let (provider, model) = place(&ledger, narrowed);
        let only = narrowed.place();
        found.look(&Asked { provider, model, ..Asked::default() }, Some(only.as_str()));
    }
    for session in &sessions(&ledger, key) {
        found.look(&Asked { session: Some(session), ..Asked::default() }, None);
    }
    let (budgets, limits) = (found.budgets, found.limits);
    let lineage = view::lineage(&ledger, key);
    let some = |name: String| (!name.is_empty()).then_some(name);
    let only = |allow: &Allow| match allow {
        Allow::All => None,
        Allow::Only(names) => Some(names.clone()),
    };
    Ok(KeyStanding {
        id: key.id.clone(),
        name: key.name.clone(),
        enabled: key.enabled,
        expires_at: key.expires_at.map(|at| Timestamp(at.0)),
        created_at: Timestamp(key.created_at.0),
        customer: some(lineage.customer),
        team: some(lineage.team),
        user: some(lineage.user),
        tags: key.tags.clone(),
        may_open_sessions: key.may_open_sessions,
        providers: only(&key.providers),
        models: only(&key.models),
        budgets,
        limits,
        spending,
    })
}

/// Accounts and limits found so far, each once.
struct Found<'a> {
    core: &'a Core,
    ledger: &'a Ledger,
    key: &'a VirtualKey,
    seen: BTreeSet<String>,
    budgets: Vec<AccountStanding>,
    limits: Vec<LimitStanding>,
}

impl<'a> Found<'a> {
    fn new(core: &'a Core, ledger: &'a Ledger, key: &'a VirtualKey) -> Self {
        let (budgets, limits) = (Vec::new(), Vec::new());
        Self { core, ledger, key, seen: BTreeSet::new(), budgets, limits }
    }

    /// Adds what a request of this kind meets beyond what was found.
    fn look(&mut self, asked: &Asked<'_>, only: Option<&str>) {
        let path = view::path_of(self.ledger, self.key, asked);
        for terms in path.accounts {
            if self.seen.insert(terms.account.to_string()) {
                let standing = account(self.core, self.ledger, &terms);
                self.budgets.push(AccountStanding { only: only.map(str::to_owned), ..standing });
            }
        }
        for terms in path.limits {
            if self.seen.insert(terms.id.clone()) {
                let standing = limit(self.core, &terms);
                self.limits.push(LimitStanding { only: only.map(str::to_owned), ..standing });
            }
        }
    }
}

fn account(core: &Core, ledger: &Ledger, terms: &AccountTerms) -> AccountStanding {
    let purse = core.shared.purse(terms).books();
    let books = view::books(ledger, terms.account);
    let free = purse.pool.unwrap_or(purse.limit).max(0).saturating_add(purse.available.max(0));
    let remaining = free.min(terms.limit.max(0));
    let reported =
        books.as_ref().map_or(0, |books| books.closed_spend.saturating_add(books.reported));
    let spent = reported.saturating_add(purse.unreported.max(0));
    let out = terms.limit.saturating_sub(spent).saturating_sub(remaining).max(0);
    let unit = unit(terms.unit);
    let amount = |value| Amount { unit, value };
    let budget = ledger.budgets.get(&terms.budget);
    let time_zone = budget.map(|budget| budget.time_zone.clone()).filter(|zone| !zone.is_empty());
    AccountStanding {
        budget: terms.budget.clone(),
        subject: (!terms.subject.is_empty()).then(|| terms.subject.clone()),
        only: None,
        window: window(terms.window).into_owned(),
        time_zone: time_zone.unwrap_or_else(|| "UTC".to_owned()),
        unit,
        mode: match terms.mode {
            Mode::Hard => "hard",
            Mode::Soft => "soft",
        },
        limit: amount(terms.limit),
        spent: amount(spent),
        out: amount(out),
        remaining: amount(remaining),
        starts_at: Timestamp(books.map_or(0, |books| books.starts_at.0)),
        resets_at: terms.ends_at.map(|at| Timestamp(at.0)),
    }
}

fn limit(core: &Core, terms: &LimitTerms) -> LimitStanding {
    let rates = core.rates().terms(&terms.id, terms.limits);
    let now_ms = core.now().0;
    let of = |dimension| {
        let standing = core.rates().standing(&rates, dimension, now_ms);
        let (remaining, reset_ms) = (standing.remaining, standing.reset_ms);
        standing.limit.map(|limit| RateStanding { limit, remaining, reset_ms })
    };
    LimitStanding {
        scope: terms.id.clone(),
        only: None,
        requests_per_minute: of(Dimension::Requests),
        tokens_per_minute: of(Dimension::Tokens),
        concurrent_requests: of(Dimension::Concurrency),
    }
}

/// Terms of single providers and models that may be on the key's path; whether they are, the path says.
fn places<'a>(ledger: &'a Ledger, key: &'a VirtualKey) -> impl Iterator<Item = &'a Narrowed> {
    let lineage = view::lineage(ledger, key);
    let scopes = [
        (ScopeKind::User, lineage.user),
        (ScopeKind::Team, lineage.team),
        (ScopeKind::Customer, lineage.customer),
    ];
    let scopes = scopes.into_iter().filter_map(|(kind, name)| {
        let scope = ledger.scopes.get(&ScopeId { kind, name })?;
        Some(&scope.narrowed)
    });
    let selectors = ledger.selectors.values().map(|selector| &selector.narrowed);
    key.narrowed.iter().chain(scopes.chain(selectors).flatten()).take(PLACES_MAX)
}

/// A provider and a model that such terms are for.
fn place<'a>(ledger: &Ledger, narrowed: &'a Narrowed) -> (&'a str, &'a str) {
    let model = narrowed.model.as_deref().unwrap_or("").trim_end_matches('*');
    let split = model.split_once('/');
    match (&narrowed.provider, split) {
        (Some(provider), Some((before, model))) if before == provider => (provider, model),
        (Some(provider), _) => (provider, model),
        (None, Some((before, model))) if ledger.providers.contains_key(before) => (before, model),
        (None, _) => ("", model),
    }
}

/// The key's open sessions, by name.
fn sessions(ledger: &Ledger, key: &VirtualKey) -> BTreeSet<String> {
    let mut sessions = BTreeSet::new();
    if !key.may_open_sessions {
        return sessions;
    }
    let prefix = format!("{}/", key.id);
    let per_session = |per: Per| match per {
        Per::Session { .. } => true,
        Per::All | Per::Key | Per::User | Per::Tag => false,
    };
    for budget in ledger.budgets.values().filter(|budget| per_session(budget.per)) {
        let from = (budget.handle, prefix.clone());
        for ((handle, subject), _) in ledger.instances.range(from..) {
            let Some(session) = subject.strip_prefix(&prefix) else { break };
            if *handle != budget.handle || sessions.len() == SESSIONS_MAX {
                break;
            }
            sessions.insert(session.to_owned());
        }
    }
    sessions
}

/// What a key used by the rows there are: today, since Monday, since the first, and in all.
fn spending(ledger: &Ledger, key_id: &str, now: UnixMillis) -> Spending {
    let today = u32::try_from(now.0 / DAY_MS).unwrap_or(u32::MAX);
    let monday = today.saturating_sub((today + 3) % 7);
    let date = Timestamp(now.0).to_string();
    let of_month: u32 = date.get(8..10).and_then(|day| day.parse().ok()).unwrap_or(1);
    let first = today.saturating_sub(of_month.saturating_sub(1));
    let mut spending = Spending::default();
    for (day, sums) in view::usage_of_key(ledger, key_id) {
        let cost = sums.cost_nano_usd;
        let parts = [
            (&mut spending.day_nano_usd, day >= today),
            (&mut spending.week_nano_usd, day >= monday),
            (&mut spending.month_nano_usd, day >= first),
            (&mut spending.all_nano_usd, true),
        ];
        for (sum, counts) in parts {
            *sum = sum.saturating_add(if counts { cost } else { 0 });
        }
    }
    spending
}

/// A unit in the words of the front door.
pub(crate) fn unit(unit: Unit) -> key::Unit {
    match unit {
        Unit::NanoUsd => key::Unit::Usd,
        Unit::Tokens => key::Unit::Tokens,
        Unit::Requests => key::Unit::Requests,
    }
}

const LENGTHS: [(&str, u64); 4] = [("d", DAY_MS), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];

/// A window as operators write it: `month`, `30d`, `rolling:24h`.
pub(crate) fn window(window: Window) -> Cow<'static, str> {
    let length = |ms: u64| {
        let whole = LENGTHS.iter().find(|(_, length)| ms.is_multiple_of(*length));
        whole.map_or_else(|| format!("{ms}ms"), |(unit, length)| format!("{}{unit}", ms / length))
    };
    let name = match window {
        Window::Fixed(ms) => return length(ms).into(),
        Window::Rolling(ms) => return format!("rolling:{}", length(ms)).into(),
        Window::Never => "never",
        Window::Hour => "hour",
        Window::Day => "day",
        Window::Week => "week",
        Window::Month => "month",
        Window::Quarter => "quarter",
        Window::Year => "year",
    };
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::{UsageKey, UsageSums};

    #[test]
    fn windows_are_written_as_operators_write_them() {
        let cases = [
            (Window::Never, "never"),
            (Window::Fixed(30 * DAY_MS), "30d"),
            (Window::Fixed(90_000), "90s"),
            (Window::Rolling(12 * 3_600_000), "rolling:12h"),
            (Window::Month, "month"),
        ];
        for (at, text) in cases {
            assert_eq!(window(at), text);
        }
    }

    #[test]
    fn spending_is_told_by_day_week_and_month_of_one_key() {
        // 2026-11-20 is a Friday.
        let today = 20_777;
        let mut ledger = Ledger::default();
        for (day, key, cost) in [
            (today, "k", 1),
            (today - 4, "k", 10),
            (today - 5, "k", 100),
            (today - 20, "k", 1_000),
            (today, "other", 10_000),
        ] {
            let row = UsageKey { day, key: key.to_owned(), ..UsageKey::default() };
            let sums = UsageSums { cost_nano_usd: cost, ..UsageSums::default() };
            ledger.add_usage(row, &sums);
        }
        let now = UnixMillis(u64::from(today) * DAY_MS + 5);
        let expected = Spending {
            day_nano_usd: 1,
            week_nano_usd: 11,
            month_nano_usd: 111,
            all_nano_usd: 1_111,
        };
        assert_eq!(spending(&ledger, "k", now), expected);
    }
}
