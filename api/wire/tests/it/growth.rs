//! Nothing grows faster than what it is made of: counted in bytes that are allocated, not in time.

use crate::allocated;
use crate::passages::{across, dialects, stream, talk, told};

/// Most that twice as much may cost: twice, and what buffers that grow by doubling may add.
const FACTOR: f64 = 2.5;

/// What fails to stay within the factor, of all pairs of dialects.
fn grown<T>(
    make: impl Fn(&wire::dialect::Dialect, usize) -> T,
    pass: impl Fn(&wire::dialect::Dialect, &wire::dialect::Dialect, &T),
    sizes: [usize; 2],
) -> Vec<String> {
    let mut over = Vec::new();
    for from in dialects() {
        let made = sizes.map(|size| make(from, size));
        for to in dialects().filter(|to| *to != from) {
            let bytes = [0, 1].map(|at| allocated::by(|| pass(from, to, &made[at])));
            let factor = bytes[1] as f64 / bytes[0].max(1) as f64;
            if factor > FACTOR {
                over.push(format!("{} to {}: {bytes:?}, {factor:.2}", from.name, to.name));
            }
        }
    }
    over
}

#[test]
fn a_talk_twice_as_long_takes_about_twice_the_memory_between_any_two_dialects() {
    let over = grown(talk, |from, to, body| drop(across(from, to, body)), [200, 400]);
    assert!(over.is_empty(), "{over:#?}");
}

#[test]
fn a_stream_twice_as_long_takes_about_twice_the_memory_between_any_two_dialects() {
    let over = grown(stream, |from, to, chunks| drop(told(from, to, chunks)), [500, 1_000]);
    assert!(over.is_empty(), "{over:#?}");
}
