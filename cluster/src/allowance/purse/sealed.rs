//! Money that was granted and may not be spent yet: first the journal says so, durably.

use super::{Opening, Purse};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

impl Purse {
    /// What is here: opened or sealed.
    pub(in crate::allowance) fn total(&self) -> i64 {
        self.available() + self.sealed()
    }

    pub(in crate::allowance) fn sealed(&self) -> i64 {
        self.far.sealed.load(SeqCst)
    }

    /// A hold left little: more is opened, and where little is here at all, asked for.
    pub(super) fn run_low(self: &Arc<Self>, left: i64) {
        let sealed = self.sealed();
        if sealed > 0 {
            self.ask_open();
        }
        if left + sealed < self.terms.0.low_water.load(Relaxed) {
            self.press();
        }
    }

    /// Has some of what is sealed opened, where there is any.
    pub(in crate::allowance) fn ask_open(self: &Arc<Self>) {
        let opening = &self.terms.0.opening;
        let is_cause = self.sealed() > 0 || self.wants_beyond();
        if is_cause && !opening.load(SeqCst) && !opening.swap(true, SeqCst) {
            self.desk.ask_open(self);
        }
    }

    /// The same for somebody who waits: whoever keeps the journal looks at once.
    pub(in crate::allowance) fn need_open(self: &Arc<Self>) {
        if self.sealed() > 0 || self.wants_beyond() {
            self.ask_open();
            self.desk.open_bell.notify_one();
        }
    }

    /// What is to be opened now, if anything.
    pub(in crate::allowance) fn to_open(self: &Arc<Self>) -> Option<Opening> {
        self.terms.0.opening.store(false, SeqCst);
        let beyond = self.to_open_beyond();
        // Read in this order whatever moves meanwhile makes the level too high, which is safe.
        let returned = self.far.returned.load(SeqCst);
        let sealed = self.sealed();
        let granted = self.far.granted.load(SeqCst);
        let needed = self.queue.waiting() + self.far.owed.load(SeqCst);
        let chunk = self.far.chunk.load(SeqCst).max(self.last_hold().saturating_mul(2));
        let wanted = needed.saturating_add(chunk).saturating_sub(self.available());
        let amount = wanted.clamp(0, sealed.max(0));
        let level = granted - returned - (sealed - amount);
        let is_cause = amount > 0 || beyond.is_some();
        is_cause.then(|| Opening { purse: Arc::clone(self), amount, level, beyond })
    }

    /// Whether somebody waits for the opening, as opposed to a cushion that runs low.
    pub(in crate::allowance) fn waits_for_opening(&self) -> bool {
        self.queue.waiting() > self.available() || self.owes() || self.wants_beyond()
    }

    /// Opens so much, or what is left of it by now.
    pub(in crate::allowance) fn open(self: &Arc<Self>, amount: i64) {
        let moved = self.unseal(amount);
        let moved = moved - self.pay_owed(moved);
        self.hot.0.available.fetch_add(moved, SeqCst);
        if self.may_go_beyond() {
            // Whoever this does not suffice for may be let through all the same.
            self.queue.wake_decided(0, 0);
        }
        self.wake_served();
    }

    /// Takes up to `most` out of what is sealed.
    pub(super) fn unseal(&self, most: i64) -> i64 {
        if most <= 0 {
            return 0;
        }
        let left = |sealed: i64| (sealed > 0).then_some((sealed - most).max(0));
        let before = self.far.sealed.fetch_update(SeqCst, SeqCst, left);
        before.map_or(0, |before| before.min(most))
    }

    /// Sets how much is opened at a time: two seconds' spend and two holds.
    pub(in crate::allowance) fn set_chunk(&self, rate: i64, mean_hold: i64) {
        let chunk = rate.saturating_add(mean_hold).saturating_mul(2);
        self.far.chunk.store(chunk, SeqCst);
        let water = if self.desk.seals() { chunk / 2 } else { i64::MIN };
        self.terms.0.open_water.store(water, SeqCst);
    }
}
