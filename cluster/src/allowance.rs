//! What this node may spend without asking anybody.
//!
//! Every account a request is charged to has a [`Purse`] on this node, filled ahead of need by grants
//! of the ledger. Holding and settling are a few atomic operations. A purse that runs dry asks for
//! more in the next [`ledger::command::Refill`], one command for all purses of the node, while the
//! request waits.
//!
//! Two rules carry everything: a grant counts as spent until this node reports otherwise, and only
//! what was *applied* is a grant. So a crash, a lost answer or a doubled command never lets two nodes
//! spend the same money.
//!
//! What requests used travels with the refills, in batches that are counted once. A journal beside the
//! log lets the next life of a node that was killed tell what this one spent.

mod books;
mod charge;
mod desk;
mod hold;
mod journal;
mod keep;
mod observe;
mod path;
mod plan;
mod purse;
mod queue;
mod refill;
mod run;
#[cfg(test)]
mod tests;
mod usage;
mod wait;

pub use books::{PurseBooks, PurseTerms};
pub use charge::{CHARGE_MAX, Charge, Short, Why};
pub use hold::Hold;
pub use journal::{
    Ground, Machine, Owner, Testament, forget_life, forget_lives_before, nothing_left,
};
pub use path::Path;
use purse::Opening;
pub use purse::{GRACE_MS, Purse};
pub use run::Propose;

use desk::{Desk, lock};
use ledger::{AccountId, Change, Grant, Ledger, NodeId, UnixMillis, UsageKey};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Parts of the map of purses, each with a lock: looked into when terms are made, not per request.
const SHARDS: usize = 16;

/// All purses of a node. One per process, shared by all threads.
#[derive(Default)]
pub struct Allowances {
    desk: Arc<Desk>,
    shards: [Mutex<BTreeMap<AccountId, Purses>>; SHARDS],
}

/// The purses of one account. Never forgotten while the account admits: a purse made anew would take
/// the grants of its life a second time.
#[derive(Default)]
struct Purses {
    newest: u64,
    by_period: Vec<Arc<Purse>>,
}

/// What has happened since the start, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllowanceCounts {
    /// Refills sent.
    pub refills: u64,
    /// Refills that were not answered in time.
    pub failed_refills: u64,
    /// Holds that had to wait.
    pub waited: u64,
    /// Holds that were dropped without being settled: each is a bug.
    pub dropped_holds: u64,
    /// Attempts that cost more than their hold, once per account.
    pub exceeded_holds: u64,
}

impl Allowances {
    /// No purses yet, and nobody to ask.
    #[must_use]
    pub fn new() -> Arc<Allowances> {
        Arc::new(Allowances::default())
    }

    /// Says who this node is, once. Nothing is granted before `EnrolNode` of this incarnation is applied.
    pub fn identify(&self, node: NodeId, incarnation: u64) {
        // A second call would change who spends; the first stands.
        let _ = self.desk.identity.set((node, incarnation));
    }

    /// Says how many nodes share the pools.
    pub fn set_active_nodes(&self, nodes: u32) {
        self.desk.active_nodes.store(nodes, SeqCst);
    }

    /// Says which lives of other nodes are heard. What any other life holds is not waited for: a charge
    /// that could only be served from there is told that the budget is spent. Until the first call
    /// every node counts as heard.
    pub fn set_heard(&self, lives: impl IntoIterator<Item = (NodeId, u64)>) {
        self.desk.set_heard(lives.into_iter().collect());
    }

    /// The purse of this account and period, new or as it is. Callers keep it until their terms change.
    #[must_use]
    pub fn purse(&self, terms: &PurseTerms) -> Arc<Purse> {
        let mut shard = lock(self.shard(terms.account));
        let purses = shard.entry(terms.account).or_default();
        if let Some(purse) = purses.of(terms.period) {
            purse.retell(terms);
            return purse;
        }
        let purse = Arc::new(Purse::new(terms, Arc::clone(&self.desk)));
        if terms.period < purses.newest {
            purse.end();
            return purse;
        }
        purses.open(terms.period);
        purses.by_period.push(Arc::clone(&purse));
        drop(shard);
        if let Some(ledger) = self.desk.ledger.load_full() {
            observe::look(&purse, &ledger, &self.desk);
        }
        purse
    }

    /// A path over these purses, which counts in that row of usage. The row's day is that of each request.
    /// Callers keep the path until their terms change: making one is not for every request.
    #[must_use]
    pub fn path(&self, purses: Vec<Arc<Purse>>, row: UsageKey) -> Arc<Path> {
        Arc::new(Path::new(purses, self.desk.usage.row(row), Arc::clone(&self.desk)))
    }

    /// Sets the charge aside on every purse of the path, or on none. Never waits.
    ///
    /// # Errors
    /// The first account that is short, and why.
    pub fn try_hold(
        &self,
        path: &Arc<Path>,
        charge: &Charge,
        now: UnixMillis,
    ) -> Result<Hold, Short> {
        Hold::take(path, charge, now).map_err(|miss| {
            let purse = &path.purses()[miss.at];
            purse.short(purse.amount(charge), miss.why)
        })
    }

    /// As [`Allowances::try_hold`], and where money may yet come waits for it, at most `within`.
    ///
    /// # Errors
    /// The first account that is short, and why.
    pub async fn hold(
        &self,
        path: &Arc<Path>,
        charge: &Charge,
        now: UnixMillis,
        within: Duration,
    ) -> Result<Hold, Short> {
        match Hold::take(path, charge, now) {
            Ok(hold) => Ok(hold),
            Err(miss) => {
                let wish = wait::Wish { path, charge, now };
                wish.wait(&self.desk, miss, within).await
            }
        }
    }

    /// Takes over what an applied entry changed. To be called for every entry, in order, on the apply path.
    pub fn applied(&self, ledger: &Arc<Ledger>, changes: &[Change]) {
        self.desk.ledger.store(Some(Arc::clone(ledger)));
        self.desk.ring_if_enrolled();
        for change in changes {
            match change {
                Change::Granted { node, incarnation, seq, grants } => {
                    self.granted(ledger, (*node, *incarnation), *seq, grants)
                }
                Change::PoolGrew(account) => self.look(ledger, *account),
                Change::PeriodOpened { account, period } => self.opened(*account, *period),
                // Limits, modes and deletions are taken over when terms are made anew, and once a second.
                Change::Config => {}
            }
        }
    }

    /// Takes over a ledger that was installed as a whole.
    pub fn installed(&self, ledger: &Arc<Ledger>) {
        self.desk.ledger.store(Some(Arc::clone(ledger)));
        let Some(me) = self.me() else {
            return;
        };
        self.heard_usage(ledger, me);
        for purse in self.purses() {
            observe::resync(&purse, ledger, me, &self.desk);
        }
        let record = ledger.nodes.get(&me.0).filter(|record| record.incarnation == me.1);
        if let Some(record) = record {
            self.desk.answered(record.refill_seq, ledger);
        }
    }

    /// Takes over the grants of an applied refill, whosever it was: each tells of a pool.
    fn granted(&self, ledger: &Ledger, to: (NodeId, u64), seq: u64, grants: &[Grant]) {
        let Some(me) = self.me() else {
            return;
        };
        for grant in grants {
            let Some(purse) = self.find(grant.account, grant.period) else {
                continue;
            };
            if to == me {
                purse.grant(grant.granted_cum);
            }
            if grant.low {
                purse.note_scarce();
            }
            observe::look(&purse, ledger, &self.desk);
        }
        if to == me {
            self.heard_usage(ledger, me);
            self.desk.answered(seq, ledger);
        }
    }

    /// Takes over which batches of usage the ledger has.
    fn heard_usage(&self, ledger: &Ledger, (node, incarnation): (NodeId, u64)) {
        let record = ledger.nodes.get(&node);
        if let Some(record) = record.filter(|record| record.incarnation == incarnation) {
            self.desk.usage.heard(record.usage_batch, ledger.applied_index);
        }
    }

    fn look(&self, ledger: &Ledger, account: AccountId) {
        let newest = lock(self.shard(account)).get(&account).map_or(0, |purses| purses.newest);
        if let Some(purse) = self.find(account, newest) {
            observe::look(&purse, ledger, &self.desk);
        }
    }

    fn opened(&self, account: AccountId, period: u64) {
        if let Some(purses) = lock(self.shard(account)).get_mut(&account) {
            purses.open(period);
        }
    }

    /// Has everything reported within a tick instead of within a second.
    pub fn report(&self) {
        self.desk.report_now.store(true, SeqCst);
        self.desk.bell.notify_one();
    }

    /// Gives everything back and reports all, for good: no purse is filled again. Returns whether the
    /// ledger has heard it all within the time given; holds that are still open keep it from that, and a
    /// refill that asked for more and may yet be granted.
    pub async fn return_everything(&self, within: Duration) -> bool {
        let last_asking = self.desk.drain();
        let all = async {
            loop {
                let answer = self.desk.answer.notified();
                tokio::pin!(answer);
                answer.as_mut().enable();
                let open: Vec<_> = self.purses().into_iter().filter(|p| !p.is_done()).collect();
                let may_be_granted = self.desk.answered_seq.load(SeqCst) < last_asking;
                if open.is_empty() && self.desk.usage.is_quiet() && !may_be_granted {
                    return;
                }
                open.iter().for_each(Purse::press);
                self.report();
                answer.await;
            }
        };
        tokio::time::timeout(within, all).await.is_ok()
    }

    /// Whether refills can be asked for: this life of the node is enrolled, and no later one is.
    #[must_use]
    pub fn askable(&self) -> bool {
        self.desk.is_enrolled()
    }

    /// Log index of the entry that brought a batch of usage of this life to the ledger, once this node has
    /// applied it; where it came with a snapshot, that of the snapshot. The last few thousand are known.
    #[must_use]
    pub fn batch_index(&self, batch: u64) -> Option<u64> {
        self.desk.usage.index_of(batch)
    }

    /// Every purse as it is now.
    #[must_use]
    pub fn snapshot(&self) -> Vec<PurseBooks> {
        self.purses().iter().map(|purse| purse.books()).collect()
    }

    /// What has happened since the start.
    #[must_use]
    pub fn counts(&self) -> AllowanceCounts {
        let counts = &self.desk.counts;
        AllowanceCounts {
            refills: counts.refills.load(Relaxed),
            failed_refills: counts.failed.load(Relaxed),
            waited: counts.waited.load(Relaxed),
            dropped_holds: counts.dropped_holds.load(Relaxed),
            exceeded_holds: counts.exceeded_holds.load(Relaxed),
        }
    }

    /// Forgets purses of past periods, of accounts that were deleted or closed, and of those that are gone,
    /// where they have nothing left to say. None is filled again: account ids are log indices.
    fn sweep(&self) {
        self.desk.usage.sweep();
        let Some(ledger) = self.desk.ledger.load_full() else {
            return;
        };
        for shard in &self.shards {
            lock(shard).retain(|account, purses| {
                let newest = purses.newest;
                purses.by_period.retain(|purse| purse.period() == newest || !purse.is_done());
                let is_over = match ledger.accounts.get(account) {
                    Some(books) => books.deleted_at.is_some(),
                    None => account.budget <= ledger.applied_index,
                };
                !(is_over && purses.by_period.iter().all(|purse| purse.is_done()))
            });
        }
    }

    /// The ledger knows all that a life before this one spent: what that let through beyond its grants is
    /// covered, or debt that everybody sees, and does not count against this life any more.
    pub fn forget_life(&self, incarnation: u64) {
        lock(&self.desk.beyond_before).remove(&incarnation);
    }

    fn me(&self) -> Option<(NodeId, u64)> {
        self.desk.identity.get().copied()
    }

    fn find(&self, account: AccountId, period: u64) -> Option<Arc<Purse>> {
        lock(self.shard(account)).get(&account)?.of(period)
    }

    fn purses(&self) -> Vec<Arc<Purse>> {
        let all = |shard: &Mutex<BTreeMap<AccountId, Purses>>| -> Vec<Arc<Purse>> {
            let shard = lock(shard);
            shard.values().flat_map(|purses| purses.by_period.clone()).collect()
        };
        self.shards.iter().flat_map(all).collect()
    }

    fn shard(&self, account: AccountId) -> &Mutex<BTreeMap<AccountId, Purses>> {
        let index = (account.budget ^ u64::from(account.window)) % SHARDS as u64;
        &self.shards[usize::try_from(index).unwrap_or(0)]
    }
}

impl Purses {
    fn of(&self, period: u64) -> Option<Arc<Purse>> {
        let mut purses = self.by_period.iter();
        purses.find(|purse| purse.period() == period).cloned()
    }

    /// Ends purses of earlier periods and forgets those that have nothing left to say: being of past
    /// periods they cannot come back.
    fn open(&mut self, period: u64) {
        if period <= self.newest {
            return;
        }
        self.newest = period;
        self.by_period.retain(|purse| {
            let past = purse.period() < period;
            if past {
                purse.end();
            }
            !(past && purse.is_done())
        });
    }
}
