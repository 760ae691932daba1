//! What the commands are about: each with something in every field.

use ledger::{
    AccountId, Action, Alias, Allow, Budget, BudgetWindow, Class, Credential, KeyHash, Mode, Model,
    Narrowed, NodeId, Overrides, Per, Price, Profile, Provider, Quality, Rate, RateLimits, Scope,
    ScopeId, ScopeKind, Sealed, Selector, Service, Step, StreamUsage, Target, Unit, UnixMillis,
    Unpriced, UsageKey, UsageLine, UsageSums, VirtualKey, Webhook, Window, WithoutQuorum, Word,
};
use std::collections::BTreeMap;

/// A founder's id.
pub(super) const NODE: NodeId = NodeId(1 << 62);
/// When everything happens: 2023-11-14, a minute past 23 o'clock in Berlin.
pub(super) const NOW: UnixMillis = UnixMillis(1_700_000_000_000);
/// Public id of the key.
pub(super) const KEY: &str = "k4f2a9c1d0e7";

pub(super) fn text(text: &str) -> String {
    text.to_owned()
}

pub(super) fn texts<const N: usize>(all: [&str; N]) -> Vec<String> {
    all.map(text).to_vec()
}

pub(super) fn labels<const N: usize>(all: [(&str, &str); N]) -> BTreeMap<String, String> {
    all.map(|(name, value)| (text(name), text(value))).into()
}

pub(super) fn sealed(byte: u8) -> Sealed {
    Sealed { kek_id: [byte; 8], nonce: [byte; 24], ciphertext: vec![byte; 48] }
}

pub(super) fn price() -> Price {
    Price {
        input_nano_usd_per_mtok: 3_000_000_000,
        output_nano_usd_per_mtok: 15_000_000_000,
        cache_read_nano_usd_per_mtok: Some(300_000_000),
        cache_write_nano_usd_per_mtok: None,
        request_nano_usd: 7,
        rates: vec![
            Rate {
                class: Class::Image,
                width: 1_024,
                height: 1_536,
                quality: Quality::High,
                nano_usd_per_million: 250_000_000_000_000,
                ..Rate::default()
            },
            Rate {
                service: Service::Priority,
                above_input_tokens: 200_000,
                nano_usd_per_million: 12_000_000_000,
                ..Rate::default()
            },
        ],
    }
}

pub(super) fn word(operation: &str) -> Word {
    Word { actor: text("api:ops"), reason: text("the launch"), operation: text(operation) }
}

fn limits() -> RateLimits {
    RateLimits {
        requests_per_minute: Some(600),
        tokens_per_minute: None,
        concurrent_requests: Some(0),
    }
}

fn narrowed() -> Vec<Narrowed> {
    vec![
        Narrowed {
            provider: Some(text("acme")),
            model: None,
            budgets: texts(["prepaid"]),
            limits: RateLimits { tokens_per_minute: Some(9_000), ..RateLimits::default() },
        },
        Narrowed { model: Some(text("acme/large")), limits: limits(), ..Narrowed::default() },
    ]
}

/// A budget shared by all, with calendar windows of a place.
pub(super) fn monthly() -> Budget {
    Budget {
        name: text("monthly"),
        windows: windows([Window::Hour, Window::Day, Window::Month]),
        managed_by: text("api:ops"),
        created_at: NOW,
        time_zone: text("Europe/Berlin"),
        thresholds: vec![50, 80, 100],
        steps: vec![
            Step { at_percent: 80, action: Action::Downgrade(text("fast")) },
            Step { at_percent: 95, action: Action::Throttle(30) },
        ],
        ..Budget::default()
    }
}

/// First periods of [`monthly`].
pub(super) fn monthly_periods() -> Vec<(UnixMillis, Option<UnixMillis>)> {
    let hour = (1_699_999_200_000, 1_700_002_800_000);
    let day = (1_699_916_400_000, 1_700_002_800_000);
    let month = (1_698_793_200_000, 1_701_385_200_000);
    let span = |(from, to)| (UnixMillis(from), Some(UnixMillis(to)));
    [hour, day, month].map(span).to_vec()
}

/// A budget of its own for each that [`Per`] names.
pub(super) fn shared(name: &str, per: Per, without_quorum: WithoutQuorum) -> Budget {
    let (unit, mode, windows) = match per {
        Per::All => (Unit::NanoUsd, Mode::Hard, windows([Window::Never])),
        Per::Key => (Unit::Requests, Mode::Hard, windows([Window::Fixed(60_000)])),
        Per::User => {
            (Unit::Tokens, Mode::Soft, windows([Window::Week, Window::Quarter, Window::Year]))
        }
        Per::Tag => (Unit::NanoUsd, Mode::Hard, windows([Window::Rolling(86_400_000)])),
        Per::Session { .. } => (Unit::NanoUsd, Mode::Hard, windows([Window::Never])),
    };
    Budget {
        name: text(name),
        unit,
        windows,
        mode,
        managed_by: text("api:ops"),
        created_at: NOW,
        per,
        without_quorum,
        ..Budget::default()
    }
}

fn windows<const N: usize>(all: [Window; N]) -> Vec<BudgetWindow> {
    all.map(|window| BudgetWindow { window, limit: 500 }).to_vec()
}

pub(super) fn key() -> VirtualKey {
    VirtualKey {
        id: text(KEY),
        name: text("team-a"),
        hash: KeyHash([7; 32]),
        enabled: true,
        expires_at: Some(UnixMillis(1_800_000_000_000)),
        providers: Allow::All,
        models: Allow::Only(texts(["acme/large", "fast"])),
        budgets: texts(["monthly", "session"]),
        limits: limits(),
        managed_by: text("api:ops"),
        created_at: NOW,
        changed_index: 0,
        revoked_at: None,
        scope: Some(scope_id(ScopeKind::User, "ann")),
        labels: labels([("env", "dev"), ("team", "a")]),
        narrowed: narrowed(),
        profile: Some(text("intern")),
        may_open_sessions: true,
        tags: texts(["batch"]),
        drain_on_disconnect: true,
        may_use_files: true,
    }
}

pub(super) fn scope_id(kind: ScopeKind, name: &str) -> ScopeId {
    ScopeId { kind, name: text(name) }
}

pub(super) fn scope(kind: ScopeKind, name: &str, parent: Option<ScopeId>) -> Scope {
    Scope {
        id: scope_id(kind, name),
        parent,
        budgets: texts(["user"]),
        limits: limits(),
        narrowed: narrowed(),
        labels: labels([("cost-centre", "42")]),
        managed_by: text("file:bursar.yaml"),
        created_at: NOW,
        changed_index: 0,
    }
}

pub(super) fn selector() -> Selector {
    Selector {
        name: text("dev"),
        labels: labels([("env", "dev")]),
        budgets: texts(["each", "prepaid"]),
        limits: limits(),
        narrowed: narrowed(),
        managed_by: text("api:ops"),
        changed_index: 0,
    }
}

/// A template that says everything, as the key has it.
pub(super) fn profile() -> Profile {
    let key = key();
    Profile {
        name: text("intern"),
        providers: Some(key.providers),
        models: Some(key.models),
        budgets: Some(key.budgets),
        limits: Some(key.limits),
        narrowed: Some(key.narrowed),
        labels: Some(key.labels),
        tags: Some(key.tags),
        may_open_sessions: Some(key.may_open_sessions),
        drain_on_disconnect: Some(key.drain_on_disconnect),
        may_use_files: Some(key.may_use_files),
        managed_by: text("api:ops"),
        changed_index: 0,
    }
}

pub(super) fn webhook() -> Webhook {
    Webhook {
        name: text("pager"),
        url: text("https://pager.example.com/bursar"),
        secret: sealed(5),
        allow_private_network: true,
        enabled: true,
        managed_by: text("api:ops"),
        changed_index: 0,
    }
}

pub(super) fn alias() -> Alias {
    Alias {
        name: text("fast"),
        targets: vec![Target { provider: text("acme"), model: text("small"), weight: 1 }],
        managed_by: text("api:ops"),
        changed_index: 0,
    }
}

pub(super) fn provider(unpriced: Unpriced, stream_usage: StreamUsage) -> Provider {
    Provider {
        name: text("acme"),
        kind: text("openai-compatible"),
        base_url: text("https://api.example.com/v1"),
        credentials: vec![
            Credential { name: text("main"), weight: 3, secret: Some(sealed(9)) },
            Credential { name: text("spare"), weight: 0, secret: None },
        ],
        overrides: Overrides {
            dialect: Some(text("gemini")),
            headers: [(text("x-tenant"), text("blue"))].into(),
            paths: [(text("chat_completions"), text("/chat/{model}"))].into(),
        },
        models: vec![
            Model { name: text("large"), price: Some(price()), ..Model::default() },
            Model {
                name: text("small"),
                upstream_name: Some(text("small-2026-01")),
                price: None,
                output_tokens_max: Some(4_096),
                input_tokens_max: Some(128_000),
            },
        ],
        unpriced,
        stream_usage,
        timeout_ms: 30_000,
        attempts_max: 2,
        allow_private_network: false,
        enabled: true,
        managed_by: text("file:bursar.yaml"),
        changed_index: 0,
    }
}

pub(super) fn account() -> AccountId {
    AccountId { budget: 3, window: 1 }
}

pub(super) fn usage_line() -> UsageLine {
    UsageLine {
        key: UsageKey {
            day: 19_675,
            key: text(KEY),
            customer: text("globex"),
            team: text("search"),
            user: text("ann"),
            provider: text("acme"),
            model: text("large"),
            tags: texts(["batch", "night"]),
            budgets: vec![3, 9],
        },
        sums: UsageSums {
            requests: 2,
            input_tokens: 1_200,
            cache_read_tokens: 300,
            cache_write_tokens: 40,
            output_tokens: 500,
            reasoning_tokens: 60,
            cost_nano_usd: 11_190_014,
        },
    }
}
