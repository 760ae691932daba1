//! The provider's own count: every accepted request, with what it has cost so far.

use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::{INPUT_NANO_USD, OUTPUT_NANO_USD};

/// An amount in each of the units that budgets count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charge {
    /// Billionths of a dollar.
    pub nano_usd: i64,
    /// Input and output.
    pub tokens: i64,
    /// Accepted requests.
    pub requests: i64,
}

impl std::ops::AddAssign for Charge {
    fn add_assign(&mut self, more: Charge) {
        self.nano_usd += more.nano_usd;
        self.tokens += more.tokens;
        self.requests += more.requests;
    }
}

/// The bill of one accepted request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bill {
    /// The caller's number of it. A gateway that tries again makes two bills of one number.
    pub id: u64,
    /// Number of the virtual key it came under.
    pub key: usize,
    /// When it was accepted, in nanoseconds since the run began.
    pub at_ns: u64,
    /// What it cost.
    pub charge: Charge,
}

/// The books.
pub struct Books {
    began: Instant,
    bills: Mutex<Vec<Bill>>,
    /// Sums by virtual key.
    sums: Vec<Sum>,
}

#[derive(Default)]
struct Sum {
    nano_usd: AtomicI64,
    tokens: AtomicI64,
    requests: AtomicI64,
}

impl Books {
    /// Empty books for so many virtual keys.
    pub fn new(began: Instant, keys: usize) -> Books {
        let sums = std::iter::repeat_with(Sum::default).take(keys).collect();
        Books { began, bills: Mutex::default(), sums }
    }

    /// All bills, in the order in which the requests were accepted.
    pub fn bills(&self) -> Vec<Bill> {
        self.lock().clone()
    }

    /// What was billed so far on requests of a virtual key.
    pub fn sum(&self, key: usize) -> Charge {
        self.sums.get(key).map_or_else(Charge::default, |sum| Charge {
            nano_usd: sum.nano_usd.load(SeqCst),
            tokens: sum.tokens.load(SeqCst),
            requests: sum.requests.load(SeqCst),
        })
    }

    /// Accepts a request and bills its input; answers the number of the bill.
    pub(super) fn accept(&self, id: u64, key: usize, input_tokens: i64) -> usize {
        let charge =
            Charge { nano_usd: input_tokens * INPUT_NANO_USD, tokens: input_tokens, requests: 1 };
        // 584 years.
        let at_ns = self.began.elapsed().as_nanos() as u64;
        let mut bills = self.lock();
        bills.push(Bill { id, key, at_ns, charge });
        self.add(key, charge);
        bills.len() - 1
    }

    /// Bills so many more output tokens.
    pub(super) fn produced(&self, bill: usize, tokens: i64) {
        let charge = Charge { nano_usd: tokens * OUTPUT_NANO_USD, tokens, requests: 0 };
        let mut bills = self.lock();
        bills[bill].charge += charge;
        self.add(bills[bill].key, charge);
    }

    fn add(&self, key: usize, charge: Charge) {
        let Some(sum) = self.sums.get(key) else { return };
        sum.nano_usd.fetch_add(charge.nano_usd, SeqCst);
        sum.tokens.fetch_add(charge.tokens, SeqCst);
        sum.requests.fetch_add(charge.requests, SeqCst);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Bill>> {
        self.bills.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bills_and_sums_agree() {
        let books = Books::new(Instant::now(), 2);
        let first = books.accept(7, 1, 10);
        books.accept(8, 1, 1);
        books.produced(first, 3);
        let bills = books.bills();
        assert_eq!(bills[0].charge, Charge { nano_usd: 22_000, tokens: 13, requests: 1 });
        let sum = Charge { nano_usd: 23_000, tokens: 14, requests: 2 };
        assert_eq!((books.sum(1), books.sum(0)), (sum, Charge::default()));
        assert!(bills[0].at_ns <= bills[1].at_ns);
    }
}
