//! Waiting for money: in line at the purse that is short, while the refill is on its way.

use super::desk::Desk;
use super::hold::{Hold, Miss};
use super::queue::Waiter;
use super::{Charge, Path, Purse, Short, Why};
use ledger::UnixMillis;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Whoever has waited for a refill so long in vain cannot ask the cluster.
const CUT_AFTER: Duration = Duration::from_secs(2);
/// How long the journal may take to note that something is let through, for whom all time is over.
const OPENED_WITHIN: Duration = Duration::from_millis(250);

/// A hold that somebody wants.
pub(super) struct Wish<'a> {
    pub(super) path: &'a Arc<Path>,
    pub(super) charge: &'a Charge,
    pub(super) now: UnixMillis,
}

impl Wish<'_> {
    /// Waits until the wish can be granted, until it cannot be, or until the time is over.
    pub(super) async fn wait(
        &self,
        desk: &Desk,
        mut miss: Miss,
        within: Duration,
    ) -> Result<Hold, Short> {
        if miss.why != Why::InFlight {
            return Err(self.short(miss));
        }
        desk.counts.waited.fetch_add(1, Relaxed);
        let started = Instant::now();
        let answered_before = desk.answered_seq.load(SeqCst);
        let mut place = Place::take(self);
        let mut asked = false;
        let mut moves = 0;
        loop {
            place.stand(miss.at);
            // Looked at again after joining the line: money may have come in between.
            match Hold::take(self.path, self.charge, self.at(started)) {
                Ok(hold) => return Ok(hold),
                Err(other) if other.why != Why::InFlight => return Err(self.short(other)),
                Err(other) if other.at != miss.at && moves < self.path.purses().len() => {
                    miss = other;
                    moves += 1;
                    continue;
                }
                Err(_still) => {}
            }
            moves = 0;
            let purse = &self.path.purses()[miss.at];
            purse.need_open();
            let helps = purse.asking_helps(purse.amount(self.charge));
            asked |= helps;
            // Where asking does not help, saying so makes others give back, and giving back what serves nobody
            // here may help somebody.
            if helps || purse.total() > 0 || !purse.is_low() {
                purse.touch();
                purse.press();
            }
            let woken = timeout_at(started + within, place.woken()).await;
            // Who looks in vain puts back what it took, and may wake itself by that.
            if woken.is_err() || started.elapsed() >= within {
                break;
            }
        }
        let unheard = asked && desk.answered_seq.load(SeqCst) == answered_before;
        if unheard {
            miss.why = Why::NoQuorum;
            // A life that is not enrolled yet has no refill that could fail.
            if started.elapsed() >= CUT_AFTER {
                desk.cut_off();
            }
        }
        if let Ok(hold) = Hold::take(self.path, self.charge, self.at(started)) {
            return Ok(hold);
        }
        let purse = &self.path.purses()[miss.at];
        if purse.wants_beyond() {
            // It may be let through, as soon as the journal knows.
            purse.need_open();
            let _ = timeout_at(Instant::now() + OPENED_WITHIN, place.woken()).await;
        }
        match Hold::take(self.path, self.charge, self.at(started)) {
            Ok(hold) => Ok(hold),
            Err(_) if unheard => Err(self.short(miss)),
            Err(last) => Err(self.short(last)),
        }
    }

    fn at(&self, started: Instant) -> UnixMillis {
        let waited_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        UnixMillis(self.now.0.saturating_add(waited_ms))
    }

    fn short(&self, miss: Miss) -> Short {
        let purse = &self.path.purses()[miss.at];
        purse.short(purse.amount(self.charge), miss.why)
    }
}

/// A place in line, and the charge's part of what its path's purses are asked for. Given up on drop.
struct Place<'a> {
    wish: &'a Wish<'a>,
    stands: Option<(usize, Arc<Waiter>)>,
}

impl<'a> Place<'a> {
    fn take(wish: &'a Wish<'a>) -> Place<'a> {
        for purse in wish.path.purses() {
            purse.on_path(wish.path.number);
            purse.queue.add_waiting(purse.amount(wish.charge));
        }
        Place { wish, stands: None }
    }

    fn purse(&self, at: usize) -> &'a Arc<Purse> {
        &self.wish.path.purses()[at]
    }

    /// Stands at this purse; whoever stands there already keeps the place.
    fn stand(&mut self, at: usize) {
        if self.stands.as_ref().is_some_and(|(there, _)| *there == at) {
            return;
        }
        self.leave();
        let purse = self.purse(at);
        let waiter = purse.queue.join(purse.amount(self.wish.charge));
        self.stands = Some((at, waiter));
    }

    fn leave(&mut self) {
        if let Some((at, waiter)) = self.stands.take() {
            let purse = self.purse(at);
            purse.queue.leave(&waiter);
            // A wake-up this one did not need is the next one's.
            purse.wake_served();
        }
    }

    async fn woken(&self) {
        if let Some((_, waiter)) = &self.stands {
            waiter.wake.notified().await;
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        for purse in self.wish.path.purses() {
            purse.queue.add_waiting(-purse.amount(self.wish.charge));
        }
        self.leave();
        for purse in self.wish.path.purses() {
            purse.spill();
        }
    }
}
