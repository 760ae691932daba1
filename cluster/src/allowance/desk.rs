//! Where purses leave word for the refill loop, and the loop for them.

use super::journal::{Journal, LivesBeyond};
use super::usage::Usage;
use super::{Purse, observe};
use arc_swap::ArcSwapOption;
use ledger::{AccountId, Ledger, NodeId};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use tokio::sync::Notify;

/// Shared by all purses of a node and its refill loop. Its locks are taken about once per purse and
/// second, and when money is short; never by a hold that finds enough.
#[derive(Default)]
pub(super) struct Desk {
    /// This node and its life, once it has an id.
    pub(super) identity: OnceLock<(NodeId, u64)>,
    /// The ledger as last applied.
    pub(super) ledger: ArcSwapOption<Ledger>,
    /// Nodes that share the pools.
    pub(super) active_nodes: AtomicU32,
    /// Lives of other nodes that are heard, by gossip; `None` before it had the time to hear anybody.
    heard: ArcSwapOption<BTreeSet<(NodeId, u64)>>,
    /// Give everything back, keep nothing, ask for nothing.
    draining: AtomicBool,
    /// Locked while a refill is made.
    composing: Mutex<()>,
    /// The next round shall report everything.
    pub(super) report_now: AtomicBool,
    /// Nobody has to be told any more that this life was enrolled.
    told_enrolled: AtomicBool,
    /// A later life of this node is enrolled: this one asks no more.
    pub(super) fenced: AtomicBool,
    /// The last refill was not answered: the cluster cannot be asked.
    cut: AtomicBool,
    /// Rings when somebody cannot wait for the next second.
    pub(super) bell: Notify,
    /// Rings at each answer.
    pub(super) answer: Notify,
    /// Sequence of the last refill answered.
    pub(super) answered_seq: AtomicU64,
    pub(super) counts: Counts,
    /// What requests used.
    pub(super) usage: Usage,
    /// Where holds are written down; set before anything is granted, or never.
    pub(super) journal: OnceLock<Journal>,
    /// What lives before this one let through beyond what they were granted, and the ledger may not know.
    pub(super) beyond_before: Mutex<LivesBeyond>,
    /// Rings when there is one.
    pub(super) journal_begun: Notify,
    /// Rings when whoever keeps the journal has something to do.
    pub(super) open_bell: Notify,
    /// Purses with money that may not be spent before the journal says so.
    opening: Mutex<Vec<Arc<Purse>>>,
    touched: Mutex<Vec<Arc<Purse>>>,
    pressed: Mutex<Vec<Arc<Purse>>>,
    sent: Mutex<Sent>,
}

/// What has happened since the start.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) refills: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) waited: AtomicU64,
    pub(super) dropped_holds: AtomicU64,
    pub(super) exceeded_holds: AtomicU64,
}

/// The refill that is out, and what it said of each purse.
#[derive(Default)]
pub(super) struct Sent {
    pub(super) seq: u64,
    pub(super) said: Vec<Said>,
}

/// What a refill said of one purse.
pub(super) struct Said {
    pub(super) purse: Arc<Purse>,
    pub(super) settled_cum: i64,
    pub(super) returned_cum: i64,
}

impl Desk {
    /// Something of this purse changed: it will be in the next report.
    pub(super) fn touch(&self, purse: &Arc<Purse>) {
        lock(&self.touched).push(Arc::clone(purse));
    }

    /// This purse cannot wait for the next second.
    pub(super) fn press(&self, purse: &Arc<Purse>) {
        lock(&self.pressed).push(Arc::clone(purse));
        self.bell.notify_one();
    }

    pub(super) fn note_dropped(&self) {
        self.counts.dropped_holds.fetch_add(1, Ordering::Relaxed);
    }

    /// The journal, where there is one.
    pub(super) fn journal(&self) -> Option<&Journal> {
        self.journal.get()
    }

    /// Whether what is granted must be opened before it is spent.
    pub(super) fn seals(&self) -> bool {
        self.journal().is_some_and(Journal::works)
    }

    /// What lives before this one let through on an account and period beyond what they were granted, as far
    /// as the ledger may not know of it.
    pub(super) fn beyond_before(&self, key: (AccountId, u64)) -> i64 {
        let lives = lock(&self.beyond_before);
        let amounts = lives.values().filter_map(|beyond| beyond.get(&key));
        amounts.copied().fold(0, i64::saturating_add)
    }

    /// This purse has money to be opened.
    pub(super) fn ask_open(&self, purse: &Arc<Purse>) {
        lock(&self.opening).push(Arc::clone(purse));
        self.open_bell.notify_one();
    }

    pub(super) fn take_opening(&self) -> Vec<Arc<Purse>> {
        std::mem::take(&mut *lock(&self.opening))
    }

    pub(super) fn take_touched(&self) -> Vec<Arc<Purse>> {
        std::mem::take(&mut *lock(&self.touched))
    }

    pub(super) fn take_pressed(&self) -> Vec<Arc<Purse>> {
        std::mem::take(&mut *lock(&self.pressed))
    }

    /// Keeps the node from draining while a refill is made.
    pub(super) fn compose(&self) -> MutexGuard<'_, ()> {
        lock(&self.composing)
    }

    /// From here on no refill asks for anything. Returns the sequence of the last one that may have: once
    /// one as late is applied, no earlier one can be.
    pub(super) fn drain(&self) -> u64 {
        let _none_is_made = self.compose();
        self.draining.store(true, Ordering::SeqCst);
        lock(&self.sent).seq
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// Remembers what a refill says until it is answered. An unanswered one before it is forgotten: its
    /// counters are repeated by later ones.
    pub(super) fn send(&self, sent: Sent) {
        *lock(&self.sent) = sent;
        self.counts.refills.fetch_add(1, Ordering::Relaxed);
    }

    /// A refill of this life was applied, and made this ledger or one before it.
    pub(super) fn answered(&self, seq: u64, ledger: &Ledger) {
        let mut sent = lock(&self.sent);
        if sent.seq == seq {
            for said in sent.said.drain(..) {
                said.purse.heard(&said, observe::own_lane(&said.purse, ledger, self));
            }
        }
        drop(sent);
        self.cut.store(false, Ordering::SeqCst);
        self.answered_seq.fetch_max(seq, Ordering::SeqCst);
        self.answer.notify_waiters();
    }

    /// Nobody answers; returns whether that is news.
    pub(super) fn cut_off(&self) -> bool {
        !self.cut.swap(true, Ordering::SeqCst)
    }

    /// Whether the cluster cannot be asked. A life that was replaced is not alone, it is over.
    pub(super) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Relaxed) && !self.fenced.load(Ordering::Relaxed)
    }

    /// The purses of the refill that is out.
    pub(super) fn sent_purses(&self) -> Vec<Arc<Purse>> {
        let sent = lock(&self.sent);
        sent.said.iter().map(|said| Arc::clone(&said.purse)).collect()
    }

    /// Rings once this life is enrolled: some may wait since before.
    pub(super) fn ring_if_enrolled(&self) {
        if !self.told_enrolled.load(Ordering::Relaxed) && self.is_enrolled() {
            self.told_enrolled.store(true, Ordering::Relaxed);
            self.bell.notify_one();
        }
    }

    /// Takes over which lives of other nodes are heard.
    pub(super) fn set_heard(&self, heard: BTreeSet<(NodeId, u64)>) {
        self.heard.store(Some(Arc::new(heard)));
    }

    /// Whether this life of a node is heard, or nobody knows yet.
    pub(super) fn hears(&self, node: NodeId, life: u64) -> bool {
        self.heard.load().as_ref().is_none_or(|heard| heard.contains(&(node, life)))
    }

    /// This life of this node is the one that may spend, as far as this node has applied.
    pub(super) fn is_enrolled(&self) -> bool {
        let Some((node, incarnation)) = self.identity.get() else {
            return false;
        };
        let ledger = self.ledger.load();
        let record = ledger.as_ref().and_then(|ledger| ledger.nodes.get(node));
        record.is_some_and(|record| record.incarnation == *incarnation)
            && !self.fenced.load(Ordering::SeqCst)
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no thread panics while it holds this")
}
