//! What happened, as one number: two runs are the same run if it is the same.

use super::life::lock;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::sync::Mutex;

/// Events kept in words for whoever looks into a failure.
const KEPT: usize = 300;

/// The trace of one run.
#[derive(Default)]
pub(crate) struct Trace(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    hash: u64,
    events: u64,
    counts: BTreeMap<&'static str, u64>,
    last: VecDeque<(u64, &'static str, [u64; 3])>,
}

impl Trace {
    pub(crate) fn note(&self, at_ms: u64, what: &'static str, of: [u64; 3]) {
        let mut inner = lock(&self.0);
        let [a, b, c] = of;
        for word in [at_ms, what.len() as u64, a, b, c] {
            // FNV-1a over words, with a rotation so that high bits come down.
            inner.hash = (inner.hash ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
        }
        inner.events += 1;
        *inner.counts.entry(what).or_default() += 1;
        if inner.last.len() == KEPT {
            inner.last.pop_front();
        }
        inner.last.push_back((at_ms, what, of));
    }

    /// The number, and how many events are in it.
    pub(crate) fn hash(&self) -> (u64, u64) {
        let inner = lock(&self.0);
        (inner.hash, inner.events)
    }

    /// How often what happened.
    pub(crate) fn counts(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.0).counts.clone()
    }

    /// The last events in words, a line each.
    pub(crate) fn last(&self) -> String {
        let mut text = String::new();
        for (at_ms, what, [a, b, c]) in &lock(&self.0).last {
            writeln!(text, "{at_ms:>7} ms  {what} {a} {b} {c}").expect("a string takes all");
        }
        text
    }
}
