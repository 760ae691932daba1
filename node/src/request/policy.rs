//! May they? Rates and concurrency, and what is refused where nothing fits.

use super::open::Open;
use super::terms::{Candidate, Terms};
use crate::plane::core::Core;
use api::refusal::Reason;
use cluster::rates::{Begun, Dimension, Limited, RateStanding};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use ledger::{RateLimits, UnixMillis};
use std::time::Duration;
use wire::{Call, Refusal, Retry};

/// Output assumed for a rate limit where the caller set none; the end corrects it.
const OUTPUT_TOKENS_GUESS: u64 = 512;
/// Longest a request waits for its node's share of a limit to grow.
const SHARE_WITHIN: Duration = Duration::from_millis(250);
/// Bytes of text per token, on average: rates may be estimated, money may not.
const BYTES_PER_TOKEN: u64 = 4;

/// Takes a place under the key's rates, where it has any.
///
/// # Errors
///
/// The limit that is reached, and when to come again.
pub(crate) async fn begin(
    core: &Core,
    terms: &Terms,
    call: &Call,
    now: UnixMillis,
) -> Result<Option<Begun>, Refusal> {
    if terms.key.limits == RateLimits::default() {
        return Ok(None);
    }
    let begun = core.rates().begin(&terms.rates, now.0, estimate(call), SHARE_WITHIN).await;
    begun.map(Some).map_err(|limited| limited_refusal(&terms.key.id, &limited))
}

/// About how many tokens a call will use.
fn estimate(call: &Call) -> u64 {
    let output = if call.operation.generates() {
        let asked = call.output_tokens_max.unwrap_or(OUTPUT_TOKENS_GUESS);
        asked.min(OUTPUT_TOKENS_GUESS).saturating_mul(call.choices)
    } else {
        0
    };
    output.saturating_add(call.input_bytes / BYTES_PER_TOKEN)
}

fn limited_refusal(key_id: &str, limited: &Limited) -> Refusal {
    let (reason, what) = match limited.which {
        Dimension::Requests => (Reason::RequestLimited, "requests a minute"),
        Dimension::Tokens => (Reason::TokenLimited, "tokens a minute"),
        Dimension::Concurrency => (Reason::ConcurrencyLimited, "requests at once"),
    };
    let (limit, remaining, ms) = (limited.limit, limited.remaining, limited.retry_after_ms.max(1));
    let say = format!("virtual key {key_id} may use {limit} {what}; {remaining} remain");
    if limit == 0 {
        // No time cures it.
        return Refusal { retry: Retry::Never, ..reason.refuse(say) };
    }
    reason.refuse_for(ms, format!("{say}, try again in {ms} ms"))
}

/// The refusal of a model without a price under a money budget.
pub(crate) fn unpriced(candidate: &Candidate) -> Refusal {
    Reason::ModelUnpriced.refuse(format!(
        "the model {}/{} has no price, and a budget in money is charged; the operator can set one",
        candidate.upstream.name, candidate.label
    ))
}

/// The refusal where every place a name stands for is unusable.
pub(crate) fn nowhere(model: &str) -> Refusal {
    let model: String = model.chars().take(200).collect();
    Reason::UpstreamUnreachable
        .refuse(format!("no provider that serves {model} can be used at present"))
}

/// Says what is left of the key's rates.
pub(crate) fn rate_headers(open: &Open, headers: &mut HeaderMap) {
    if open.begun.is_none() {
        return;
    }
    let now_ms = open.core.now().0;
    let of = |dimension| open.core.rates().standing(&open.terms.rates, dimension, now_ms);
    put(&REQUESTS, &of(Dimension::Requests), headers);
    put(&TOKENS, &of(Dimension::Tokens), headers);
}

/// Names of the headers of one dimension: limit, remaining, reset.
static REQUESTS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-requests"),
    HeaderName::from_static("x-ratelimit-remaining-requests"),
    HeaderName::from_static("x-ratelimit-reset-requests"),
];
static TOKENS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-tokens"),
    HeaderName::from_static("x-ratelimit-remaining-tokens"),
    HeaderName::from_static("x-ratelimit-reset-tokens"),
];

fn put(names: &[HeaderName; 3], standing: &RateStanding, headers: &mut HeaderMap) {
    let Some(limit) = standing.limit else { return };
    headers.insert(names[0].clone(), HeaderValue::from(limit));
    headers.insert(names[1].clone(), HeaderValue::from(standing.remaining));
    let reset = HeaderValue::from_str(&format!("{}ms", standing.reset_ms));
    headers.insert(names[2].clone(), reset.expect("digits and letters are a header value"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_has_its_code_and_its_time() {
        let cases = [
            (Dimension::Requests, "request_limited"),
            (Dimension::Tokens, "token_limited"),
            (Dimension::Concurrency, "concurrency_limited"),
        ];
        for (which, code) in cases {
            let limited =
                Limited { which, limit: 60, remaining: 0, retry_after_ms: 1_500, may_grow: false };
            let refusal = limited_refusal("k1", &limited);
            assert_eq!((refusal.status, refusal.code), (429, code));
            assert_eq!(refusal.retry, Retry::AfterMs(1_500));
            assert!(refusal.say.contains("k1") && refusal.say.contains("60"));
            let none = limited_refusal("k1", &Limited { limit: 0, ..limited });
            assert_eq!((none.status, none.retry), (429, Retry::Never));
        }
    }

    #[test]
    fn an_estimate_grows_with_input_and_choices() {
        let call = |body: &str| {
            let operation = wire::Operation::ChatCompletions;
            wire::dialect::openai_chat::read(operation, body.as_bytes()).unwrap()
        };
        let one = call(r#"{"model":"m","messages":[],"max_tokens":10}"#);
        let two = call(r#"{"model":"m","messages":[],"max_tokens":10,"n":2}"#);
        assert_eq!(estimate(&one), 10 + one.input_bytes / 4);
        assert_eq!(estimate(&two), 20 + two.input_bytes / 4);
    }
}
