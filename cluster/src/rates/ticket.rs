//! Admission on one meter, and the ticket a request holds while it runs.

use super::meter::Dimension;
use super::{Counts, Meter, Moment, lock};
use ledger::RateLimits;
use std::sync::Arc;

/// A share is nearly used up above this many eighths: more is asked for at once.
const PRESS_EIGHTHS: u64 = 6;

/// A request that runs. Dropped, it gives its place in flight free; the rest stays counted.
#[derive(Debug)]
#[must_use = "dropping it ends the request"]
pub struct Begun {
    meter: Option<Arc<Meter>>,
    tokens: u64,
}

/// A request that was refused by a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limited {
    /// Which limit.
    pub which: Dimension,
    /// The limit.
    pub limit: u64,
    /// What this node could still admit.
    pub remaining: u64,
    /// When to try again, in milliseconds from now: the latest by which enough is free on this node.
    pub retry_after_ms: u64,
    /// The limit is not used up as far as this node knows; only its share is.
    pub may_grow: bool,
}

/// One limit for a response header. `None`: there is no such limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateStanding {
    /// The limit.
    pub limit: Option<u64>,
    /// What this node could admit now; other nodes may have more.
    pub remaining: u64,
    /// When all that is used now will be free, in milliseconds from now.
    pub reset_ms: u64,
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Meter({})", self.scope)
    }
}

impl Begun {
    pub(super) fn unlimited() -> Begun {
        Begun { meter: None, tokens: 0 }
    }

    /// Corrects the estimate to what was used in the end. `now_ms` is milliseconds since 1970.
    pub fn used_tokens(&mut self, tokens: u64, now_ms: u64) {
        if let Some(meter) = &self.meter {
            let mut counts = lock(&meter.counts);
            if tokens > self.tokens {
                counts.tokens.add(now_ms, tokens - self.tokens);
            } else {
                counts.tokens.take_back(self.tokens - tokens);
            }
            self.tokens = tokens;
        }
    }

    /// Ends a request that was refused after all, before it reached a provider: it counts nowhere.
    pub fn cancel(self) {
        if let Some(meter) = &self.meter {
            let mut counts = lock(&meter.counts);
            counts.tokens.take_back(self.tokens);
            counts.requests.take_back(1);
        }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if let Some(meter) = &self.meter {
            let mut counts = lock(&meter.counts);
            counts.in_flight = counts.in_flight.saturating_sub(1);
        }
    }
}

impl Meter {
    pub(super) fn begin(
        self: &Arc<Self>,
        limits: &RateLimits,
        at: &Moment,
        tokens: u64,
    ) -> Result<Begun, Limited> {
        let mut counts = lock(&self.counts);
        counts.limits = by_dimension(limits);
        counts.used_at_ms = at.mono_ms;
        let mut refused = None;
        for dimension in Dimension::ALL {
            let asked = asked(dimension, tokens);
            let sum = counts.asked[dimension.index()].saturating_add(asked);
            counts.asked[dimension.index()] = sum;
            if refused.is_none() {
                refused = counts.refuses(dimension, asked, at);
            }
        }
        if let Some(limited) = refused {
            return Err(limited);
        }
        counts.in_flight += 1;
        counts.requests.add(at.unix_ms, 1);
        counts.tokens.add(at.unix_ms, tokens);
        Ok(Begun { meter: Some(Arc::clone(self)), tokens })
    }

    /// Whether somebody should ask for a larger share now; says so once until the next report.
    pub(super) fn should_press(&self) -> bool {
        let mut counts = lock(&self.counts);
        let press = counts.wants_more && !counts.is_pressed;
        counts.is_pressed |= press;
        press
    }

    pub(super) fn standing(
        &self,
        limits: &RateLimits,
        at: &Moment,
        dimension: Dimension,
    ) -> RateStanding {
        let mut counts = lock(&self.counts);
        counts.limits = by_dimension(limits);
        let Some(limit) = counts.limits[dimension.index()] else {
            return RateStanding::default();
        };
        let used = counts.used(dimension, at.unix_ms);
        let share = counts.share(dimension, limit, at);
        RateStanding {
            limit: Some(limit),
            remaining: share.saturating_sub(used),
            reset_ms: counts.free_in_ms(dimension, used, at.unix_ms),
        }
    }
}

impl Counts {
    fn refuses(&mut self, dimension: Dimension, asked: u64, at: &Moment) -> Option<Limited> {
        let limit = self.limits[dimension.index()]?;
        let used = self.used(dimension, at.unix_ms);
        let share = self.share(dimension, limit, at);
        let after = used.saturating_add(asked.min(limit));
        let may_grow = share < limit;
        self.wants_more |= may_grow && after > share / 8 * PRESS_EIGHTHS;
        if limit > 0 && after <= share {
            return None;
        }
        Some(Limited {
            which: dimension,
            limit,
            remaining: share.saturating_sub(used),
            retry_after_ms: self.free_in_ms(dimension, after.saturating_sub(share), at.unix_ms),
            may_grow: may_grow && limit > 0,
        })
    }

    pub(super) fn used(&mut self, dimension: Dimension, now_ms: u64) -> u64 {
        match dimension {
            Dimension::Requests => self.requests.used(now_ms),
            Dimension::Tokens => self.tokens.used(now_ms),
            Dimension::Concurrency => self.in_flight,
        }
    }

    fn share(&self, dimension: Dimension, limit: u64, at: &Moment) -> u64 {
        self.shares[dimension.index()].now(limit, at.live, at.members, at.mono_ms)
    }

    /// Requests in flight end when they end: a second is a guess.
    fn free_in_ms(&self, dimension: Dimension, excess: u64, now_ms: u64) -> u64 {
        if excess == 0 {
            return 0;
        }
        let at_ms = match dimension {
            Dimension::Requests => self.requests.frees_at_ms(excess),
            Dimension::Tokens => self.tokens.frees_at_ms(excess),
            Dimension::Concurrency => now_ms + 1_000,
        };
        at_ms.saturating_sub(now_ms)
    }
}

fn asked(dimension: Dimension, tokens: u64) -> u64 {
    match dimension {
        Dimension::Requests | Dimension::Concurrency => 1,
        Dimension::Tokens => tokens,
    }
}

fn by_dimension(limits: &RateLimits) -> [Option<u64>; 3] {
    [limits.requests_per_minute, limits.tokens_per_minute, limits.concurrent_requests]
}
