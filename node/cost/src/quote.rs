//! What may it cost? Pure: bounds on tokens and money, and the cap that makes them hold.

mod media;

use crate::Tariff;
use ledger::{Charge, Mode, Unit};
use wire::{Call, Matter, Usage};

/// Fewest output tokens worth asking for where the caller set no limit.
const OUTPUT_TOKENS_FLOOR: u64 = 1_024;
/// Most output tokens per choice where neither the caller nor anyone else knows a limit.
const OUTPUT_TOKENS_UNKNOWN_MAX: u64 = 16_384;
/// Most output tokens of a model that thinks beyond its limit and whose own is not known.
const THINKING_TOKENS_MAX: u64 = 131_072;
/// Most searches of the web in one answer where the provider's own tools are given; no provider states a
/// limit, and recorded answers have fewer.
const WEB_SEARCHES_MAX: u64 = 16;
/// A cap of ours takes at most this part of what is left, so that one request leaves room for others.
const SHARE: i64 = 8;

/// What is known of the model a call goes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelTerms {
    /// The provider's name of it.
    pub upstream_name: String,
    /// Tokens the provider puts before every prompt.
    pub hidden_tokens: u64,
    /// Prices; `None`: nothing is charged in money.
    pub tariff: Option<Tariff>,
    /// Most input tokens it takes.
    pub input_tokens_max: Option<u64>,
    /// Most output tokens it produces per choice.
    pub output_tokens_max: Option<u64>,
    /// It may think, and bill that, without a word of it on the wire.
    pub thinks: bool,
}

impl ModelTerms {
    /// What a call of this usage is charged.
    #[must_use]
    pub fn charge(&self, usage: &Usage) -> Charge {
        Charge {
            nano_usd: self.tariff.as_ref().map_or(0, |tariff| tariff.price(usage)),
            tokens: clamp(usage.input_tokens.saturating_add(usage.output_tokens)),
            requests: 1,
        }
    }

    /// The most output tokens one choice can be billed for under a limit.
    fn output_bound(&self, limit: u64) -> u64 {
        if limit == 0 {
            return 0;
        }
        let bound = wire::bound::output_tokens(&self.upstream_name, limit);
        // A model that thinks beyond its limit stops at its own.
        bound.unwrap_or_else(|| limit.max(self.output_tokens_max.unwrap_or(THINKING_TOKENS_MAX)))
    }
}

/// Why a hard budget cannot admit a call: what it may cost is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unquotable {
    /// It holds content whose tokens nothing bounds.
    Unbounded,
    /// It asks for a class of service without a price.
    Unpriced,
}

/// What is left of one account, in its unit, as far as this node knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// What it counts.
    pub unit: Unit,
    /// Whether it may be passed.
    pub mode: Mode,
    /// So much.
    pub left: i64,
}

/// What one attempt may cost at worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quote {
    /// The most of each count, over all choices, and the dearest class of service it may be served at.
    pub most: Usage,
    /// A limit per choice to be sent: one that we set, or lowered.
    pub cap: Option<u64>,
}

impl Quote {
    /// The charge to be held.
    #[must_use]
    pub fn charge(&self, terms: &ModelTerms) -> Charge {
        let money = terms.tariff.as_ref();
        Charge {
            nano_usd: money.map_or(0, |tariff| tariff.bound(&self.most)),
            tokens: clamp(self.most.input_tokens.saturating_add(self.most.output_tokens)),
            requests: 1,
        }
    }
}

/// Bounds a call. Two quotes: the one wanted, and the least one worth asking for.
///
/// # Errors
///
/// Content that nothing bounds, or a class of service without a price, under a hard budget.
pub fn quote(
    call: &Call,
    terms: &ModelTerms,
    rooms: impl Iterator<Item = Room> + Clone,
) -> Result<(Quote, Quote), Unquotable> {
    let hard = rooms.filter(|room| room.mode == Mode::Hard && room.unit != Unit::Requests);
    if call.operation.matter() != Matter::Text {
        let quote = media::quote(call, terms, hard)?;
        return Ok((quote, quote));
    }
    let bounded = hard.clone().next().is_some();
    let input = wire::bound::input_tokens(call, terms.hidden_tokens).within(terms.input_tokens_max);
    let input_tokens = match input {
        Some(tokens) => tokens,
        None if bounded => return Err(Unquotable::Unbounded),
        None => 0,
    };
    if hard.clone().any(|room| room.unit == Unit::NanoUsd) {
        known_service(call, terms)?;
    }
    let most = most(call, input_tokens);
    let of = |per_choice: u64, cap| {
        let output_tokens = terms.output_bound(per_choice).saturating_mul(call.choices);
        Quote { most: Usage { output_tokens, ..most }, cap }
    };
    if !call.operation.generates() {
        return Ok((of(0, None), of(0, None)));
    }
    let longest = terms.output_tokens_max.unwrap_or(OUTPUT_TOKENS_UNKNOWN_MAX);
    match (call.output_tokens_max, terms.output_tokens_max) {
        (Some(asked), Some(known)) if asked > known => {
            let lowered = of(known, Some(known));
            Ok((lowered, lowered))
        }
        (Some(asked), _) => Ok((of(asked, None), of(asked, None))),
        (None, _) if !bounded => {
            let guess = OUTPUT_TOKENS_FLOOR.min(longest);
            Ok((of(guess, None), of(guess, None)))
        }
        (None, _) => {
            let least = OUTPUT_TOKENS_FLOOR.min(longest);
            let choices = call.choices.max(1);
            let fits = hard.map(|room| fit(&room, &most, terms.tariff.as_ref()) / choices);
            let cap = fits.min().unwrap_or(longest).clamp(least, longest);
            Ok((of(cap, Some(cap)), of(least, Some(least))))
        }
    }
}

/// The most output tokens a fair share of what is left pays for.
fn fit(room: &Room, most: &Usage, tariff: Option<&Tariff>) -> u64 {
    let share = room.left.max(0) / SHARE;
    match (room.unit, tariff) {
        (Unit::NanoUsd, Some(tariff)) => tariff.output_tokens_for(share, most),
        (Unit::NanoUsd, None) | (Unit::Requests, _) => u64::MAX,
        (Unit::Tokens, _) => u64::try_from(share).unwrap_or(0).saturating_sub(most.input_tokens),
    }
}

/// The most of each count but the output's, as far as the request says.
fn most(call: &Call, input_tokens: u64) -> Usage {
    let of = |some: u64| if some + call.media.unbounded > 0 { input_tokens } else { 0 };
    Usage {
        input_tokens,
        cache_write_1h_tokens: if call.wishes.hour_cache { input_tokens } else { 0 },
        audio_input_tokens: of(call.media.audio),
        image_input_tokens: of(call.media.images),
        search_units: wire::bound::search_units(call),
        web_searches: if call.media.unbounded > 0 { WEB_SEARCHES_MAX } else { 0 },
        service: call.wishes.service,
        ..Usage::default()
    }
}

/// Refuses a class of service that nobody knows the price of; one that the provider may choose by itself
/// costs the dearest that is known.
fn known_service(call: &Call, terms: &ModelTerms) -> Result<(), Unquotable> {
    let asked = match call.wishes.service {
        Some(wire::Service::Priority | wire::Service::Other) => terms.tariff.as_ref(),
        None | Some(wire::Service::Standard | wire::Service::Batch | wire::Service::Flex) => None,
    };
    match asked {
        Some(tariff) if !tariff.has(ledger::Service::Priority) => Err(Unquotable::Unpriced),
        Some(_) | None => Ok(()),
    }
}

/// As a signed number; saturates.
fn clamp(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::{NanoUsd, Price};
    use wire::Operation;

    fn call(body: &str) -> Call {
        wire::dialect::openai_chat::read(
            &wire::Asked::of(Operation::ChatCompletions),
            body.as_bytes(),
        )
        .unwrap()
    }

    fn terms(output_tokens_max: Option<u64>) -> ModelTerms {
        ModelTerms {
            tariff: Some(Tariff::from(&Price {
                input_nano_usd_per_mtok: 1_000_000_000,
                output_nano_usd_per_mtok: 4_000_000_000,
                ..Price::default()
            })),
            output_tokens_max,
            ..ModelTerms::default()
        }
    }

    fn hard(left: i64) -> Room {
        Room { unit: Unit::NanoUsd, mode: Mode::Hard, left }
    }

    /// What providers may produce beyond a limit.
    const SLACK: u64 = 16;
    const PLAIN: &str = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;

    #[test]
    fn a_callers_own_limit_is_held_in_full_and_not_touched() {
        let call = call(r#"{"model":"m","messages":[],"max_tokens":50,"n":2}"#);
        let (wanted, least) = quote(&call, &terms(Some(4_096)), [hard(1)].into_iter()).unwrap();
        assert_eq!((wanted.most.output_tokens, wanted.cap), (2 * (50 + SLACK), None));
        assert_eq!(wanted, least);
    }

    #[test]
    fn a_limit_beyond_the_models_is_lowered() {
        let call = call(r#"{"model":"m","messages":[],"max_tokens":1000000}"#);
        let (wanted, _) = quote(&call, &terms(Some(4_096)), [hard(1)].into_iter()).unwrap();
        assert_eq!((wanted.most.output_tokens, wanted.cap), (4_096 + SLACK, Some(4_096)));
    }

    #[test]
    fn without_a_limit_a_fair_share_of_what_is_left_is_the_cap() {
        let usd = NanoUsd::PER_USD;
        let cases = [
            // (left, the model's own maximum, the cap)
            (usd, Some(4_096), 4_096),
            (usd, None, OUTPUT_TOKENS_UNKNOWN_MAX),
            (usd / 10, Some(100_000), 3_125),
            (usd / 1_000, Some(100_000), 1_024),
            (0, Some(100_000), 1_024),
            (0, Some(100), 100),
        ];
        for (left, most, cap) in cases {
            let (wanted, least) =
                quote(&call(PLAIN), &terms(most), [hard(left)].into_iter()).unwrap();
            let got = wanted.cap.unwrap();
            assert!(got <= cap && got > cap - 100, "{left} {most:?}: {got}, not {cap}");
            assert!(least.cap.unwrap() <= OUTPUT_TOKENS_FLOOR);
        }
    }

    #[test]
    fn nothing_is_changed_without_a_hard_budget() {
        let soft = Room { mode: Mode::Soft, ..hard(0) };
        let requests = Room { unit: Unit::Requests, ..hard(0) };
        for rooms in [&[][..], &[soft], &[requests]].map(|rooms| rooms.iter().copied()) {
            let (wanted, _) = quote(&call(PLAIN), &terms(None), rooms).unwrap();
            assert_eq!(wanted.cap, None);
        }
    }

    #[test]
    fn a_class_of_service_without_a_price_is_refused_only_under_a_hard_budget_in_money() {
        let body = br#"{"model":"m","messages":[],"max_tokens":9,"service_tier":"priority"}"#;
        let asked = wire::Asked::of(Operation::ChatCompletions);
        let call = wire::dialect::openai_chat::DIALECT.call(&asked, body).unwrap();
        let refused = quote(&call, &terms(None), [hard(1)].into_iter());
        assert_eq!(refused, Err(Unquotable::Unpriced));
        assert!(quote(&call, &terms(None), [].into_iter()).is_ok());
        let rates = vec![ledger::Rate {
            service: ledger::Service::Priority,
            nano_usd_per_million: 5_000_000_000,
            ..ledger::Rate::default()
        }];
        let tariff = Tariff::from(&Price { rates, ..Price::default() });
        let priced = ModelTerms { tariff: Some(tariff), ..terms(None) };
        let (wanted, _) = quote(&call, &priced, [hard(1)].into_iter()).unwrap();
        let held = wanted.charge(&priced).nano_usd;
        assert_eq!(held, i64::try_from(wanted.most.input_tokens).unwrap() * 5_000);
    }

    #[test]
    fn what_nothing_bounds_is_refused_only_under_a_hard_budget() {
        let file = r#"{"model":"m","messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"f"}}]}]}"#;
        assert_eq!(
            quote(&call(file), &terms(None), [hard(1)].into_iter()),
            Err(Unquotable::Unbounded)
        );
        assert!(quote(&call(file), &terms(None), [].into_iter()).is_ok());
        let known = ModelTerms { input_tokens_max: Some(9), ..terms(None) };
        assert_eq!(
            quote(&call(file), &known, [hard(1)].into_iter()).unwrap().0.most.input_tokens,
            9
        );
    }
}
