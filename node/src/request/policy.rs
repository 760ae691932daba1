//! May they? Rates and concurrency, and what is refused where nothing fits.

use super::open::Open;
use super::terms::Candidate;
use super::way::Limit;
use api::refusal::Reason;
use cluster::rates::{Begun, Dimension, Limited, RateStanding};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use ledger::UnixMillis;
use std::rc::Rc;
use std::time::Duration;
use wire::{Call, Refusal, Retry};

/// Output assumed for a rate limit where the caller set none; the end corrects it.
const OUTPUT_TOKENS_GUESS: u64 = 512;
/// Longest a request waits for its node's share of a limit to grow.
pub(crate) const SHARE_WITHIN: Duration = Duration::from_millis(250);
/// Bytes of text per token, on average: rates may be estimated, money may not.
const BYTES_PER_TOKEN: u64 = 4;

/// A request's place under one limit; the place in flight is free again when it is dropped.
pub(crate) struct Place {
    limit: Rc<Limit>,
    begun: Begun,
    /// Tokens of the attempts that were made under it.
    tokens: u64,
}

/// Takes a place under every limit of the attempt's way that the request has none under yet. Those of an
/// earlier attempt count on: it was made. `tokens` is about how many it will use.
///
/// # Errors
///
/// The limit that is reached, by its id, and the refusal; places taken for this attempt are given back.
pub(crate) async fn begin(
    open: &mut Open,
    tokens: u64,
    now: UnixMillis,
) -> Result<(), (String, Refusal)> {
    if open.way.limits.is_empty() {
        return Ok(());
    }
    let (way, core) = (Rc::clone(&open.way), Rc::clone(&open.core));
    let had = open.places.len();
    for limit in &way.limits {
        if open.places[..had].iter().any(|place| place.limit.id == limit.id) {
            continue;
        }
        match core.rates().begin(&limit.terms, now.0, tokens, SHARE_WITHIN).await {
            Ok(begun) => {
                open.places.push(Place { limit: Rc::clone(limit), begun, tokens: 0 });
            }
            Err(limited) => {
                give_back(open, had);
                return Err((limit.id.clone(), limited_refusal(&limit.id, &limited)));
            }
        }
    }
    Ok(())
}

/// Gives back all places but the first `kept`: what they were taken for did not happen.
pub(crate) fn give_back(open: &mut Open, kept: usize) {
    open.places.drain(kept..).for_each(|place| place.begun.cancel());
}

/// Counts the tokens of an attempt under the limits of its way.
pub(crate) fn count_tokens(open: &mut Open, tokens: u64) {
    for place in &mut open.places {
        if open.way.limits.iter().any(|limit| limit.id == place.limit.id) {
            place.tokens = place.tokens.saturating_add(tokens);
        }
    }
}

/// The request is over: estimates give way to what was used.
pub(crate) fn end(places: Vec<Place>, now: UnixMillis) {
    for Place { mut begun, tokens, .. } in places {
        begun.used_tokens(tokens, now.0);
    }
}

/// About how many tokens a call will use.
pub(crate) fn estimate(call: &Call) -> u64 {
    let output = if call.operation.generates() {
        let asked = call.output_tokens_max.unwrap_or(OUTPUT_TOKENS_GUESS);
        asked.min(OUTPUT_TOKENS_GUESS).saturating_mul(call.choices)
    } else {
        0
    };
    output.saturating_add(call.input_bytes / BYTES_PER_TOKEN)
}

/// Whose limit it is, in words: `key:ab12/openai` is virtual key ab12 at openai.
fn whose(id: &str) -> String {
    let (id, place) = match id.split_once('/') {
        Some((id, place)) => (id, format!(" at {place}")),
        None => (id, String::new()),
    };
    match id.split_once(':') {
        Some(("key", id)) => format!("virtual key {id}{place}"),
        Some((kind, name)) => format!("{kind} {name}{place}"),
        None => format!("{id}{place}"),
    }
}

fn limited_refusal(id: &str, limited: &Limited) -> Refusal {
    refuse(&format!("{} may use", whose(id)), limited)
}

/// The refusal of a budget that lets only so many requests through on the way to its limit.
pub(crate) fn throttled(budget: &str, limited: &Limited) -> Refusal {
    refuse(&format!("budget {budget} is nearly spent and lets through"), limited)
}

fn refuse(who: &str, limited: &Limited) -> Refusal {
    let (reason, what) = match limited.which {
        Dimension::Requests => (Reason::RequestLimited, "requests a minute"),
        Dimension::Tokens => (Reason::TokenLimited, "tokens a minute"),
        Dimension::Concurrency => (Reason::ConcurrencyLimited, "requests at once"),
    };
    let (limit, remaining, ms) = (limited.limit, limited.remaining, limited.retry_after_ms.max(1));
    let say = format!("{who} {limit} {what}; {remaining} remain");
    if limit == 0 {
        // No time cures it.
        return Refusal { retry: Retry::Never, ..reason.refuse(say) };
    }
    reason.refuse_for(ms, format!("{say}, try again in {ms} ms"))
}

/// The refusal of a model without a price under a money budget.
pub(crate) fn unpriced(candidate: &Candidate) -> Refusal {
    let how = if candidate.terms.upstream_name.starts_with("arn:") {
        "an ARN does not tell its model; the operator can set a price, or name the model as the catalog does"
    } else {
        "the operator can set one"
    };
    Reason::ModelUnpriced.refuse(format!(
        "the model {}/{} has no price, and a budget in money is charged; {how}",
        candidate.upstream.name, candidate.label
    ))
}

/// The refusal where every place a name stands for is unusable.
pub(crate) fn nowhere(model: &str) -> Refusal {
    let model: String = model.chars().take(200).collect();
    Reason::UpstreamUnreachable
        .refuse(format!("no provider that serves {model} can be used at present"))
}

/// Says what is left of the request's rates: of each kind the limit that binds first.
pub(crate) fn rate_headers(open: &Open, headers: &mut HeaderMap) {
    if open.places.is_empty() {
        return;
    }
    let now_ms = open.core.now().0;
    let tightest = |dimension| {
        let limits = open.way.limits.iter();
        let all = limits.map(|limit| open.core.rates().standing(&limit.terms, dimension, now_ms));
        let set = all.filter(|standing| standing.limit.is_some());
        set.min_by_key(|standing| standing.remaining).unwrap_or_default()
    };
    put(&REQUESTS, &tightest(Dimension::Requests), headers);
    put(&TOKENS, &tightest(Dimension::Tokens), headers);
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
            let refusal = limited_refusal("key:k1", &limited);
            assert_eq!((refusal.status, refusal.code), (429, code));
            assert_eq!(refusal.retry, Retry::AfterMs(1_500));
            assert!(refusal.say.contains("virtual key k1") && refusal.say.contains("60"));
            let none = limited_refusal("key:k1", &Limited { limit: 0, ..limited });
            assert_eq!((none.status, none.retry), (429, Retry::Never));
        }
    }

    #[test]
    fn a_limit_is_named_by_whose_it_is() {
        let cases = [
            ("key:k1/openai/gpt-4o", "virtual key k1 at openai/gpt-4o"),
            ("team:ml", "team ml"),
            ("selector:dev", "selector dev"),
        ];
        for (id, said) in cases {
            assert_eq!(whose(id), said);
        }
        let limited = Limited {
            which: Dimension::Requests,
            limit: 6,
            remaining: 0,
            retry_after_ms: 9,
            may_grow: false,
        };
        let refusal = throttled("month", &limited);
        assert_eq!(refusal.code, "request_limited");
        assert!(refusal.say.contains("budget month"), "{}", refusal.say);
    }

    #[test]
    fn an_estimate_grows_with_input_and_choices() {
        let call = |body: &str| {
            let operation = wire::Operation::ChatCompletions;
            wire::dialect::openai_chat::read(&wire::Asked::of(operation), body.as_bytes()).unwrap()
        };
        let one = call(r#"{"model":"m","messages":[],"max_tokens":10}"#);
        let two = call(r#"{"model":"m","messages":[],"max_tokens":10,"n":2}"#);
        assert_eq!(estimate(&one), 10 + one.input_bytes / 4);
        assert_eq!(estimate(&two), 20 + two.input_bytes / 4);
    }
}
