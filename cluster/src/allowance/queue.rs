//! Those who wait for one purse, first come first.

use super::desk::lock;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// Most waiters one settlement looks at: it runs at the end of a request and must be quick.
const LOOKED_AT_MAX: usize = 64;

/// The waiters of a purse.
#[derive(Default)]
pub(super) struct Queue {
    /// Sum of all charges that wait with this purse on their path, here or for another.
    waiting: AtomicI64,
    /// Length of `line`; read by whoever puts money back.
    length: AtomicUsize,
    line: Mutex<VecDeque<Arc<Waiter>>>,
}

/// One who waits.
pub(super) struct Waiter {
    amount: i64,
    pub(super) wake: Notify,
}

impl Queue {
    pub(super) fn waiting(&self) -> i64 {
        self.waiting.load(Ordering::SeqCst)
    }

    pub(super) fn add_waiting(&self, amount: i64) {
        self.waiting.fetch_add(amount, Ordering::SeqCst);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length.load(Ordering::SeqCst) == 0
    }

    /// Sum of the charges in line, and the smallest of them.
    pub(super) fn in_line(&self) -> (i64, Option<i64>) {
        if self.is_empty() {
            return (0, None);
        }
        let line = lock(&self.line);
        let amounts = || line.iter().map(|waiter| waiter.amount);
        (amounts().fold(0, i64::saturating_add), amounts().min())
    }

    /// Takes a place at the end. Whoever joins must look at the purse once more before sleeping.
    pub(super) fn join(&self, amount: i64) -> Arc<Waiter> {
        let waiter = Arc::new(Waiter { amount, wake: Notify::new() });
        let mut line = lock(&self.line);
        line.push_back(Arc::clone(&waiter));
        self.length.store(line.len(), Ordering::SeqCst);
        waiter
    }

    pub(super) fn leave(&self, waiter: &Arc<Waiter>) {
        let mut line = lock(&self.line);
        if let Some(at) = line.iter().position(|other| Arc::ptr_eq(other, waiter)) {
            line.remove(at);
        }
        self.length.store(line.len(), Ordering::SeqCst);
    }

    /// Wakes, in order, those whom `available` suffices for.
    pub(super) fn wake_served(&self, available: i64) {
        let mut left = available;
        for waiter in lock(&self.line).iter().take(LOOKED_AT_MAX) {
            if left <= 0 {
                return;
            }
            if waiter.amount <= left {
                left -= waiter.amount;
                waiter.wake.notify_one();
            }
        }
    }

    /// Wakes those whom `available` suffices for, in order, and those who wait for more than
    /// `reachable`: they wait in vain.
    pub(super) fn wake_decided(&self, available: i64, reachable: i64) {
        let mut left = available;
        for waiter in lock(&self.line).iter() {
            if waiter.amount <= left {
                left -= waiter.amount;
                waiter.wake.notify_one();
            } else if waiter.amount > reachable {
                waiter.wake.notify_one();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn is_awake(waiter: &Waiter) -> bool {
        waiter.wake.notified().now_or_never().is_some()
    }

    #[test]
    fn the_first_who_fit_are_woken_in_order() {
        let queue = Queue::default();
        let waiters: Vec<_> = [5, 9, 3, 1].map(|amount| queue.join(amount)).into();
        queue.wake_served(8);
        let awake: Vec<bool> = waiters.iter().map(|waiter| is_awake(waiter)).collect();
        assert_eq!(awake, [true, false, true, false]);
    }

    #[test]
    fn those_who_wait_in_vain_are_woken_to_leave() {
        let queue = Queue::default();
        let waiters: Vec<_> = [5, 9, 7].map(|amount| queue.join(amount)).into();
        queue.wake_decided(5, 8);
        let awake: Vec<bool> = waiters.iter().map(|waiter| is_awake(waiter)).collect();
        assert_eq!(awake, [true, true, false]);
        queue.leave(&waiters[0]);
        assert!(!queue.is_empty());
    }
}
