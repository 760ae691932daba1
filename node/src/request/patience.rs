//! How long a caller waits, where it says so: for the whole answer, and for its first token.

use super::upstream::Failure;
use api::refusal::Reason;
use cost::Bill;
use http::HeaderMap;
use std::time::{Duration, Instant};
use wire::Refusal;

/// Longest the whole answer may take, over all attempts, in milliseconds.
const WHOLE: &str = "x-bursar-timeout-ms";
/// Longest an attempt at a stream may take to its first event, in milliseconds.
const FIRST: &str = "x-bursar-first-token-timeout-ms";
/// LiteLLM's names of the same, in seconds.
const WHOLE_S: &str = "x-litellm-timeout";
const FIRST_S: &str = "x-litellm-stream-timeout";
/// Longest time that is taken at its word: a day.
const MS_MAX: u64 = 24 * 3_600_000;

/// How long the caller waits. Nothing where it did not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Patience {
    /// When the whole answer must be there, and how long that was from the start.
    whole: Option<(Instant, Duration)>,
    first: Option<Duration>,
}

impl Patience {
    /// Reads the headers of a request that came at `started`.
    ///
    /// # Errors
    ///
    /// 400 for a time that is none, or zero.
    pub(crate) fn read(headers: &HeaderMap, started: Instant) -> Result<Self, Refusal> {
        let whole = either(headers, WHOLE, WHOLE_S)?;
        let first = either(headers, FIRST, FIRST_S)?;
        Ok(Self { whole: whole.map(|within| (started + within, within)), first })
    }

    /// For an attempt that begins now.
    pub(crate) fn attempt(self, stream: bool) -> Wait {
        let first = self.first.filter(|_| stream);
        Wait { whole: self.whole, first: first.map(|within| (Instant::now() + within, within)) }
    }

    /// How much is left for a stream that has begun; `most` where the caller did not say less.
    pub(crate) fn left(self, most: Duration) -> Duration {
        self.whole.map_or(most, |(until, _)| left(until).min(most))
    }

    /// What the caller hears when the whole answer was not there in time.
    pub(crate) fn refusal(self) -> Option<Refusal> {
        let (until, within) = self.whole?;
        left(until).is_zero().then(|| late("the answer was not whole", WHOLE, within))
    }
}

/// How long one attempt is waited for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wait {
    whole: Option<(Instant, Duration)>,
    first: Option<(Instant, Duration)>,
}

impl Wait {
    /// Longest wait for the head of the answer, or for its first event; `most` is the provider's own.
    pub(crate) fn first(self, most: Duration) -> Duration {
        let first = self.first.map_or(most, |(until, _)| left(until).min(most));
        first.min(self.rest(most))
    }

    /// Longest wait for the rest of a plain answer.
    pub(crate) fn rest(self, most: Duration) -> Duration {
        self.whole.map_or(most, |(until, _)| left(until).min(most))
    }

    /// When the first event must be there, where the caller says so.
    pub(crate) fn first_until(self) -> Option<Instant> {
        let until = |bound: Option<(Instant, Duration)>| bound.map(|(until, _)| until);
        until(self.first).into_iter().chain(until(self.whole)).min()
    }

    /// The failure of an attempt that took too long for the caller; `None` where its time is not over.
    /// What the provider did meanwhile is unknown.
    pub(crate) fn over(self) -> Option<Failure> {
        let is_over = |(until, _): &(Instant, Duration)| left(*until).is_zero();
        if let Some((_, within)) = self.whole.filter(is_over) {
            let refusal = late("the answer was not whole", WHOLE, within);
            return Some(Failure::impatient(refusal, Bill::Whole, false));
        }
        let (_, within) = self.first.filter(is_over)?;
        let refusal = late("the first token was not there", FIRST, within);
        Some(Failure::impatient(refusal, Bill::Whole, true))
    }
}

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

fn late(what: &str, header: &str, within: Duration) -> Refusal {
    let ms = within.as_millis();
    Reason::UpstreamTimeout.refuse(format!("{what} within the {ms} ms of {header}"))
}

/// A time by our name of it, or by LiteLLM's.
fn either(headers: &HeaderMap, ms: &str, seconds: &str) -> Result<Option<Duration>, Refusal> {
    match millis(headers, ms, 1)? {
        Some(given) => Ok(Some(given)),
        None => millis(headers, seconds, 1_000),
    }
}

/// A time in a header, `unit_ms` milliseconds each.
fn millis(headers: &HeaderMap, name: &str, unit_ms: u64) -> Result<Option<Duration>, Refusal> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let text = value.to_str().unwrap_or("?").trim();
    let ms = match text.split_once('.') {
        // Fractions of a second, as LiteLLM takes them.
        Some((whole, part)) if unit_ms == 1_000 => thousandths(whole, part),
        Some(_) => None,
        None => text.parse::<u64>().ok().and_then(|units| units.checked_mul(unit_ms)),
    };
    match ms {
        Some(ms @ 1..=MS_MAX) => Ok(Some(Duration::from_millis(ms))),
        _ => {
            let unit = if unit_ms == 1 { "milliseconds" } else { "seconds" };
            let shown: String = text.chars().take(40).collect();
            let say = format!("{name} is {shown:?}; write a number of {unit}, at most a day");
            Err(Reason::InvalidHeader.refuse(say))
        }
    }
}

/// `1` and `5` of `1.5` are 1500.
fn thousandths(whole: &str, part: &str) -> Option<u64> {
    if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let three: String = part.chars().chain("000".chars()).take(3).collect();
    let whole: u64 = whole.parse().ok()?;
    whole.checked_mul(1_000)?.checked_add(three.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn read(pairs: &[(&'static str, &str)]) -> Result<Patience, Refusal> {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        Patience::read(&pairs.iter().map(pair).collect(), Instant::now())
    }

    #[test]
    fn times_are_read_in_either_spelling_and_ours_wins() {
        let within = |pairs: &[(&'static str, &str)]| {
            let patience = read(pairs).unwrap();
            let ms = |within: Duration| u64::try_from(within.as_millis()).unwrap();
            (patience.whole.map(|(_, within)| ms(within)), patience.first.map(ms))
        };
        assert_eq!(within(&[]), (None, None));
        assert_eq!(within(&[(WHOLE, "1500"), (FIRST, "200")]), (Some(1_500), Some(200)));
        assert_eq!(within(&[(WHOLE_S, "2"), (FIRST_S, "0.25")]), (Some(2_000), Some(250)));
        assert_eq!(within(&[(WHOLE_S, "9"), (WHOLE, "40")]), (Some(40), None));
    }

    #[test]
    fn a_time_that_is_none_is_refused_in_words() {
        for (name, value) in [
            (WHOLE, "soon"),
            (WHOLE, "0"),
            (WHOLE, "1.5"),
            (WHOLE, "-1"),
            (FIRST, "86400001"),
            (WHOLE_S, "1.x"),
            (WHOLE_S, "18446744073709551615"),
        ] {
            let refused = read(&[(name, value)]).unwrap_err();
            assert_eq!((refused.status, refused.code), (400, "invalid_headers"));
            assert!(refused.say.contains(name), "{}", refused.say);
        }
    }

    #[test]
    fn the_first_token_is_waited_for_in_streams_alone() {
        let patience = read(&[(FIRST, "1")]).unwrap();
        let most = Duration::from_secs(60);
        assert_eq!(patience.attempt(false).first(most), most);
        assert!(patience.attempt(true).first(most) <= Duration::from_millis(1));
        assert_eq!(patience.attempt(true).rest(most), most);
    }
}
