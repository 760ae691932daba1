//! How a hold ends on one purse, and what is taken out of it otherwise.

use super::{Purse, Taken};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

impl Purse {
    /// Ends a hold for which `taken` was set aside: `actual` was spent, the rest is available again.
    ///
    /// Returns what was billed beyond the hold and what was available: it is owed.
    pub(in crate::allowance) fn settle(self: &Arc<Self>, taken: Taken, actual: i64) -> i64 {
        let covered = taken.covered;
        let from_hold = actual.min(covered);
        let from_rest = self.draw(actual - from_hold);
        let owed = actual - from_hold - from_rest;
        if owed > 0 {
            self.far.owed.fetch_add(owed, SeqCst);
            self.need_open();
        }
        if taken.over > 0 || owed > 0 {
            self.end_beyond(taken.over, owed);
        }
        // Spent before it stops being held: in between it counts twice, which is safe.
        self.books.0.settled.fetch_add(actual, SeqCst);
        self.books.0.held.fetch_sub(covered, SeqCst);
        let freed = covered - from_hold;
        let freed = freed - self.pay_owed(freed);
        self.hot.0.available.fetch_add(freed, SeqCst);
        self.touch();
        self.wake_served();
        self.spill();
        if owed > 0 && !self.is_soft() || self.is_over() {
            self.press();
        }
        owed
    }

    /// Has what nobody here waits for given back at once, where the pool is low.
    pub(in crate::allowance) fn spill(self: &Arc<Self>) {
        let high_water = self.terms.0.high_water.load(Relaxed);
        let total = self.total();
        if total > high_water && total - self.queue.waiting() > high_water {
            self.press();
        }
    }

    /// Takes up to `most` out of what is available.
    pub(super) fn draw(&self, most: i64) -> i64 {
        if most <= 0 {
            return 0;
        }
        let available = &self.hot.0.available;
        let drawn = |available: i64| (available > 0).then_some((available - most).max(0));
        match available.fetch_update(SeqCst, SeqCst, drawn) {
            Ok(before) => before.min(most),
            Err(_empty) => 0,
        }
    }

    /// Pays what is owed out of `purse`; returns how much it took.
    pub(super) fn pay_owed(&self, purse: i64) -> i64 {
        if self.far.owed.load(SeqCst) == 0 && self.far.overspend_owed.load(SeqCst) == 0 {
            return 0;
        }
        let pay = |owed: i64| (owed > 0).then_some((owed - purse).max(0));
        let paid = self.far.owed.fetch_update(SeqCst, SeqCst, pay);
        let paid = paid.map_or(0, |owed| owed.min(purse));
        self.cover_overspend();
        paid
    }
}
