//! What translation costs, for each pair of dialects: a talk of 10, 100 and 1,000 messages, a stream of
//! 10, 1,000 and 10,000 chunks. Where nothing is quadratic, a message and a chunk cost the same in each
//! column. The test that holds this counts bytes that are allocated: `api/wire/tests/it/growth.rs`.

#[path = "../../api/wire/tests/it/passages.rs"]
#[expect(clippy::unwrap_used, reason = "what is translated is made here")]
mod passages;

use crate::say;
use anyhow::Result;
use passages::{across, dialects, stream, talk, told};
use std::hint::black_box;
use std::time::{Duration, Instant};
use wire::dialect::Dialect;

const MESSAGES: [usize; 3] = [10, 100, 1_000];
const CHUNKS: [usize; 3] = [10, 1_000, 10_000];
/// Longest that one number is measured for.
const WITHIN: Duration = Duration::from_millis(40);

/// Prints both tables.
pub(crate) fn run() -> Result<()> {
    say(
        "ns per message of a request: 10, 100, 1,000 messages; then ns per chunk of a stream: 10, 1,000, 10,000",
    );
    for from in dialects() {
        let talks = MESSAGES.map(|messages| talk(from, messages));
        let streams = CHUNKS.map(|chunks| stream(from, chunks));
        for to in dialects().filter(|to| *to != from) {
            let talk = [0, 1, 2]
                .map(|at| each(MESSAGES[at], || drop(black_box(across(from, to, &talks[at])))));
            let streamed = [0, 1, 2]
                .map(|at| each(CHUNKS[at], || drop(black_box(told(from, to, &streams[at])))));
            say(&line(from, to, talk, streamed));
        }
    }
    Ok(())
}

/// Nanoseconds for each of so many, the best of what there is time for.
fn each(of: usize, mut doing: impl FnMut()) -> f64 {
    let (begun, mut best) = (Instant::now(), Duration::MAX);
    loop {
        let start = Instant::now();
        doing();
        best = best.min(start.elapsed());
        if begun.elapsed() > WITHIN {
            return best.as_nanos() as f64 / of as f64;
        }
    }
}

fn line(from: &Dialect, to: &Dialect, talk: [f64; 3], streamed: [f64; 3]) -> String {
    format!(
        "{:<18} {:<18} {:>7.0} {:>7.0} {:>7.0}   {:>7.0} {:>7.0} {:>7.0}",
        from.name, to.name, talk[0], talk[1], talk[2], streamed[0], streamed[1], streamed[2]
    )
}
