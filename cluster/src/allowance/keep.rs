//! Keeping the journal: opening what was granted, and folding full files away. Off the path of requests.

use super::desk::lock;
use super::journal::{self, Ground, Journal, Machine, Owner};
use super::{Allowances, Opening, Purse};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{error, warn};

/// Time between two looks at the files.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a settlement waits for a hold to be written with: a process that dies meanwhile leaves it
/// charged in full.
const SETTLEMENTS_AFTER: Duration = Duration::from_millis(5);
/// Least time between two syncs that nobody waits for.
const CUSHIONS_EVERY: Duration = Duration::from_millis(100);

impl Allowances {
    /// Begins the journal of this life in a data directory, and learns from those of lives before it what they
    /// let through beyond their grants. To be called before [`Allowances::identify`]; where it cannot be written
    /// the node goes without. A second call changes nothing. Blocks.
    ///
    /// # Errors
    /// It cannot be written, and a file of it cannot be removed either: to the next life that would say that
    /// nothing was spent. This one must not spend, but may try again.
    pub fn begin_journal(&self, data_dir: &Path, owner: Owner) -> io::Result<()> {
        self.begin_journal_on(data_dir, owner, Arc::new(Machine))
    }

    /// As [`Allowances::begin_journal`], of files that stand on another ground than the machine's.
    ///
    /// # Errors
    /// Those of [`Allowances::begin_journal`].
    pub fn begin_journal_on(
        &self,
        data_dir: &Path,
        owner: Owner,
        on: Arc<dyn Ground>,
    ) -> io::Result<()> {
        if self.desk.journal().is_some() {
            return Ok(());
        }
        match journal::beyond_before(data_dir, &owner, &*on) {
            Ok(beyond) => *lock(&self.desk.beyond_before) = beyond,
            Err(error) => warn!(%error, "what lives before this one let through is not known"),
        }
        // Nothing is spent yet: whatever is there of this life was left by a first try.
        let life = owner.incarnation;
        journal::forget_life(data_dir, life)?;
        match Journal::begin(journal::folder(data_dir), owner, on) {
            Ok(journal) => {
                drop(self.desk.journal.set(journal));
                self.desk.journal_begun.notify_one();
                Ok(())
            }
            Err(error) => {
                journal::forget_life(data_dir, life)?;
                warn!(%error, "no journal: what a crash leaves unreported will be in suspense");
                Ok(())
            }
        }
    }

    /// Whether this life writes down what it spends. Without, a crash leaves in suspense what was not
    /// reported.
    #[must_use]
    pub fn has_journal(&self) -> bool {
        self.desk.seals()
    }

    /// Keeps the journal until the future is dropped. One per node.
    pub async fn keep_journal(self: Arc<Self>) {
        tokio::join!(self.write_settlements(), Arc::clone(&self).tend_journal());
    }

    /// Writes settlements that no hold takes along.
    async fn write_settlements(&self) {
        loop {
            let Some(journal) = self.desk.journal() else {
                self.desk.journal_begun.notified().await;
                continue;
            };
            journal.record_waits().await;
            sleep(SETTLEMENTS_AFTER).await;
            // Into the system's cache: a matter of microseconds.
            journal.flush();
        }
    }

    /// Opens what was granted, and folds full files away.
    async fn tend_journal(self: Arc<Self>) {
        let mut next_look = Instant::now() + LOOK_EVERY;
        let mut cushions_at = Instant::now();
        let mut asked: Vec<Arc<Purse>> = Vec::new();
        loop {
            let until = if asked.is_empty() { next_look } else { next_look.min(cushions_at) };
            // Rung or not, there may be something to do.
            let _ = timeout_at(until, self.desk.open_bell.notified()).await;
            asked.extend(self.desk.take_opening());
            let now = Instant::now();
            let waits = asked.iter().any(|purse| purse.waits_for_opening());
            if waits || now >= cushions_at && !asked.is_empty() {
                let (own, asked) = (Arc::clone(&self), std::mem::take(&mut asked));
                self.beside(move || own.open_now(asked)).await;
                cushions_at = Instant::now() + CUSHIONS_EVERY;
            }
            if now >= next_look || self.desk.journal().is_some_and(Journal::has_failed) {
                let own = Arc::clone(&self);
                self.beside(move || own.tend_files()).await;
                next_look = Instant::now() + LOOK_EVERY;
            }
        }
    }

    /// Runs what waits for the disk where it keeps nobody waiting.
    async fn beside(&self, work: impl FnOnce() + Send + 'static) {
        match self.desk.journal() {
            Some(journal) => journal.on().beside(Box::new(work)).await,
            // Then there is no disk to wait for.
            None => work(),
        }
    }

    /// Opens what these purses need: writes it down, syncs, and only then lets it be spent. Blocks.
    pub(super) fn open_now(&self, purses: Vec<Arc<Purse>>) {
        let openings: Vec<Opening> = purses.iter().filter_map(|purse| purse.to_open()).collect();
        // Where the journal has failed they wait until it is gone: then everything is opened.
        let may_open = match self.desk.journal() {
            Some(journal) if !openings.is_empty() => journal.open(&openings).is_ok(),
            Some(_) | None => true,
        };
        for opening in openings.into_iter().filter(|_| may_open) {
            opening.purse.open_beyond(opening.beyond);
            opening.purse.open(opening.amount);
        }
    }

    /// Writes what waits, folds a full segment away, removes a journal that failed. Blocks.
    pub(super) fn tend_files(&self) {
        let Some(journal) = self.desk.journal() else {
            return;
        };
        if journal.has_failed() {
            return self.do_without(journal);
        }
        journal.flush();
        let ledger = self.desk.ledger.load_full();
        if let Some(ledger) = ledger.filter(|_| journal.is_full()) {
            // Where that fails the journal has failed, and the next look removes it.
            let _: io::Result<()> = journal.rotate(&ledger, self.desk.usage.applied());
        }
    }

    /// Removes a journal with a hole, and only then lets holds go on without one.
    fn do_without(&self, journal: &Journal) {
        match journal.discard() {
            Ok(()) => {
                warn!(
                    "going on without a journal: what a crash leaves unreported will be in suspense"
                );
                self.purses().iter().for_each(|purse| purse.open(i64::MAX));
            }
            Err(error) => {
                error!(%error, "a journal that cannot be believed could not be removed: nothing is admitted");
            }
        }
    }

    /// Ends the journal where this life has told the ledger everything, and else sees that all of it is
    /// written. No hold may follow. Blocks.
    pub fn end_journal(&self) {
        let Some(journal) = self.desk.journal() else {
            return;
        };
        let told = self.purses().iter().all(|purse| purse.is_done()) && self.desk.usage.is_quiet();
        if told {
            journal.end();
        } else {
            journal.flush();
        }
    }
}
