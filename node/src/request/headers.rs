//! What an answer says of itself in its headers.

use super::open::Open;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use ledger::{NanoUsd, Unit};

const PROVIDER: HeaderName = HeaderName::from_static("x-bursar-provider");
const MODEL: HeaderName = HeaderName::from_static("x-bursar-model");
const ROUTE: HeaderName = HeaderName::from_static("x-bursar-route");
const ATTEMPTS: HeaderName = HeaderName::from_static("x-bursar-attempts");
const MAX_TOKENS: HeaderName = HeaderName::from_static("x-bursar-max-tokens");
const COST: HeaderName = HeaderName::from_static("x-bursar-cost-usd");
const REMAINING: HeaderName = HeaderName::from_static("x-bursar-budget-remaining-usd");
const NODE: HeaderName = HeaderName::from_static("x-bursar-node");
const RECEIPT: HeaderName = HeaderName::from_static("x-bursar-receipt");
const HOLD: HeaderName = HeaderName::from_static("x-bursar-hold-usd");
/// The tokens told, or charged, were estimated here, and not counted by a provider.
pub(super) const ESTIMATED: HeaderName = HeaderName::from_static("x-bursar-estimated");
const DROPPED: HeaderName = HeaderName::from_static("x-bursar-dropped-params");
const EMULATED: HeaderName = HeaderName::from_static("x-bursar-emulated-params");
const DOWNGRADED_FROM: HeaderName = HeaderName::from_static("x-bursar-downgraded-from");

/// Writes our own headers: who answered, what was held, what it cost where that is known, what is left.
pub(crate) fn answer(open: &Open, cost_nano_usd: Option<i64>, headers: &mut HeaderMap) {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(cap) = open.quote.cap {
        headers.insert(MAX_TOKENS, HeaderValue::from(cap));
    }
    if let Some(model) = &open.downgraded_from {
        headers.insert(DOWNGRADED_FROM, model.clone());
    }
    if let Some(fields) = &open.dropped.dropped {
        headers.insert(DROPPED, fields.clone());
    }
    if let Some(fields) = &open.dropped.emulated {
        headers.insert(EMULATED, fields.clone());
    }
    super::policy::rate_headers(open, headers);
    headers.insert(RECEIPT, open.receipt.header());
    if !open.core.settings().response_headers {
        return;
    }
    headers.insert(PROVIDER, open.candidate.upstream.said.clone());
    headers.insert(MODEL, open.candidate.said.clone());
    headers.insert(ROUTE, open.candidate.route.clone());
    headers.insert(ATTEMPTS, attempts(open.attempts));
    headers.insert(NODE, open.core.node_name.clone());
    if open.terms().tariff.is_some() {
        headers.insert(HOLD, usd(held_nano_usd(open)));
        if let Some(cost) = cost_nano_usd {
            headers.insert(COST, usd(cost));
        }
    }
    if let Some(left) = remaining_nano_usd(open) {
        headers.insert(REMAINING, usd(left));
    }
}

/// Nearly always one, which costs no memory.
fn attempts(made: u32) -> HeaderValue {
    match made {
        1 => HeaderValue::from_static("1"),
        2 => HeaderValue::from_static("2"),
        more => HeaderValue::from(more),
    }
}

/// What was set aside for the attempt that is answered.
fn held_nano_usd(open: &Open) -> i64 {
    let settled = || open.charged.last().map(|charged| charged.held);
    let held = open.hold.as_ref().map(cluster::allowance::Hold::charge);
    held.or_else(settled).map_or(0, |held| held.nano_usd)
}

/// What is left of the tightest money budget, as far as this node knows; holds count as spent.
fn remaining_nano_usd(open: &Open) -> Option<i64> {
    let rooms = super::settle::rooms(&open.way);
    let money = rooms.filter(|room| room.unit == Unit::NanoUsd);
    money.map(|room| room.left.max(0)).min()
}

/// Takes over what the provider calls its stream.
pub(crate) fn content_type(from: &HeaderMap, headers: &mut HeaderMap) {
    let kind = from.get(CONTENT_TYPE).cloned();
    let kind = kind.unwrap_or_else(|| HeaderValue::from_static("text/event-stream"));
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
}

/// Dollars with nine decimals, without a sign of currency.
fn usd(nano_usd: i64) -> HeaderValue {
    let nanos = nano_usd.max(0).unsigned_abs();
    let per_usd = NanoUsd::PER_USD.unsigned_abs();
    let mut text = [b'0'; 32];
    let mut at = text.len();
    let mut put = |digit: u8| {
        at -= 1;
        text[at] = digit;
    };
    let (mut whole, mut part) = (nanos / per_usd, nanos % per_usd);
    for _ in 0..9 {
        put(b'0' + u8::try_from(part % 10).unwrap_or(0));
        part /= 10;
    }
    put(b'.');
    loop {
        put(b'0' + u8::try_from(whole % 10).unwrap_or(0));
        whole /= 10;
        if whole == 0 {
            break;
        }
    }
    HeaderValue::from_bytes(&text[at..]).unwrap_or_else(|_| HeaderValue::from_static("0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_exactly() {
        assert_eq!(usd(0), "0.000000000");
        assert_eq!(usd(1_234), "0.000001234");
        assert_eq!(usd(12_000_000_001), "12.000000001");
        assert_eq!(usd(i64::MAX), "9223372036.854775807");
    }
}
