//! What a request is charged to, made once for all requests of one kind.

use super::desk::Desk;
use super::usage::Row;
use super::{Charge, Purse};
use ledger::UsageKey;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

/// The purses a request is charged to, in order, and the row of usage it counts in. May have no purses.
pub struct Path {
    purses: Box<[Arc<Purse>]>,
    /// One number per set of purses, never zero: the same for all paths over them.
    pub(super) number: u64,
    pub(super) row: Arc<Row>,
    pub(super) desk: Arc<Desk>,
    /// Its number in the journal; zero: it has none yet.
    pub(super) in_journal: AtomicU32,
}

impl Path {
    pub(super) fn new(purses: Vec<Arc<Purse>>, row: Arc<Row>, desk: Arc<Desk>) -> Path {
        let mut hasher = DefaultHasher::new();
        for purse in &purses {
            (purse.account(), purse.period()).hash(&mut hasher);
        }
        Path {
            purses: purses.into(),
            number: hasher.finish().max(1),
            row,
            desk,
            in_journal: AtomicU32::new(0),
        }
    }

    /// The purses, in the order of their charging.
    #[must_use]
    pub fn purses(&self) -> &[Arc<Purse>] {
        &self.purses
    }

    /// The row of usage; its day is zero.
    #[must_use]
    pub fn usage_key(&self) -> &UsageKey {
        self.row.key()
    }

    /// What a charge comes to on one of the purses.
    pub(super) fn amount(&self, at: usize, charge: &Charge) -> i64 {
        self.purses[at].amount(charge)
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        let number = *self.in_journal.get_mut();
        if let Some(journal) = self.desk.journal().filter(|_| number != 0) {
            journal.path_gone(number);
        }
    }
}

impl std::fmt::Debug for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let accounts = self.purses.iter().map(|purse| (purse.account(), purse.period()));
        f.debug_list().entries(accounts).finish()
    }
}
