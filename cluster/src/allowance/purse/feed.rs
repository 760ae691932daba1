//! The side of a purse that refills see: grants come in, what is idle goes back.

use super::super::desk::Said;
use super::{Purse, SHARED};
use ledger::{Account, Lane};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

/// Seconds for which a pool that held less than was asked for counts as low.
const SCARCE_S: u32 = 3;

impl Purse {
    /// Nothing in it, nothing on its way, everything said.
    pub(in crate::allowance) fn is_done(&self) -> bool {
        self.total() == 0 && self.held() == 0 && !self.has_news()
    }

    /// Whether the ledger has yet to hear of something.
    pub(in crate::allowance) fn has_news(&self) -> bool {
        self.books.0.settled.load(SeqCst) != self.far.heard_settled.load(SeqCst)
            || self.far.returned.load(SeqCst) != self.far.heard_returned.load(SeqCst)
    }

    /// Whether more was billed than was granted, though it must not be.
    pub(in crate::allowance) fn owes(&self) -> bool {
        !self.is_soft() && self.far.owed.load(SeqCst) > 0
    }

    pub(in crate::allowance) fn settled_and_returned(&self) -> (i64, i64) {
        let returned = self.far.returned.load(SeqCst);
        (self.books.0.settled.load(SeqCst), returned)
    }

    /// Gives back up to `most`; the next refill says so.
    pub(in crate::allowance) fn give_back(&self, most: i64) {
        let given = self.unseal(most);
        let given = given + self.draw(most - given);
        self.far.returned.fetch_add(given, SeqCst);
    }

    /// Takes over a cumulative grant: a repeated or overtaken one adds nothing.
    pub(in crate::allowance) fn grant(self: &Arc<Self>, granted_cum: i64) {
        let before = self.far.granted.fetch_max(granted_cum, SeqCst);
        let new = granted_cum - before;
        if new <= 0 {
            return;
        }
        let added = new - self.pay_owed(new);
        if self.desk.seals() {
            self.far.sealed.fetch_add(added, SeqCst);
            self.ask_open();
        } else {
            self.hot.0.available.fetch_add(added, SeqCst);
        }
        // The next cushion is asked for at half of this one, however small it came out.
        self.terms.0.low_water.fetch_min(self.total() / 2, SeqCst);
        // Whoever asked may have stopped waiting: looked at again, it goes back once it is idle.
        self.touch();
    }

    /// The ledger has applied what a refill said; `lane` is what came of it.
    ///
    /// What it could not book then and can now is said again: a return that was spent before it came there,
    /// and debt that was granted for since.
    pub(in crate::allowance) fn heard(&self, said: &Said, lane: Option<Lane>) {
        let returned_cum = lane.map_or(said.returned_cum, |lane| lane.returned);
        self.far.heard_returned.fetch_max(returned_cum, SeqCst);
        let books_more = |lane: Lane| lane.reported < said.settled_cum && lane.outstanding() > 0;
        if !lane.is_some_and(books_more) {
            self.far.heard_settled.fetch_max(said.settled_cum, SeqCst);
        }
    }

    /// Pays what is owed out of what was given back and the ledger has not booked as given back. Only while
    /// no refill is out: one that is may yet have it booked.
    pub(in crate::allowance) fn take_back(&self, lane: &Lane) {
        let unbooked = self.far.returned.load(SeqCst) - lane.returned;
        if unbooked > 0 {
            let paid = self.pay_owed(unbooked);
            self.far.returned.fetch_sub(paid, SeqCst);
        }
    }

    /// Takes over what the ledger says of the period, and wakes whom that decides for.
    pub(in crate::allowance) fn look(self: &Arc<Self>, account: &Account, elsewhere: i64) {
        let pool = account.pool();
        self.terms.0.limit.store(account.limit(), SeqCst);
        self.far.pool.store(pool, SeqCst);
        self.far.elsewhere.store(elsewhere, SeqCst);
        let low = account.is_low() || self.far.scarce_s.load(SeqCst) > 0;
        let was_low = self.far.low.swap(low, SeqCst);
        if low && !was_low {
            self.terms.0.high_water.store(0, SeqCst);
            if self.total() > 0 {
                self.press();
            }
        }
        if !self.queue.is_empty() {
            self.queue.wake_decided(self.available(), self.reachable());
            if pool > 0 && self.queue.waiting() > self.total() {
                self.press();
            }
        }
    }

    /// Somebody asked for more than the pool holds: for a while nobody keeps what is not needed.
    pub(in crate::allowance) fn note_scarce(&self) {
        self.far.scarce_s.store(SCARCE_S, SeqCst);
    }

    /// A second has passed.
    pub(in crate::allowance) fn tick_second(&self) {
        let less = |seconds: u32| seconds.checked_sub(1);
        // At zero there is nothing to count.
        let _ = self.far.scarce_s.fetch_update(SeqCst, SeqCst, less);
    }

    /// Whether all nodes know that the pool does not suffice.
    pub(in crate::allowance) fn is_low(&self) -> bool {
        self.far.low.load(SeqCst)
    }

    /// No new holds from now on; what is left goes back.
    pub(in crate::allowance) fn end(self: &Arc<Self>) {
        if !self.terms.0.over.swap(true, SeqCst) {
            self.queue.wake_decided(0, 0);
            self.press();
        }
    }

    pub(in crate::allowance) fn set_water(&self, low: i64, high: i64) {
        self.terms.0.low_water.store(low, SeqCst);
        self.terms.0.high_water.store(high, SeqCst);
    }

    /// Notes that it lies on this path.
    pub(in crate::allowance) fn on_path(&self, path: u64) {
        let seen = self.far.path.compare_exchange(0, path, SeqCst, SeqCst);
        if seen.is_err_and(|other| other != path) {
            self.far.path.store(SHARED, SeqCst);
        }
    }

    /// The one path it lies on, if it is one.
    pub(in crate::allowance) fn path(&self) -> Option<u64> {
        let path = self.far.path.load(SeqCst);
        (path != 0 && path != SHARED).then_some(path)
    }
}
