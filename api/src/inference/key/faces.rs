//! The shapes: our own, OpenRouter's, Bifrost's and LiteLLM's. Money is written as an exact JSON number.

use super::{AccountStanding, KeyStanding, LimitStanding, Unit};
use crate::admin::{Timestamp, Usd};
use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

/// In which shape the question was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// Our own.
    Bursar,
    /// OpenRouter's key.
    OpenRouterKey,
    /// OpenRouter's credits.
    OpenRouterCredits,
    /// Bifrost's quota of a virtual key.
    Bifrost,
    /// LiteLLM's info of a key.
    LiteLlm,
}

impl Face {
    /// Whether the shape tells what was used by days.
    #[must_use]
    pub fn tells_spending(self) -> bool {
        match self {
            Self::OpenRouterKey => true,
            Self::Bursar | Self::OpenRouterCredits | Self::Bifrost | Self::LiteLlm => false,
        }
    }
}

pub(super) fn render(key: &KeyStanding, face: Face) -> Bytes {
    let text = match face {
        Face::Bursar => serde_json::to_vec(&Own { object: "key", key }),
        Face::OpenRouterKey => serde_json::to_vec(&Data { data: open_router(key) }),
        Face::OpenRouterCredits => serde_json::to_vec(&Data { data: credits(key) }),
        Face::Bifrost => serde_json::to_vec(&bifrost(key)),
        Face::LiteLlm => serde_json::to_vec(&lite_llm(key)),
    };
    Bytes::from(text.expect("texts and numbers into memory"))
}

#[derive(Serialize)]
struct Own<'a> {
    object: &'static str,
    #[serde(flatten)]
    key: &'a KeyStanding,
}

#[derive(Serialize)]
struct Data<T> {
    data: T,
}

/// Dollars as a JSON number, exactly.
fn usd(nano_usd: i64) -> Box<RawValue> {
    RawValue::from_string(Usd(nano_usd).to_string()).expect("a decimal is a JSON number")
}

#[derive(Serialize)]
struct OpenRouterKey {
    label: String,
    limit: Option<Box<RawValue>>,
    limit_remaining: Option<Box<RawValue>>,
    limit_reset: Option<&'static str>,
    include_byok_in_limit: bool,
    usage: Box<RawValue>,
    usage_daily: Box<RawValue>,
    usage_weekly: Box<RawValue>,
    usage_monthly: Box<RawValue>,
    byok_usage: u8,
    byok_usage_daily: u8,
    byok_usage_weekly: u8,
    byok_usage_monthly: u8,
    is_free_tier: bool,
    is_management_key: bool,
    is_provisioning_key: bool,
    creator_user_id: Option<String>,
    expires_at: Option<Timestamp>,
    rate_limit: OpenRouterRate,
}

/// Minus one request stands for no limit.
#[derive(Serialize)]
struct OpenRouterRate {
    requests: i64,
    interval: &'static str,
}

fn open_router(key: &KeyStanding) -> OpenRouterKey {
    let tightest = key.tightest();
    let limit_reset = tightest.and_then(|account| match account.window.as_str() {
        "day" => Some("daily"),
        "week" => Some("weekly"),
        "month" => Some("monthly"),
        _other => None,
    });
    let requests = tightest_of(key, |limit| Some(limit.requests_per_minute?.limit));
    OpenRouterKey {
        label: key.name.clone(),
        limit: tightest.map(|account| usd(account.limit.value)),
        limit_remaining: tightest.map(|account| usd(account.remaining.value)),
        limit_reset,
        include_byok_in_limit: true,
        usage: usd(key.spending.all_nano_usd),
        usage_daily: usd(key.spending.day_nano_usd),
        usage_weekly: usd(key.spending.week_nano_usd),
        usage_monthly: usd(key.spending.month_nano_usd),
        byok_usage: 0,
        byok_usage_daily: 0,
        byok_usage_weekly: 0,
        byok_usage_monthly: 0,
        is_free_tier: false,
        is_management_key: false,
        is_provisioning_key: false,
        creator_user_id: key.user.clone(),
        expires_at: key.expires_at,
        rate_limit: OpenRouterRate {
            requests: requests.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX)),
            interval: "1m",
        },
    }
}

#[derive(Serialize)]
struct Credits {
    total_credits: Option<Box<RawValue>>,
    total_usage: Box<RawValue>,
}

/// What is not free counts as used, so that the difference is what is left.
fn credits(key: &KeyStanding) -> Credits {
    let tightest = key.tightest();
    let used = |account: &AccountStanding| account.limit.value - account.remaining.value;
    Credits {
        total_credits: tightest.map(|account| usd(account.limit.value)),
        total_usage: usd(tightest.map_or(0, used)),
    }
}

#[derive(Serialize)]
struct Bifrost<'a> {
    virtual_key_name: &'a str,
    is_active: bool,
    budgets: Vec<BifrostBudget<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limit: Option<BifrostRate<'a>>,
}

#[derive(Serialize)]
struct BifrostBudget<'a> {
    id: String,
    max_limit: Box<RawValue>,
    reset_duration: &'a str,
    calendar_aligned: bool,
    last_reset: Timestamp,
    current_usage: Box<RawValue>,
}

#[derive(Serialize)]
struct BifrostRate<'a> {
    id: &'a str,
    token_max_limit: Option<u64>,
    token_reset_duration: Option<&'static str>,
    token_current_usage: u64,
    request_max_limit: Option<u64>,
    request_reset_duration: Option<&'static str>,
    request_current_usage: u64,
}

/// Windows in Bifrost's words, and whether they follow the calendar.
fn bifrost_window(window: &str) -> (&str, bool) {
    match window {
        "hour" => ("1h", true),
        "day" => ("1d", true),
        "week" => ("1w", true),
        "month" => ("1M", true),
        "quarter" => ("3M", true),
        "year" => ("1Y", true),
        other => (other, false),
    }
}

fn bifrost(key: &KeyStanding) -> Bifrost<'_> {
    let money = key.budgets.iter().filter(|account| account.unit == Unit::Usd);
    let budgets = money.map(|account| {
        let (reset_duration, calendar_aligned) = bifrost_window(&account.window);
        let subject = account.subject.as_ref().map(|subject| format!(":{subject}"));
        BifrostBudget {
            id: format!("{}{}", account.budget, subject.unwrap_or_default()),
            max_limit: usd(account.limit.value),
            reset_duration,
            calendar_aligned,
            last_reset: account.starts_at,
            current_usage: usd(account.limit.value - account.remaining.value),
        }
    });
    Bifrost {
        virtual_key_name: &key.name,
        is_active: key.enabled,
        budgets: budgets.collect(),
        rate_limit: key.limits.first().map(bifrost_rate),
    }
}

fn bifrost_rate(limit: &LimitStanding) -> BifrostRate<'_> {
    let (tokens, requests) = (limit.tokens_per_minute, limit.requests_per_minute);
    BifrostRate {
        id: &limit.scope,
        token_max_limit: tokens.map(|rate| rate.limit),
        token_reset_duration: tokens.map(|_| "1m"),
        token_current_usage: tokens.map_or(0, |rate| rate.limit.saturating_sub(rate.remaining)),
        request_max_limit: requests.map(|rate| rate.limit),
        request_reset_duration: requests.map(|_| "1m"),
        request_current_usage: requests.map_or(0, |rate| rate.limit.saturating_sub(rate.remaining)),
    }
}

#[derive(Serialize)]
struct LiteLlm<'a> {
    key: &'a str,
    info: LiteLlmInfo<'a>,
}

#[derive(Serialize)]
struct LiteLlmInfo<'a> {
    key_name: &'a str,
    key_alias: &'a str,
    spend: Box<RawValue>,
    max_budget: Option<Box<RawValue>>,
    budget_duration: Option<&'a str>,
    budget_reset_at: Option<Timestamp>,
    expires: Option<Timestamp>,
    created_at: Timestamp,
    models: &'a [String],
    user_id: Option<&'a str>,
    team_id: Option<&'a str>,
    tpm_limit: Option<u64>,
    rpm_limit: Option<u64>,
    max_parallel_requests: Option<u64>,
    blocked: bool,
    metadata: LiteLlmMetadata<'a>,
}

#[derive(Serialize)]
struct LiteLlmMetadata<'a> {
    tags: &'a [String],
}

fn lite_llm(key: &KeyStanding) -> LiteLlm<'_> {
    let tightest = key.tightest();
    let window = tightest.map(|account| bifrost_window(&account.window).0);
    LiteLlm {
        key: &key.id,
        info: LiteLlmInfo {
            key_name: &key.id,
            key_alias: &key.name,
            spend: usd(tightest.map_or(0, |account| account.limit.value - account.remaining.value)),
            max_budget: tightest.map(|account| usd(account.limit.value)),
            budget_duration: window.filter(|window| *window != "never"),
            budget_reset_at: tightest.and_then(|account| account.resets_at),
            expires: key.expires_at,
            created_at: key.created_at,
            models: key.models.as_deref().unwrap_or_default(),
            user_id: key.user.as_deref(),
            team_id: key.team.as_deref(),
            tpm_limit: tightest_of(key, |limit| Some(limit.tokens_per_minute?.limit)),
            rpm_limit: tightest_of(key, |limit| Some(limit.requests_per_minute?.limit)),
            max_parallel_requests: tightest_of(key, |limit| Some(limit.concurrent_requests?.limit)),
            blocked: !key.enabled,
            metadata: LiteLlmMetadata { tags: &key.tags },
        },
    }
}

/// The lowest limit of one kind on the path.
fn tightest_of(key: &KeyStanding, of: impl Fn(&LimitStanding) -> Option<u64>) -> Option<u64> {
    key.limits.iter().filter(|limit| limit.only.is_none()).filter_map(of).min()
}

#[cfg(test)]
mod tests {
    use super::super::{Amount, RateStanding, Spending};
    use super::*;
    use serde_json::json;

    fn key() -> KeyStanding {
        let usd = |value| Amount { unit: Unit::Usd, value };
        let account = |budget: &str, limit, remaining| AccountStanding {
            budget: budget.to_owned(),
            window: "month".to_owned(),
            mode: "hard",
            limit: usd(limit),
            spent: usd(500_000_000),
            remaining: usd(remaining),
            starts_at: Timestamp(0),
            resets_at: Some(Timestamp(86_400_000)),
            ..AccountStanding::default()
        };
        let rate = RateStanding { limit: 60, remaining: 59, reset_ms: 1_000 };
        KeyStanding {
            id: "ab12".to_owned(),
            name: "ann".to_owned(),
            enabled: true,
            user: Some("ann@x".to_owned()),
            budgets: vec![
                account("large", 100_000_000_000, 99_000_000_000),
                account("small", 2_000_000_000, 1_250_000_001),
            ],
            limits: vec![LimitStanding {
                scope: "key:ab12".to_owned(),
                requests_per_minute: Some(rate),
                ..LimitStanding::default()
            }],
            spending: Spending { day_nano_usd: 7, all_nano_usd: 9, ..Spending::default() },
            ..KeyStanding::default()
        }
    }

    fn said(face: Face) -> serde_json::Value {
        serde_json::from_slice(&key().render(face)).unwrap()
    }

    #[test]
    fn our_own_shape_tells_money_in_dollars_and_lists_every_account() {
        let own = said(Face::Bursar);
        assert_eq!((&own["object"], &own["id"]), (&json!("key"), &json!("ab12")));
        assert_eq!(own["budgets"][1]["remaining"], "1.250000001");
        assert_eq!(own["budgets"][1]["resets_at"], "1970-01-02T00:00:00Z");
        assert_eq!(own["limits"][0]["requests_per_minute"]["remaining"], 59);
        assert_eq!(own["providers"], json!(null));
    }

    #[test]
    fn other_shapes_tell_of_the_budget_that_binds_first_and_money_is_exact() {
        let text = String::from_utf8(key().render(Face::OpenRouterKey).to_vec()).unwrap();
        assert!(text.contains(r#""limit_remaining":1.250000001"#), "{text}");
        assert!(text.contains(r#""usage":0.000000009"#), "{text}");
        let open = said(Face::OpenRouterKey);
        assert_eq!(open["data"]["limit_reset"], "monthly");
        assert_eq!(open["data"]["rate_limit"], json!({"requests": 60, "interval": "1m"}));
        let credits = String::from_utf8(key().render(Face::OpenRouterCredits).to_vec()).unwrap();
        assert_eq!(credits, r#"{"data":{"total_credits":2.00,"total_usage":0.749999999}}"#);
        let bifrost = said(Face::Bifrost);
        assert_eq!(bifrost["virtual_key_name"], "ann");
        assert_eq!(bifrost["budgets"][1]["reset_duration"], "1M");
        assert_eq!(bifrost["rate_limit"]["request_current_usage"], 1);
        let lite = said(Face::LiteLlm);
        assert_eq!(lite["info"]["rpm_limit"], 60);
        assert_eq!(lite["info"]["budget_reset_at"], "1970-01-02T00:00:00Z");
    }

    #[test]
    fn a_key_without_a_budget_in_money_has_no_limit_there() {
        let bare = KeyStanding::default();
        let said =
            |face| -> serde_json::Value { serde_json::from_slice(&bare.render(face)).unwrap() };
        assert_eq!(said(Face::OpenRouterKey)["data"]["limit"], json!(null));
        assert_eq!(said(Face::OpenRouterKey)["data"]["rate_limit"]["requests"], -1);
        assert_eq!(said(Face::OpenRouterCredits)["data"]["total_usage"], json!(0.0));
        assert_eq!(said(Face::LiteLlm)["info"]["max_budget"], json!(null));
        assert_eq!(said(Face::Bifrost)["budgets"], json!([]));
    }
}
