//! The state machine: `ledger::apply` in log order, its result shown, told and answered.
//!
//! The ledger lives in memory. After a start it is the present snapshot, and consensus applies again
//! what it knows to be committed. An entry this binary cannot read stops the node: skipping it would
//! give this node another ledger than the others.

use crate::snapshot::{Image, SnapshotFile, Snapshots};
use crate::types::{
    Applied, LogId, RaftEntry, RaftSnapshot, SnapshotMeta, StoredMembership, TypeConfig,
    proposal_of,
};
use crate::view::{Observer, Publisher, View};
use futures_util::{Stream, StreamExt};
use ledger::{Change, Entry, Ledger, Outcome};
use openraft::EntryPayload;
use openraft::storage::{ApplyResponder, EntryResponder, RaftSnapshotBuilder, RaftStateMachine};
use std::io;
use std::sync::Arc;

/// Most entries applied before their result is shown.
const BATCH_MAX: usize = 512;

/// The state machine.
pub struct Machine {
    ledger: Arc<Ledger>,
    last_applied: Option<LogId>,
    membership: StoredMembership,
    publisher: Publisher,
    observer: Arc<dyn Observer>,
    snapshots: Snapshots,
}

impl Machine {
    pub(crate) fn new(
        image: Option<Image>,
        snapshots: Snapshots,
        observer: Arc<dyn Observer>,
    ) -> (Machine, View) {
        let restored = image.is_some();
        let (meta, ledger) = match image {
            Some(image) => (image.meta, Arc::new(image.ledger)),
            None => Default::default(),
        };
        let index = meta.last_log_id.map_or(0, |id| id.index);
        let (publisher, view) = View::new(Arc::clone(&ledger), index);
        if restored {
            observer.installed(&ledger);
        }
        let machine = Machine {
            ledger,
            last_applied: meta.last_log_id,
            membership: meta.last_membership,
            publisher,
            observer,
            snapshots,
        };
        (machine, view)
    }

    /// Applies entries to a copy, shows it, tells the observer, and only then answers the proposers:
    /// whoever hears of a write finds it in the view.
    fn apply_batch(&mut self, batch: Vec<EntryResponder<TypeConfig>>) {
        let mut ledger = Ledger::clone(&self.ledger);
        let mut told = Vec::new();
        let mut answers = Vec::new();
        for (entry, responder) in batch {
            let index = entry.log_id.index;
            let outcome = self.apply_one(&mut ledger, &entry, &mut told);
            answers.extend(responder.map(|responder| (responder, Applied { index, outcome })));
        }
        self.ledger = Arc::new(ledger);
        self.publisher.show(Arc::clone(&self.ledger));
        for (entry, changes) in &told {
            self.observer.applied(&self.ledger, entry, changes);
        }
        self.publisher.announce(self.last_applied.map_or(0, |id| id.index));
        for (responder, applied) in answers {
            ApplyResponder::send(responder, applied);
        }
    }

    fn apply_one(
        &mut self,
        ledger: &mut Ledger,
        entry: &RaftEntry,
        told: &mut Vec<(Entry, Vec<Change>)>,
    ) -> Option<Outcome> {
        let index = entry.log_id.index;
        self.last_applied = Some(entry.log_id);
        if let EntryPayload::Membership(membership) = &entry.payload {
            self.membership = StoredMembership::new(Some(entry.log_id), membership.clone());
        }
        let outcome = proposal_of(entry).map(|proposal| {
            let entry = Entry { index, at: proposal.at, command: proposal.command.clone() };
            let (outcome, changes) = ledger::apply(ledger, &entry);
            told.push((entry, changes));
            outcome
        });
        // Entries of consensus itself count too, so that every node says the same.
        ledger.applied_index = index;
        outcome
    }

    fn install(&mut self, image: Image) {
        if image.meta.last_log_id < self.last_applied {
            tracing::warn!("a snapshot older than what is applied was not installed");
            return;
        }
        self.ledger = Arc::new(image.ledger);
        self.last_applied = image.meta.last_log_id;
        self.membership = image.meta.last_membership;
        self.publisher.show(Arc::clone(&self.ledger));
        self.observer.installed(&self.ledger);
        self.publisher.announce(self.last_applied.map_or(0, |id| id.index));
    }
}

impl RaftStateMachine<TypeConfig> for Machine {
    type SnapshotData = SnapshotFile;
    type SnapshotBuilder = Builder;

    async fn applied_state(&mut self) -> io::Result<(Option<LogId>, StoredMembership)> {
        Ok((self.last_applied, self.membership.clone()))
    }

    async fn apply<S>(&mut self, entries: S) -> io::Result<()>
    where
        S: Stream<Item = Result<EntryResponder<TypeConfig>, io::Error>> + Unpin + Send,
    {
        let mut batches = entries.ready_chunks(BATCH_MAX);
        while let Some(batch) = batches.next().await {
            self.apply_batch(batch.into_iter().collect::<io::Result<_>>()?);
        }
        Ok(())
    }

    async fn try_create_snapshot_builder(&mut self, _force: bool) -> Option<Builder> {
        let meta = SnapshotMeta {
            last_log_id: self.last_applied,
            last_membership: self.membership.clone(),
        };
        Some(Builder { meta, ledger: Arc::clone(&self.ledger), snapshots: self.snapshots.clone() })
    }

    async fn get_snapshot_builder(&mut self) -> Builder {
        let builder = self.try_create_snapshot_builder(true).await;
        builder.expect("one is always given")
    }

    async fn install_snapshot(
        &mut self,
        _meta: &SnapshotMeta,
        snapshot: SnapshotFile,
    ) -> io::Result<()> {
        let snapshots = self.snapshots.clone();
        let image = blocking(move || snapshots.install(&snapshot)).await?;
        self.install(image);
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> io::Result<Option<RaftSnapshot>> {
        let present = self.snapshots.present();
        Ok(present.map(|(meta, snapshot)| RaftSnapshot { meta, snapshot }))
    }
}

/// Writes the ledger of one moment to a file, while the machine goes on.
pub struct Builder {
    meta: SnapshotMeta,
    ledger: Arc<Ledger>,
    snapshots: Snapshots,
}

impl RaftSnapshotBuilder<TypeConfig> for Builder {
    type SnapshotData = SnapshotFile;

    async fn build_snapshot(&mut self) -> io::Result<RaftSnapshot> {
        let image = Image { meta: self.meta.clone(), ledger: Ledger::clone(&self.ledger) };
        let snapshots = self.snapshots.clone();
        let (meta, snapshot) = blocking(move || snapshots.write(&image)).await?;
        Ok(RaftSnapshot { meta, snapshot })
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
