//! What may it cost, and what did it cost? Holds are set before a request is sent and settled once after.
//!
//! The first half is pure: bounds and caps as integers. [`reserve`] and [`close`] do.

use super::open::Open;
use super::price::Tariff;
use crate::metrics::slots::Ending;
use api::refusal::Reason;
use cluster::allowance::{Allowances, Charge, Hold, Purse, Short, Why};
use ledger::view::AccountTerms;
use ledger::{Mode, NanoUsd, Unit, UnixMillis};
use std::sync::Arc;
use std::time::Duration;
use wire::{Call, Refusal, Usage};

/// Fewest output tokens worth asking for where the caller set no limit.
const OUTPUT_TOKENS_FLOOR: u64 = 1_024;
/// Most output tokens per choice where neither the caller nor anyone else knows a limit.
const OUTPUT_TOKENS_UNKNOWN_MAX: u64 = 16_384;
/// Most output tokens of a model that thinks beyond its limit and whose own is not known.
const THINKING_TOKENS_MAX: u64 = 131_072;
/// A cap of ours takes at most this part of what is left, so that one request leaves room for others.
const SHARE: i64 = 8;
/// Longest a request waits for its node's allowance to be refilled.
const REFILL_WITHIN: Duration = Duration::from_millis(250);

/// What is known of the model a call goes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ModelTerms {
    /// The provider's name of it.
    pub(crate) upstream_name: String,
    /// Tokens the provider puts before every prompt.
    pub(crate) hidden_tokens: u64,
    /// Prices; `None`: nothing is charged in money.
    pub(crate) tariff: Option<Tariff>,
    /// Most input tokens it takes.
    pub(crate) input_tokens_max: Option<u64>,
    /// Most output tokens it produces per choice.
    pub(crate) output_tokens_max: Option<u64>,
}

impl ModelTerms {
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

/// What is left of one account, in its unit, as far as this node knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) unit: Unit,
    pub(crate) mode: Mode,
    pub(crate) left: i64,
}

/// What one attempt may cost at worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quote {
    /// Most input tokens.
    pub(crate) input_tokens: u64,
    /// Most output tokens, over all choices.
    pub(crate) output_tokens: u64,
    /// A limit per choice to be sent: one that we set, or lowered.
    pub(crate) cap: Option<u64>,
}

impl Quote {
    /// The charge to be held.
    pub(crate) fn charge(&self, terms: &ModelTerms) -> Charge {
        let money = terms.tariff.as_ref();
        Charge {
            nano_usd: money.map_or(0, |tariff| tariff.bound(self.input_tokens, self.output_tokens)),
            tokens: clamp(self.input_tokens.saturating_add(self.output_tokens)),
            requests: 1,
        }
    }
}

/// Bounds a call. Two quotes: the one wanted, and the least one worth asking for.
///
/// # Errors
///
/// Content whose tokens nothing bounds, where a hard budget needs a bound.
pub(crate) fn quote(
    call: &Call,
    terms: &ModelTerms,
    rooms: &[Room],
) -> Result<(Quote, Quote), Refusal> {
    let hard = |room: &&Room| room.mode == Mode::Hard && room.unit != Unit::Requests;
    let bounded = rooms.iter().any(|room| hard(&room));
    let input = wire::bound::input_tokens(call, terms.hidden_tokens).within(terms.input_tokens_max);
    let input_tokens = match input {
        Some(tokens) => tokens,
        None if bounded => return Err(unbounded(&call.model)),
        None => 0,
    };
    let of = |per_choice: u64, cap| Quote {
        input_tokens,
        output_tokens: terms.output_bound(per_choice).saturating_mul(call.choices),
        cap,
    };
    if !call.operation.generates() {
        return Ok((of(0, None), of(0, None)));
    }
    let most = terms.output_tokens_max.unwrap_or(OUTPUT_TOKENS_UNKNOWN_MAX);
    match (call.output_tokens_max, terms.output_tokens_max) {
        (Some(asked), Some(known)) if asked > known => {
            let lowered = of(known, Some(known));
            Ok((lowered, lowered))
        }
        (Some(asked), _) => Ok((of(asked, None), of(asked, None))),
        (None, _) if !bounded => {
            let guess = OUTPUT_TOKENS_FLOOR.min(most);
            Ok((of(guess, None), of(guess, None)))
        }
        (None, _) => {
            let least = OUTPUT_TOKENS_FLOOR.min(most);
            let fits = rooms.iter().filter(hard).map(|room| {
                fit(room, input_tokens, terms.tariff.as_ref()) / call.choices.max(1)
            });
            let cap = fits.min().unwrap_or(most).clamp(least, most);
            Ok((of(cap, Some(cap)), of(least, Some(least))))
        }
    }
}

/// The most output tokens a fair share of what is left pays for.
fn fit(room: &Room, input_tokens: u64, tariff: Option<&Tariff>) -> u64 {
    let share = room.left.max(0) / SHARE;
    match (room.unit, tariff) {
        (Unit::NanoUsd, Some(tariff)) => tariff.output_tokens_for(share, input_tokens),
        (Unit::NanoUsd, None) | (Unit::Requests, _) => u64::MAX,
        (Unit::Tokens, _) => u64::try_from(share).unwrap_or(0).saturating_sub(input_tokens),
    }
}

fn unbounded(model: &str) -> Refusal {
    let model: String = model.chars().take(200).collect();
    Reason::RequestExceedsBudget.refuse(format!(
        "the request holds content whose tokens cannot be bounded, and no context limit is known for {model}; a hard budget cannot admit it"
    ))
}

fn clamp(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}

/// How the money of an attempt is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bill {
    /// The provider did not begin: all is given back.
    Void,
    /// The provider said what it used.
    Told(Usage),
    /// The provider did not say; this much is known not to be exceeded, and neither is the hold.
    AtMost(Usage),
    /// Nobody knows how far the provider got: the whole hold.
    Whole,
}

impl Bill {
    /// The charge, and the usage it stands for.
    pub(crate) fn charge(self, quote: &Quote, terms: &ModelTerms) -> (Charge, Usage) {
        let whole = Usage {
            input_tokens: quote.input_tokens,
            output_tokens: quote.output_tokens,
            ..Usage::default()
        };
        match self {
            Self::Void => (Charge::ZERO, Usage::default()),
            Self::Whole => (quote.charge(terms), whole),
            Self::Told(usage) => (charge_of(&usage, terms), usage),
            Self::AtMost(usage) => {
                let usage = Usage {
                    input_tokens: usage.input_tokens.min(quote.input_tokens),
                    output_tokens: usage.output_tokens.min(quote.output_tokens),
                    ..usage
                };
                (charge_of(&usage, terms), usage)
            }
        }
    }
}

fn charge_of(usage: &Usage, terms: &ModelTerms) -> Charge {
    Charge {
        nano_usd: terms.tariff.as_ref().map_or(0, |tariff| tariff.price(usage)),
        tokens: clamp(usage.input_tokens.saturating_add(usage.output_tokens)),
        requests: 1,
    }
}

/// What is left of each account of a path.
pub(crate) fn rooms(path: &[Arc<Purse>], accounts: &[AccountTerms]) -> Vec<Room> {
    let room = |(purse, account): (&Arc<Purse>, &AccountTerms)| {
        let books = purse.books();
        // Before anything was heard the limit is the best guess; the hold itself will know.
        let pool = books.pool.unwrap_or(books.limit).max(0);
        Room {
            unit: account.unit,
            mode: account.mode,
            left: pool.saturating_add(books.available.max(0)),
        }
    };
    path.iter().zip(accounts).map(room).collect()
}

/// Sets the money aside: as much as wanted, or the least worth asking for.
///
/// # Errors
///
/// The account that is short, and why.
pub(crate) async fn reserve(
    allowances: &Allowances,
    path: &Arc<[Arc<Purse>]>,
    (wanted, least): (Quote, Quote),
    terms: &ModelTerms,
    now: UnixMillis,
) -> Result<(Quote, Hold), Short> {
    let charge = wanted.charge(terms);
    if let Ok(hold) = allowances.try_hold(path, &charge, now) {
        return Ok((wanted, hold));
    }
    match allowances.hold(path, &charge, now, REFILL_WITHIN).await {
        Ok(hold) => Ok((wanted, hold)),
        Err(_) if least != wanted => {
            let charge = least.charge(terms);
            let hold = allowances.hold(path, &charge, now, REFILL_WITHIN).await?;
            Ok((least, hold))
        }
        Err(short) => Err(short),
    }
}

/// What a caller hears whose request does not fit.
pub(crate) fn refusal(
    short: &Short,
    accounts: &[AccountTerms],
    exceeded_status: u16,
    now: UnixMillis,
) -> Refusal {
    let account = accounts.iter().find(|account| account.account == short.account);
    let say = say(short, account);
    let resets_in_ms = short.resets_at.map(|at| at.0.saturating_sub(now.0));
    match short.why {
        Why::InFlight => Reason::BudgetInFlight
            .refuse(format!("{say}; requests in flight may free it")),
        Why::Spent => {
            let mut refusal = Reason::BudgetExceeded.refuse(say);
            refusal.status = exceeded_status;
            refusal.note = resets_in_ms.map(|ms| format!("resets in {ms} ms").into());
            refusal
        }
        Why::NeverFits => {
            let mut refusal = Reason::RequestExceedsBudget.refuse(say);
            refusal.status = exceeded_status;
            refusal
        }
        Why::NoQuorum | Why::PeriodOver => Reason::ClusterUnavailable.refuse(
            "the cluster cannot say at present what is left of the budget; try again shortly",
        ),
    }
}

fn say(short: &Short, account: Option<&AccountTerms>) -> String {
    let (name, unit) = account.map_or(("?", Unit::Requests), |terms| {
        (terms.budget.as_str(), terms.unit)
    });
    let amount = |value: i64| match unit {
        Unit::NanoUsd => NanoUsd(value).to_string(),
        Unit::Tokens => format!("{value} tokens"),
        Unit::Requests => format!("{value} requests"),
    };
    let resets = short
        .resets_at
        .map_or_else(|| "never".to_owned(), |at| api_time(at));
    format!(
        "budget {name} has {} of {} left, this request may cost up to {}; resets {resets}",
        amount(short.remaining),
        amount(short.limit),
        amount(short.asked),
    )
}

/// `2026-11-20T10:00:00Z`.
fn api_time(at: UnixMillis) -> String {
    let s = at.0 / 1_000;
    let (days, rest) = (s / 86_400, s % 86_400);
    // Days since 0000-03-01, in eras of 400 years.
    let z = days + 719_468;
    let (era, day_of_era) = (z / 146_097, z % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Settles an attempt that is followed by another: nothing of it is told to the caller.
pub(crate) fn give_up(open: &mut Open, bill: Bill) {
    open.slot().attempts_failed.add(1);
    if let Some(hold) = open.hold.take() {
        let (charge, usage) = bill.charge(&open.quote, open.terms());
        open.count(&charge, &usage);
        finish(hold, bill, charge);
    }
}

/// Settles a request: money, rates, metrics, log. Takes the request, so it happens once.
pub(crate) fn close(mut open: Open, bill: Bill, ending: Ending) {
    let (charge, usage) = bill.charge(&open.quote, open.terms());
    if let Some(hold) = open.hold.take() {
        open.count(&charge, &usage);
        finish(hold, bill, charge);
    }
    open.over(&charge, &usage, matches!(bill, Bill::Told(_)), ending);
}

fn finish(hold: Hold, bill: Bill, charge: Charge) {
    match bill {
        Bill::Void => hold.void(),
        Bill::Told(_) | Bill::AtMost(_) | Bill::Whole => hold.settle(charge),
    }
}

/// What a stream that told no usage cannot have exceeded: all input, and a token for each byte.
pub(crate) fn counted(quote: &Quote, told: Option<Usage>, output_bytes: u64) -> Bill {
    let told = told.unwrap_or_default();
    Bill::AtMost(Usage {
        input_tokens: told.input_tokens.max(quote.input_tokens),
        output_tokens: told.output_tokens.max(output_bytes),
        ..told
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::Price;
    use wire::Operation;

    fn call(body: &str) -> Call {
        wire::dialect::openai_chat::read(Operation::ChatCompletions, body.as_bytes()).unwrap()
    }

    fn terms(output_tokens_max: Option<u64>) -> ModelTerms {
        ModelTerms {
            tariff: Some(Tariff::from(Price {
                input_nano_usd_per_mtok: 1_000_000_000,
                output_nano_usd_per_mtok: 4_000_000_000,
                ..Price::default()
            })),
            input_tokens_max: None,
            output_tokens_max,
        }
    }

    fn hard(left: i64) -> Room {
        Room {
            unit: Unit::NanoUsd,
            mode: Mode::Hard,
            left,
        }
    }

    const PLAIN: &str = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;

    #[test]
    fn a_callers_own_limit_is_held_in_full_and_not_touched() {
        let call = call(r#"{"model":"m","messages":[],"max_tokens":50,"n":2}"#);
        let (wanted, least) = quote(&call, &terms(Some(4_096)), &[hard(1)]).unwrap();
        assert_eq!((wanted.output_tokens, wanted.cap), (100, None));
        assert_eq!(wanted, least);
    }

    #[test]
    fn a_limit_beyond_the_models_is_lowered() {
        let call = call(r#"{"model":"m","messages":[],"max_tokens":1000000}"#);
        let (wanted, _) = quote(&call, &terms(Some(4_096)), &[hard(1)]).unwrap();
        assert_eq!((wanted.output_tokens, wanted.cap), (4_096, Some(4_096)));
    }

    #[test]
    fn without_a_limit_a_fair_share_of_what_is_left_is_the_cap() {
        let usd = NanoUsd::PER_USD;
        let cases = [
            // (left, the model's own maximum, the cap)
            (usd, Some(4_096), 4_096),
            (usd, None, OUTPUT_TOKENS_UNKNOWN_MAX),
            (usd / 10, Some(100_000), 3_000),
            (usd / 1_000, Some(100_000), 1_024),
            (0, Some(100_000), 1_024),
            (0, Some(100), 100),
        ];
        for (left, most, cap) in cases {
            let (wanted, least) = quote(&call(PLAIN), &terms(most), &[hard(left)]).unwrap();
            let got = wanted.cap.unwrap();
            assert!(got <= cap && got > cap - 100, "{left} {most:?}: {got}, not {cap}");
            assert!(least.cap.unwrap() <= OUTPUT_TOKENS_FLOOR);
        }
    }

    #[test]
    fn nothing_is_changed_without_a_hard_budget() {
        let soft = Room {
            mode: Mode::Soft,
            ..hard(0)
        };
        let requests = Room {
            unit: Unit::Requests,
            ..hard(0)
        };
        for rooms in [&[][..], &[soft], &[requests]] {
            let (wanted, _) = quote(&call(PLAIN), &terms(None), rooms).unwrap();
            assert_eq!(wanted.cap, None);
        }
    }

    #[test]
    fn what_nothing_bounds_is_refused_only_under_a_hard_budget() {
        let file = r#"{"model":"m","messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"f"}}]}]}"#;
        let refused = quote(&call(file), &terms(None), &[hard(1)]).unwrap_err();
        assert_eq!(refused.code, "request_exceeds_budget");
        assert!(quote(&call(file), &terms(None), &[]).is_ok());
        let known = ModelTerms {
            input_tokens_max: Some(9),
            ..terms(None)
        };
        assert_eq!(quote(&call(file), &known, &[hard(1)]).unwrap().0.input_tokens, 9);
    }

    #[test]
    fn each_bill_has_its_charge() {
        let terms = terms(None);
        let quote = Quote {
            input_tokens: 100,
            output_tokens: 50,
            cap: None,
        };
        let usage = Usage {
            input_tokens: 10,
            output_tokens: 5,
            ..Usage::default()
        };
        let beyond = Usage {
            input_tokens: 1_000,
            output_tokens: 1_000,
            ..Usage::default()
        };
        let cases = [
            (Bill::Void, 0, 0),
            (Bill::Told(usage), 10_000 + 20_000, 1),
            (Bill::AtMost(usage), 10_000 + 20_000, 1),
            (Bill::Told(beyond), 5_000_000, 1),
            (Bill::AtMost(beyond), 100_000 + 200_000, 1),
            (Bill::Whole, 100_000 + 200_000 + 2, 1),
        ];
        for (bill, nano_usd, requests) in cases {
            let (charge, _) = bill.charge(&quote, &terms);
            assert_eq!((charge.nano_usd, charge.requests), (nano_usd, requests), "{bill:?}");
        }
    }

    #[test]
    fn times_are_said_in_utc() {
        assert_eq!(api_time(UnixMillis(0)), "1970-01-01T00:00:00Z");
        assert_eq!(api_time(UnixMillis(951_782_400_000)), "2000-02-29T00:00:00Z");
        assert_eq!(api_time(UnixMillis(1_795_168_799_999)), "2026-11-20T09:59:59Z");
    }
}
