//! Requests and tokens per minute, and requests in flight: shares of each limit with an expiry.
//!
//! The leader hands shares out, in memory, by the demand each node reports every second; their sum
//! never passes the limit. A node admits within its share without asking. This is the soft guarantee:
//! a node that cannot reach a leader goes on with less, and so a limit may be passed by a part of itself
//! for as long as a fault lasts. Budgets are the hard one.

mod allot;
mod desk;
mod message;
mod meter;
mod report;
#[cfg(test)]
mod tests;
mod ticket;

pub use allot::{Demand, allot};
pub use desk::{RateDesk, handle_rate_report};
pub use message::{RateLine, RateReport, RateShares, SHARE_MS};
pub use meter::Dimension;
pub use report::AskShares;
pub use ticket::{Begun, Limited, RateStanding};

use ledger::RateLimits;
use meter::{Minute, Share};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The meters of a node. One per process, shared by all threads.
pub struct Rates {
    meters: Mutex<HashMap<Arc<str>, Arc<Meter>>>,
    live_nodes: AtomicU64,
    members: AtomicU64,
    started: Instant,
    /// Meters whose share runs out.
    pressed: Mutex<Vec<Arc<Meter>>>,
    bell: Notify,
    answer: Notify,
}

/// A key's limits and its meter; made when terms are made, not per request.
#[derive(Clone)]
pub struct RateTerms {
    limits: RateLimits,
    meter: Option<Arc<Meter>>,
}

impl RateTerms {
    fn share_seqs(&self) -> [u64; 3] {
        self.meter.as_ref().map_or([0; 3], |meter| lock(&meter.counts).share_seqs)
    }
}

/// What this node counts for one key.
pub(crate) struct Meter {
    scope: Arc<str>,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    requests: Minute,
    tokens: Minute,
    in_flight: u64,
    /// Per dimension, as the others below.
    limits: [Option<u64>; 3],
    shares: [Share; 3],
    share_seqs: [u64; 3],
    /// Admitted or refused since the last report.
    asked: [u64; 3],
    /// When it was used last, by the monotonic clock.
    used_at_ms: u64,
    /// The share is nearly used up and may grow.
    wants_more: bool,
    /// Somebody was told of it.
    is_pressed: bool,
}

impl Default for Rates {
    fn default() -> Rates {
        Rates {
            meters: Mutex::default(),
            live_nodes: AtomicU64::new(1),
            members: AtomicU64::new(1),
            started: Instant::now(),
            pressed: Mutex::default(),
            bell: Notify::new(),
            answer: Notify::new(),
        }
    }
}

impl Rates {
    /// No meters yet, and a cluster of one.
    #[must_use]
    pub fn new() -> Arc<Rates> {
        Arc::new(Rates::default())
    }

    /// Says how many nodes are live, and how many belong to the cluster, live or not.
    pub fn set_nodes(&self, live: u64, members: u64) {
        self.live_nodes.store(live.max(1), Ordering::Relaxed);
        self.members.store(members.max(live).max(1), Ordering::Relaxed);
    }

    /// The terms of a key, by its public id.
    #[must_use]
    pub fn terms(&self, scope: &str, limits: RateLimits) -> RateTerms {
        if limits == RateLimits::default() {
            return RateTerms { limits, meter: None };
        }
        let mut meters = lock(&self.meters);
        let meter = meters.entry(Arc::from(scope)).or_insert_with_key(|scope| {
            let scope = Arc::clone(scope);
            Arc::new(Meter { scope, counts: Mutex::default() })
        });
        RateTerms { limits, meter: Some(Arc::clone(meter)) }
    }

    /// Begins a request of about so many tokens, if every limit allows. One that is refused counts
    /// nowhere. `now_ms` is milliseconds since 1970.
    ///
    /// A request estimated at more than the whole limit is admitted when it has the minute to itself.
    ///
    /// # Errors
    /// The first limit that does not allow it.
    pub fn try_begin(
        &self,
        terms: &RateTerms,
        now_ms: u64,
        tokens_estimate: u64,
    ) -> Result<Begun, Limited> {
        let Some(meter) = &terms.meter else {
            return Ok(Begun::unlimited());
        };
        let begun = meter.begin(&terms.limits, &self.moment(now_ms), tokens_estimate);
        if meter.should_press() {
            lock(&self.pressed).push(Arc::clone(meter));
            self.bell.notify_one();
        }
        begun
    }

    /// As [`Rates::try_begin`]; where a larger share may be had from the leader, waits for its answer, at
    /// most `within`.
    ///
    /// # Errors
    /// The first limit that does not allow it.
    pub async fn begin(
        &self,
        terms: &RateTerms,
        now_ms: u64,
        tokens_estimate: u64,
        within: Duration,
    ) -> Result<Begun, Limited> {
        let started = Instant::now();
        let shares_before = terms.share_seqs();
        loop {
            let answer = self.answer.notified();
            let now_ms = now_ms + millis(started.elapsed());
            let limited = match self.try_begin(terms, now_ms, tokens_estimate) {
                Err(limited) if limited.may_grow => limited,
                decided => return decided,
            };
            // One answer on this key is all there is to wait for: others give up shares within seconds.
            let is_answered = terms.share_seqs() != shares_before;
            let waited = tokio::time::timeout_at(started + within, answer);
            if is_answered || waited.await.is_err() {
                return Err(limited);
            }
        }
    }

    /// Where a key stands on this node: what a response header says.
    #[must_use]
    pub fn standing(&self, terms: &RateTerms, dimension: Dimension, now_ms: u64) -> RateStanding {
        match &terms.meter {
            Some(meter) => meter.standing(&terms.limits, &self.moment(now_ms), dimension),
            None => RateStanding::default(),
        }
    }

    fn moment(&self, now_ms: u64) -> Moment {
        Moment {
            unix_ms: now_ms,
            mono_ms: self.mono_ms(),
            live: self.live_nodes.load(Ordering::Relaxed),
            members: self.members.load(Ordering::Relaxed),
        }
    }

    fn mono_ms(&self) -> u64 {
        millis(self.started.elapsed())
    }
}

/// One reading of clocks and cluster.
struct Moment {
    unix_ms: u64,
    mono_ms: u64,
    live: u64,
    members: u64,
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no thread panics while it holds this")
}
