//! A node's disk: what was written, how much of it is synced, and a power cut that takes the rest.

use super::life::lock;
use super::types::{LogId, RaftEntry, SimConfig, SnapshotMeta, Vote};
use super::world::World;
use crate::dice::Dice;
use ledger::Ledger;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use storage::openraft::storage::IOFlushed;
use tokio::sync::{Notify, oneshot};

/// Time until a disk that lies writes back, in milliseconds.
const WRITE_BACK_MS: (u64, u64) = (1_000, 5_000);

/// What is on a disk.
#[derive(Clone, Default)]
pub(crate) struct Image {
    pub(crate) entries: BTreeMap<u64, Arc<RaftEntry>>,
    pub(crate) vote: Option<Vote>,
    pub(crate) committed: Option<LogId>,
    pub(crate) purged: Option<LogId>,
    pub(crate) snapshot: Option<(SnapshotMeta, Arc<Ledger>)>,
    /// The number of the life that began last.
    pub(crate) incarnation: u64,
}

/// One write.
pub(crate) enum Write {
    Append(Arc<RaftEntry>),
    Truncate { from: u64 },
    Purge(LogId),
    Vote(Vote),
    Committed(LogId),
    Snapshot(SnapshotMeta, Arc<Ledger>),
    Begin { incarnation: u64 },
}

impl Image {
    fn take(&mut self, write: &Write) {
        match write {
            Write::Append(entry) => {
                self.entries.insert(entry.log_id.index, Arc::clone(entry));
            }
            Write::Truncate { from } => {
                self.entries.split_off(from);
            }
            Write::Purge(upto) => {
                self.entries = self.entries.split_off(&(upto.index + 1));
                self.purged = Some(*upto);
            }
            Write::Vote(vote) => self.vote = Some(*vote),
            Write::Committed(id) => self.committed = Some(*id),
            Write::Snapshot(meta, ledger) => {
                self.snapshot = Some((meta.clone(), Arc::clone(ledger)));
            }
            Write::Begin { incarnation } => self.incarnation = *incarnation,
        }
    }

    /// The end of the log.
    pub(crate) fn last(&self) -> Option<LogId> {
        let last = self.entries.last_key_value();
        last.map(|(_, entry)| entry.log_id).max(self.purged)
    }
}

/// A disk. It outlives the processes that write to it.
pub(crate) struct Disk {
    inner: Mutex<Inner>,
    work: Notify,
    /// Says that it has synced before it has.
    lies: bool,
}

#[derive(Default)]
struct Inner {
    /// What processes read.
    seen: Image,
    /// What a power cut leaves at least.
    synced: Image,
    /// Written and not synced, in order.
    pending: VecDeque<Write>,
    /// Number of the last write.
    written: u64,
    callbacks: VecDeque<(u64, IOFlushed<SimConfig>)>,
    waiters: VecDeque<(u64, oneshot::Sender<()>)>,
}

impl Disk {
    pub(crate) fn new(lies: bool) -> Arc<Disk> {
        Arc::new(Disk { inner: Mutex::default(), work: Notify::new(), lies })
    }

    /// Looks at what processes see.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&Image) -> T) -> T {
        look(&lock(&self.inner).seen)
    }

    /// Writes: to be read at once, and to be synced some time.
    pub(crate) fn write(&self, write: Write) {
        let mut inner = lock(&self.inner);
        inner.seen.take(&write);
        inner.pending.push_back(write);
        inner.written += 1;
        self.work.notify_one();
    }

    /// Has `callback` run once everything written so far is synced.
    pub(crate) fn when_synced(&self, callback: IOFlushed<SimConfig>) {
        if self.lies {
            callback.io_completed(Ok(()));
            return;
        }
        let mut inner = lock(&self.inner);
        let upto = inner.written;
        inner.callbacks.push_back((upto, callback));
        self.work.notify_one();
    }

    /// Writes, and returns once that is synced.
    pub(crate) async fn write_through(&self, write: Write) {
        self.write(write);
        if self.lies {
            return;
        }
        let (told, heard) = oneshot::channel();
        {
            let mut inner = lock(&self.inner);
            let upto = inner.written;
            inner.waiters.push_back((upto, told));
        }
        // The sender is dropped only by a power cut, which ends whoever waits.
        if heard.await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Syncs what is written, again and again: the only task of a life that does.
    pub(crate) async fn keep_synced(self: Arc<Disk>, world: Arc<World>, node: u64) {
        loop {
            let upto = {
                let inner = lock(&self.inner);
                let waits = !inner.callbacks.is_empty() || !inner.waiters.is_empty();
                (waits || !inner.pending.is_empty()).then_some(inner.written)
            };
            let Some(upto) = upto else {
                self.work.notified().await;
                continue;
            };
            tokio::time::sleep(self.time_to_sync(&world, node)).await;
            self.synced(upto);
        }
    }

    fn time_to_sync(&self, world: &World, node: u64) -> Duration {
        if self.lies {
            return world.span(WRITE_BACK_MS.0, WRITE_BACK_MS.1);
        }
        world.time_to_sync(node)
    }

    fn synced(&self, upto: u64) {
        let mut inner = lock(&self.inner);
        let left = usize::try_from(inner.written - upto).unwrap_or(usize::MAX);
        while inner.pending.len() > left {
            let Some(write) = inner.pending.pop_front() else { break };
            inner.synced.take(&write);
        }
        let due = |at: u64| at <= upto;
        while inner.callbacks.front().is_some_and(|(at, _)| due(*at)) {
            if let Some((_, callback)) = inner.callbacks.pop_front() {
                callback.io_completed(Ok(()));
            }
        }
        while inner.waiters.front().is_some_and(|(at, _)| due(*at)) {
            if let Some((_, told)) = inner.waiters.pop_front() {
                // Whoever waited may have stopped to.
                let _ = told.send(());
            }
        }
    }

    /// Ends the process that writes: of what is not synced some first part stays, perhaps none.
    /// Returns how many writes stayed and how many were lost.
    pub(crate) fn cut(&self, dice: &mut Dice) -> (u64, u64) {
        let mut inner = lock(&self.inner);
        let pending = inner.pending.len();
        let stay = match dice.below(4) {
            0 | 1 => 0,
            2 => pending,
            _ => dice.below(pending + 1),
        };
        for write in std::mem::take(&mut inner.pending).into_iter().take(stay) {
            inner.synced.take(&write);
        }
        inner.seen = inner.synced.clone();
        inner.callbacks.clear();
        inner.waiters.clear();
        (stay as u64, (pending - stay) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::runtime::paused;
    use std::path::Path;

    fn begin(incarnation: u64) -> Write {
        Write::Begin { incarnation }
    }

    #[test]
    fn a_power_cut_takes_only_what_was_not_synced_and_leaves_a_first_part_of_it() {
        paused().block_on(async {
            let mut left = Vec::new();
            for seed in 0..64 {
                let (world, disk) = (World::new(seed, None, Path::new("")), Disk::new(false));
                let syncing = tokio::spawn(Arc::clone(&disk).keep_synced(world, 1));
                disk.write(begin(1));
                disk.write_through(begin(2)).await;
                syncing.abort();
                disk.write(begin(3));
                disk.write(begin(4));
                assert_eq!(disk.read(|image| image.incarnation), 4);
                let (kept, lost) = disk.cut(&mut Dice::of(seed));
                assert_eq!(kept + lost, 2);
                let seen = disk.read(|image| image.incarnation);
                assert_eq!(seen, 2 + kept);
                left.push(seen);
            }
            left.sort_unstable();
            left.dedup();
            assert_eq!(left, [2, 3, 4]);
        });
    }

    #[test]
    fn a_disk_that_lies_loses_what_it_said_it_had() {
        paused().block_on(async {
            let disk = Disk::new(true);
            disk.write_through(begin(1)).await;
            let lost = (0..16).any(|seed| {
                disk.cut(&mut Dice::of(seed));
                disk.read(|image| image.incarnation) == 0
            });
            assert!(lost);
        });
    }
}
