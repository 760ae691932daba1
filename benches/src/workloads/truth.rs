//! What the provider knows: billed and in flight, for each key, whatever the nodes believe.

use std::cell::RefCell;

/// One key's account at the provider, in nano-USD.
#[derive(Clone, Copy, Debug, Default)]
struct Account {
    limit: i64,
    billed: i64,
    in_flight: i64,
}

/// The provider's books.
#[derive(Default)]
pub(crate) struct Truth {
    accounts: RefCell<Vec<Account>>,
}

impl Truth {
    pub(crate) fn open(&self, limit: i64) {
        self.accounts.borrow_mut().push(Account { limit, ..Account::default() });
    }

    /// A request was let through that may cost this much.
    pub(crate) fn begin(&self, key: usize, worst: i64) {
        self.accounts.borrow_mut()[key].in_flight += worst;
    }

    /// It cost this much.
    pub(crate) fn end(&self, key: usize, worst: i64, cost: i64) {
        let account = &mut self.accounts.borrow_mut()[key];
        account.in_flight -= worst;
        account.billed += cost;
    }

    /// What is neither billed nor may yet be.
    pub(crate) fn free(&self, key: usize) -> i64 {
        let account = self.accounts.borrow()[key];
        account.limit - account.billed - account.in_flight
    }

    pub(crate) fn limit(&self, key: usize) -> i64 {
        self.accounts.borrow()[key].limit
    }

    /// Billed beyond the limits, over all keys.
    pub(crate) fn overspent(&self) -> i64 {
        let accounts = self.accounts.borrow();
        accounts.iter().map(|account| (account.billed - account.limit).max(0)).sum()
    }

    /// Left unspent of those limits that demand went beyond.
    pub(crate) fn left_of(&self, wanted: &[i64]) -> (i64, i64) {
        let accounts = self.accounts.borrow();
        let short =
            accounts.iter().zip(wanted).filter(|(account, wanted)| **wanted > account.limit);
        short.fold((0, 0), |(left, limits), (account, _)| {
            (left + (account.limit - account.billed).max(0), limits + account.limit)
        })
    }
}
