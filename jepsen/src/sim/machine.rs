//! The state machine of a simulated node: the product's `apply`, judged as it goes.

use super::broken::Break;
use super::disk::{Disk, Write};
use super::life::lock;
use super::types::{
    LogId, RaftEntry, SimConfig, Snapshot, SnapshotMeta, StoredMembership, proposal_of,
};
use super::world::World;
use cluster::allowance::Allowances;
use futures_util::{Stream, StreamExt};
use ledger::{Change, Entry, Ledger, Outcome};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use storage::Applied;
use storage::openraft::storage::{
    ApplyResponder, EntryResponder, RaftSnapshotBuilder, RaftStateMachine,
};
use storage::openraft::{EntryPayload, OptionalSend};
use tokio::sync::Notify;

/// Most entries applied before their result is shown, as in the product.
const BATCH_MAX: usize = 512;

/// What a node shows of what it has applied.
pub(crate) struct Seen {
    ledger: Mutex<Arc<Ledger>>,
    index: AtomicU64,
    news: Notify,
    pub(crate) allowances: Arc<Allowances>,
}

impl Seen {
    pub(crate) fn new(allowances: Arc<Allowances>) -> Arc<Seen> {
        let (ledger, index) = (Mutex::default(), AtomicU64::new(0));
        Arc::new(Seen { ledger, index, news: Notify::new(), allowances })
    }

    pub(crate) fn ledger(&self) -> Arc<Ledger> {
        Arc::clone(&lock(&self.ledger))
    }

    /// Log index of the last entry applied and told.
    pub(crate) fn index(&self) -> u64 {
        self.index.load(SeqCst)
    }

    pub(crate) async fn wait_applied(&self, index: u64) {
        loop {
            let news = self.news.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            if self.index() >= index {
                return;
            }
            news.await;
        }
    }

    fn announce(&self, index: u64) {
        self.index.store(index, SeqCst);
        self.news.notify_waiters();
    }
}

/// The state machine.
pub(crate) struct Machine {
    world: Arc<World>,
    disk: Arc<Disk>,
    node: u64,
    seen: Arc<Seen>,
    ledger: Arc<Ledger>,
    last_applied: Option<LogId>,
    membership: StoredMembership,
}

impl Machine {
    pub(crate) fn new(world: Arc<World>, disk: Arc<Disk>, node: u64, seen: Arc<Seen>) -> Machine {
        let (meta, ledger) = disk.read(|image| image.snapshot.clone()).unwrap_or_default();
        let mut machine = Machine {
            world,
            disk,
            node,
            seen,
            ledger: Arc::default(),
            last_applied: None,
            membership: StoredMembership::default(),
        };
        if meta.last_log_id.is_some() {
            machine.install(&meta, ledger);
        }
        machine
    }

    fn install(&mut self, meta: &SnapshotMeta, ledger: Arc<Ledger>) {
        if meta.last_log_id < self.last_applied {
            return;
        }
        self.ledger = ledger;
        self.last_applied = meta.last_log_id;
        self.membership = meta.last_membership.clone();
        *lock(&self.seen.ledger) = Arc::clone(&self.ledger);
        self.seen.allowances.installed(&self.ledger);
        self.world.note("installed", [self.node, self.ledger.applied_index, 0]);
        self.seen.announce(self.ledger.applied_index);
    }

    /// In the product's order: applied to a copy, shown, told, and only then answered.
    fn apply_batch(&mut self, batch: Vec<EntryResponder<SimConfig>>) {
        let mut ledger = Ledger::clone(&self.ledger);
        let mut told = Vec::new();
        let mut answers = Vec::new();
        for (entry, responder) in batch {
            let index = entry.log_id.index;
            let outcome = self.apply_one(&mut ledger, &entry, &mut told);
            answers.extend(responder.map(|responder| (responder, Applied { index, outcome })));
        }
        self.ledger = Arc::new(ledger);
        *lock(&self.seen.ledger) = Arc::clone(&self.ledger);
        for mut changes in told {
            if self.world.is_broken(Break::GrantDoubled) {
                changes.iter_mut().for_each(double);
            }
            self.seen.allowances.applied(&self.ledger, &changes);
        }
        self.seen.announce(self.last_applied.map_or(0, |id| id.index));
        for (responder, applied) in answers {
            ApplyResponder::send(responder, applied);
        }
    }

    fn apply_one(
        &mut self,
        ledger: &mut Ledger,
        entry: &RaftEntry,
        told: &mut Vec<Vec<Change>>,
    ) -> Option<Outcome> {
        let index = entry.log_id.index;
        self.last_applied = Some(entry.log_id);
        if let EntryPayload::Membership(membership) = &entry.payload {
            self.membership = StoredMembership::new(Some(entry.log_id), membership.clone());
        }
        let before = ledger.clone();
        let outcome = proposal_of(entry).map(|proposal| {
            let entry = Entry { index, at: proposal.at, command: proposal.command.clone() };
            let (outcome, changes) = ledger::apply(ledger, &entry);
            told.push(changes);
            outcome
        });
        ledger.applied_index = index;
        self.world.note("applied", [self.node, index, entry.log_id.leader_id.term]);
        self.world.judge.applied(&self.world, entry, &before, ledger);
        outcome
    }
}

/// The mistake of a node that takes each grant for twice what it is.
fn double(change: &mut Change) {
    if let Change::Granted { grants, .. } = change {
        grants.iter_mut().for_each(|grant| grant.granted_cum *= 2);
    }
}

impl RaftStateMachine<SimConfig> for Machine {
    type SnapshotData = Arc<Ledger>;
    type SnapshotBuilder = Builder;

    async fn applied_state(&mut self) -> io::Result<(Option<LogId>, StoredMembership)> {
        Ok((self.last_applied, self.membership.clone()))
    }

    async fn apply<S>(&mut self, entries: S) -> io::Result<()>
    where
        S: Stream<Item = io::Result<EntryResponder<SimConfig>>> + Unpin + OptionalSend,
    {
        let mut batches = entries.ready_chunks(BATCH_MAX);
        while let Some(batch) = batches.next().await {
            self.apply_batch(batch.into_iter().collect::<io::Result<_>>()?);
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Builder {
        let meta = SnapshotMeta {
            last_log_id: self.last_applied,
            last_membership: self.membership.clone(),
        };
        Builder { meta, ledger: Arc::clone(&self.ledger), disk: Arc::clone(&self.disk) }
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        snapshot: Arc<Ledger>,
    ) -> io::Result<()> {
        keep(&self.disk, meta, &snapshot).await;
        self.install(meta, snapshot);
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> io::Result<Option<Snapshot>> {
        let present = self.disk.read(|image| image.snapshot.clone());
        Ok(present.map(|(meta, snapshot)| Snapshot { meta, snapshot }))
    }
}

/// Writes the ledger of one moment to the disk, while the machine goes on.
pub(crate) struct Builder {
    meta: SnapshotMeta,
    ledger: Arc<Ledger>,
    disk: Arc<Disk>,
}

impl RaftSnapshotBuilder<SimConfig> for Builder {
    type SnapshotData = Arc<Ledger>;

    async fn build_snapshot(&mut self) -> io::Result<Snapshot> {
        keep(&self.disk, &self.meta, &self.ledger).await;
        Ok(Snapshot { meta: self.meta.clone(), snapshot: Arc::clone(&self.ledger) })
    }
}

/// Makes a snapshot the present one, unless a newer one is.
async fn keep(disk: &Disk, meta: &SnapshotMeta, ledger: &Arc<Ledger>) {
    let present =
        disk.read(|image| image.snapshot.as_ref().and_then(|(present, _)| present.last_log_id));
    if present < meta.last_log_id {
        disk.write_through(Write::Snapshot(meta.clone(), Arc::clone(ledger))).await;
    }
}
