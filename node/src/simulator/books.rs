//! What the simulated provider bills, per API key and model, in integers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

/// Most lines in the books; more models than this are billed under one name.
const LINES_MAX: usize = 1_000;

/// What a million tokens cost, in nano-USD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prices {
    /// Input tokens.
    pub input_nano_usd_per_mtok: i64,
    /// Output tokens.
    pub output_nano_usd_per_mtok: i64,
}

impl Default for Prices {
    /// $1 and $4 per million.
    fn default() -> Self {
        Prices { input_nano_usd_per_mtok: 1_000_000_000, output_nano_usd_per_mtok: 4_000_000_000 }
    }
}

impl std::str::FromStr for Prices {
    type Err = String;

    /// Reads `IN,OUT` in dollars per million tokens: `1,4` or `0.15,0.60`. At most nine decimals.
    fn from_str(text: &str) -> Result<Self, String> {
        let (input, output) = text
            .split_once(',')
            .ok_or_else(|| format!("`{text}`: two prices are needed, as in `1,4`"))?;
        Ok(Prices {
            input_nano_usd_per_mtok: nano_usd(input)?,
            output_nano_usd_per_mtok: nano_usd(output)?,
        })
    }
}

impl std::fmt::Display for Prices {
    /// The same form: `1.000000000,4.000000000`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (input, output) = (self.input_nano_usd_per_mtok, self.output_nano_usd_per_mtok);
        let usd = |nanos: i64| format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
        write!(f, "{},{}", usd(input), usd(output))
    }
}

/// Reads dollars as nano-USD, without a float on the way.
fn nano_usd(text: &str) -> Result<i64, String> {
    let bad = || format!("`{text}` is no price in dollars with at most nine decimals");
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0
        || fraction.len() > 9
        || !digits(whole)
        || !digits(fraction)
    {
        return Err(bad());
    }
    // Nine more digits than the whole dollars have: `parse` refuses what does not fit.
    format!("{whole}{fraction:0<9}").parse().map_err(|_| bad())
}

/// One line of the books.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The API key as presented; empty when there was none.
    pub key: String,
    /// The model asked for.
    pub model: String,
    /// Requests accepted.
    pub requests: u64,
    /// Input tokens billed.
    pub input_tokens: u64,
    /// Output tokens billed.
    pub output_tokens: u64,
    /// Money billed. Rounded up once per class of tokens and request.
    pub nano_usd: i64,
}

/// The books, as `GET /_sim/billed` shows them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Billed {
    /// Sum over the lines.
    pub requests: u64,
    /// Sum over the lines.
    pub input_tokens: u64,
    /// Sum over the lines.
    pub output_tokens: u64,
    /// Sum over the lines.
    pub nano_usd: i64,
    /// Requests refused; they cost nothing.
    pub refused: u64,
    /// Answers whose caller left before the end.
    pub abandoned: u64,
    /// Per API key and model.
    pub lines: Vec<Line>,
}

#[derive(Default)]
struct Counts {
    requests: AtomicU64,
    input_tokens: AtomicU64,
    output_tokens: AtomicU64,
    nano_usd: AtomicI64,
}

type Lines = BTreeMap<String, BTreeMap<String, Arc<Counts>>>;

/// The books of one simulated provider.
pub(super) struct Books {
    prices: Prices,
    lines: Mutex<Lines>,
    refused: AtomicU64,
    abandoned: AtomicU64,
}

/// The bill of one request, open until it is dropped.
pub(super) struct Bill {
    counts: Arc<Counts>,
    output_nano_usd_per_mtok: i64,
    output_tokens: u64,
}

impl Books {
    pub(super) fn new(prices: Prices) -> Books {
        Books {
            prices,
            lines: Mutex::default(),
            refused: AtomicU64::new(0),
            abandoned: AtomicU64::new(0),
        }
    }

    /// Accepts a request and bills its input.
    pub(super) fn accept(&self, key: &str, model: &str, input_tokens: u64) -> Bill {
        let counts = self.line(key, model);
        counts.requests.fetch_add(1, Relaxed);
        counts.input_tokens.fetch_add(input_tokens, Relaxed);
        counts.nano_usd.fetch_add(cost(input_tokens, self.prices.input_nano_usd_per_mtok), Relaxed);
        Bill {
            counts,
            output_nano_usd_per_mtok: self.prices.output_nano_usd_per_mtok,
            output_tokens: 0,
        }
    }

    pub(super) fn refuse(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    pub(super) fn abandon(&self) {
        self.abandoned.fetch_add(1, Relaxed);
    }

    /// Requests still being answered keep billing the books they were opened in.
    pub(super) fn reset(&self) {
        self.lock().clear();
        self.refused.store(0, Relaxed);
        self.abandoned.store(0, Relaxed);
    }

    pub(super) fn billed(&self) -> Billed {
        let mut billed = Billed {
            refused: self.refused.load(Relaxed),
            abandoned: self.abandoned.load(Relaxed),
            ..Billed::default()
        };
        for (key, models) in self.lock().iter() {
            for (model, counts) in models {
                let line = Line {
                    key: key.clone(),
                    model: model.clone(),
                    requests: counts.requests.load(Relaxed),
                    input_tokens: counts.input_tokens.load(Relaxed),
                    output_tokens: counts.output_tokens.load(Relaxed),
                    nano_usd: counts.nano_usd.load(Relaxed),
                };
                billed.requests += line.requests;
                billed.input_tokens += line.input_tokens;
                billed.output_tokens += line.output_tokens;
                billed.nano_usd += line.nano_usd;
                billed.lines.push(line);
            }
        }
        billed
    }

    fn line(&self, key: &str, model: &str) -> Arc<Counts> {
        let mut lines = self.lock();
        if let Some(counts) = lines.get(key).and_then(|models| models.get(model)) {
            return Arc::clone(counts);
        }
        let full = lines.values().map(BTreeMap::len).sum::<usize>() >= LINES_MAX;
        let (key, model) = if full { ("", "(other)") } else { (key, model) };
        Arc::clone(lines.entry(key.to_owned()).or_default().entry(model.to_owned()).or_default())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bill {
    /// Bills so many more output tokens.
    pub(super) fn produced(&mut self, tokens: u64) {
        let before = cost(self.output_tokens, self.output_nano_usd_per_mtok);
        self.output_tokens += tokens;
        let after = cost(self.output_tokens, self.output_nano_usd_per_mtok);
        self.counts.output_tokens.fetch_add(tokens, Relaxed);
        self.counts.nano_usd.fetch_add(after - before, Relaxed);
    }

    pub(super) fn output_tokens(&self) -> u64 {
        self.output_tokens
    }
}

/// Price of so many tokens, rounded up.
fn cost(tokens: u64, nano_usd_per_mtok: i64) -> i64 {
    let exact = i128::from(tokens) * i128::from(nano_usd_per_mtok);
    i64::try_from((exact + 999_999) / 1_000_000)
        .expect("a bill stays far below nine billion dollars")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_without_a_float() {
        let prices: Prices = "0.15,.6".parse().unwrap();
        assert_eq!(prices.input_nano_usd_per_mtok, 150_000_000);
        assert_eq!(prices.output_nano_usd_per_mtok, 600_000_000);
        assert_eq!(prices.to_string().parse(), Ok(prices));
        for bad in ["1", "1,", "1,x", "-1,4", "1,0.0000000001", "1,99999999999999999999"] {
            assert!(bad.parse::<Prices>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_stream_billed_chunk_by_chunk_costs_what_it_costs_at_once() {
        let books =
            Books::new(Prices { input_nano_usd_per_mtok: 1, output_nano_usd_per_mtok: 300_001 });
        let mut slowly = books.accept("k", "slow", 3);
        (0..7).for_each(|_| slowly.produced(1));
        books.accept("k", "fast", 3).produced(7);
        let lines = books.billed().lines;
        assert_eq!(lines[0].nano_usd, lines[1].nano_usd);
        assert_eq!(lines[0].nano_usd, 1 + 3, "3 tokens round up to 1, 7 * 0.300001 to 3");
    }

    #[test]
    fn the_sum_is_the_sum_of_the_lines() {
        let books = Books::new(Prices::default());
        books.accept("a", "m", 10).produced(5);
        books.accept("b", "m", 1).produced(1);
        let billed = books.billed();
        assert_eq!((billed.requests, billed.input_tokens, billed.output_tokens), (2, 11, 6));
        assert_eq!(billed.nano_usd, 11 * 1_000 + 6 * 4_000);
        books.reset();
        assert_eq!(books.billed(), Billed::default());
    }

    #[test]
    fn the_books_stay_bounded_whatever_models_are_named() {
        let books = Books::new(Prices::default());
        for n in 0..LINES_MAX + 10 {
            books.accept("k", &n.to_string(), 1);
        }
        assert_eq!(books.billed().lines.len(), LINES_MAX + 1);
        assert_eq!(books.billed().requests, (LINES_MAX + 10) as u64);
    }
}
