//! The log of consensus.
//!
//! An append is readable when it returns and durable when its callback runs: one batch into the engine,
//! then the flusher's queue ([`crate::flusher`]). A vote and a truncation wait for the same queue. A
//! purge notes what it removes before it does. Before a truncation the watermark is lowered, so that at
//! no moment it promises more than the log holds.

use crate::engine::{Engine, Slot};
use crate::flusher::{Flusher, Mark};
use crate::format::v1::{WireLogId, WireVote};
use crate::format::{self, decode_entry, encode_entry};
use crate::scan::Found;
use crate::types::{LogId, RaftEntry, TypeConfig, Vote};
use openraft::LogIdOptionExt;
use openraft::storage::{IOFlushed, LogState, RaftLogReader, RaftLogStorage};
use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::oneshot;

/// The log store. Clones share it; readers are clones.
///
/// An append is readable when it returns and durable when its callback runs; a vote and a truncation
/// are durable when they return.
#[derive(Clone)]
pub struct LogStore {
    shared: Arc<Shared>,
}

struct Shared {
    // Before the engine: its drop syncs and ends the thread that holds the engine too.
    flusher: Flusher,
    engine: Arc<Engine>,
    ends: Mutex<Found>,
    /// The directory's, held as long as anybody may write to it.
    _lock: File,
    /// Dropped last, which is what [`Closed`] waits for.
    _open: oneshot::Sender<()>,
}

/// Tells when the log is closed: synced, its file and its directory released.
#[derive(Debug)]
pub struct Closed(oneshot::Receiver<()>);

impl Closed {
    /// Returns once the last clone of the log is dropped and all of it is on disk. Consensus drops its
    /// own a moment after it has shut down.
    pub async fn wait(self) {
        // Nothing is ever sent: the sender's end is the message.
        let _ = self.0.await;
    }
}

impl LogStore {
    pub(crate) fn new(
        engine: Arc<Engine>,
        flusher: Flusher,
        found: Found,
        lock: File,
    ) -> (LogStore, Closed) {
        let (open, closed) = oneshot::channel();
        let shared = Shared { flusher, engine, ends: Mutex::new(found), _lock: lock, _open: open };
        (LogStore { shared: Arc::new(shared) }, Closed(closed))
    }

    fn ends(&self) -> MutexGuard<'_, Found> {
        self.shared.ends.lock().expect("no code that holds the ends panics")
    }

    /// Writes entries and returns the last one's place; none where there are none.
    fn put_entries(
        &self,
        entries: impl IntoIterator<Item = RaftEntry>,
    ) -> io::Result<Option<LogId>> {
        let mut last = self.ends().last;
        let mut records = Vec::new();
        for entry in entries {
            let id = entry.log_id;
            if last.is_some_and(|last| id.index != last.index + 1) {
                let reason = format!("entry {id} does not follow {last:?}: it would leave a hole");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
            }
            records.push((id.index, encode_entry(&entry)?));
            last = Some(id);
        }
        if records.is_empty() {
            return Ok(None);
        }
        self.shared.engine.append(records)?;
        self.ends().last = last;
        Ok(last)
    }
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<R: RangeBounds<u64> + Clone + Debug + Send>(
        &mut self,
        range: R,
    ) -> io::Result<Vec<RaftEntry>> {
        let from = match range.start_bound() {
            Bound::Included(from) => *from,
            Bound::Excluded(before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let to = match range.end_bound() {
            Bound::Included(to) => *to,
            Bound::Excluded(0) => return Ok(Vec::new()),
            Bound::Excluded(end) => end - 1,
            Bound::Unbounded => u64::MAX,
        };
        if from > to {
            return Ok(Vec::new());
        }
        let mut entries = Vec::new();
        for record in self.shared.engine.records(from..=to) {
            let (_, record) = record?;
            entries.push(decode_entry(record.as_ref())?);
        }
        Ok(entries)
    }

    async fn read_vote(&mut self) -> io::Result<Option<Vote>> {
        Ok(self.ends().vote)
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = LogStore;

    async fn get_log_state(&mut self) -> io::Result<LogState<TypeConfig>> {
        let ends = self.ends();
        Ok(LogState { last_purged_log_id: ends.purged, last_log_id: ends.last })
    }

    async fn get_log_reader(&mut self) -> LogStore {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> io::Result<()> {
        let wire = WireVote::from(vote);
        self.shared.engine.put(Slot::Vote, format::encode(&wire)?)?;
        self.shared.flusher.wait(Mark::Voted(wire)).await?;
        self.ends().vote = Some(*vote);
        Ok(())
    }

    /// Not waited for: it follows the entries it speaks of, and an older one is only a later start.
    async fn save_committed(&mut self, committed: Option<LogId>) -> io::Result<()> {
        let Some(id) = committed else {
            return Ok(());
        };
        self.shared.engine.put(Slot::Committed, format::encode(&WireLogId::from(&id))?)?;
        self.ends().committed = Some(id);
        Ok(())
    }

    /// Never past the end of the log: an entry this node has not is not one to apply again.
    async fn read_committed(&mut self) -> io::Result<Option<LogId>> {
        let ends = self.ends();
        Ok(ends.committed.min(ends.last))
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<TypeConfig>) -> io::Result<()>
    where
        I: IntoIterator<Item = RaftEntry> + Send,
        I::IntoIter: Send,
    {
        match self.put_entries(entries)? {
            Some(last) => self.shared.flusher.appended((&last).into(), callback),
            None => callback.io_completed(Ok(())),
        }
        Ok(())
    }

    async fn truncate_after(&mut self, last_log_id: Option<LogId>) -> io::Result<()> {
        let kept = {
            let ends = self.ends();
            if last_log_id.next_index() >= ends.last.next_index() {
                return Ok(());
            }
            last_log_id.max(ends.purged)
        };
        let mark = Mark::Lowered(kept.as_ref().map(WireLogId::from));
        self.shared.flusher.wait(mark).await?;
        let from = kept.map_or(0, |kept| kept.index + 1);
        self.shared.engine.remove_from(from)?;
        self.ends().last = kept;
        self.shared.flusher.wait(Mark::Nothing).await
    }

    async fn purge(&mut self, log_id: LogId) -> io::Result<()> {
        self.shared.engine.put(Slot::Purged, format::encode(&WireLogId::from(&log_id))?)?;
        {
            let mut ends = self.ends();
            ends.purged = Some(log_id);
            ends.last = ends.last.max(Some(log_id));
        }
        while self.shared.engine.remove_some_up_to(log_id.index)? {
            // Replication and heartbeats go first.
            tokio::task::yield_now().await;
        }
        self.shared.flusher.nudge();
        Ok(())
    }
}
