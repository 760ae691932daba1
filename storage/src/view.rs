//! The ledger as this node has applied it, for everybody who reads.

use arc_swap::ArcSwap;
use ledger::{Change, Entry, Ledger};
use std::sync::Arc;
use tokio::sync::watch;

/// Hears what was applied, in log order, on the apply path: must be quick and must not block.
pub trait Observer: Send + Sync + 'static {
    /// An entry was applied. `ledger` is what was published with its batch: at or past this entry.
    ///
    /// Called after the view shows the entry and before its proposer hears of it.
    fn applied(&self, ledger: &Arc<Ledger>, entry: &Entry, changes: &[Change]);

    /// The ledger was replaced by a snapshot: what happened between is not told.
    fn installed(&self, ledger: &Arc<Ledger>);
}

/// An observer that does not care.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn applied(&self, _: &Arc<Ledger>, _: &Entry, _: &[Change]) {}
    fn installed(&self, _: &Arc<Ledger>) {}
}

/// A window on the ledger. Cloning is cheap; reading takes no lock.
#[derive(Clone)]
pub struct View {
    ledger: Arc<ArcSwap<Ledger>>,
    /// Log index of the last entry applied and told to the observer; zero before the first.
    pub applied: watch::Receiver<u64>,
}

/// The writing end of a [`View`].
pub(crate) struct Publisher {
    ledger: Arc<ArcSwap<Ledger>>,
    applied: watch::Sender<u64>,
}

impl View {
    pub(crate) fn new(ledger: Arc<Ledger>, index: u64) -> (Publisher, View) {
        let ledger = Arc::new(ArcSwap::new(ledger));
        let (sender, receiver) = watch::channel(index);
        let publisher = Publisher { ledger: Arc::clone(&ledger), applied: sender };
        let view = View { ledger, applied: receiver };
        (publisher, view)
    }

    /// The ledger as of now.
    #[must_use]
    pub fn load(&self) -> Arc<Ledger> {
        self.ledger.load_full()
    }

    /// Log index of the last entry applied.
    #[must_use]
    pub fn applied_index(&self) -> u64 {
        *self.applied.borrow()
    }

    /// Waits until the entry at `index` is applied. False: the storage was closed before it was.
    pub async fn wait_applied(&self, index: u64) -> bool {
        let mut applied = self.applied.clone();
        applied.wait_for(|at| *at >= index).await.is_ok()
    }
}

impl Publisher {
    pub(crate) fn show(&self, ledger: Arc<Ledger>) {
        self.ledger.store(ledger);
    }

    pub(crate) fn announce(&self, index: u64) {
        self.applied.send_replace(index);
    }
}
