//! The log of consensus on a simulated disk: readable at once, acknowledged when it is synced.

use super::disk::{Disk, Write};
use super::types::{LogId, RaftEntry, SimConfig, Vote};
use super::world::World;
use std::fmt::Debug;
use std::io;
use std::ops::RangeBounds;
use std::sync::Arc;
use storage::openraft::storage::{IOFlushed, RaftLogReader, RaftLogStorage};
use storage::openraft::{LogIdOptionExt, LogState, OptionalSend};

/// The log store. Clones share the disk.
#[derive(Clone)]
pub(crate) struct LogStore {
    pub(crate) world: Arc<World>,
    pub(crate) disk: Arc<Disk>,
}

impl RaftLogReader<SimConfig> for LogStore {
    async fn try_get_log_entries<R: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: R,
    ) -> io::Result<Vec<RaftEntry>> {
        let bounds = (range.start_bound().cloned(), range.end_bound().cloned());
        Ok(self.disk.read(|image| {
            image.entries.range(bounds).map(|(_, entry)| RaftEntry::clone(entry)).collect()
        }))
    }

    async fn read_vote(&mut self) -> io::Result<Option<Vote>> {
        Ok(self.disk.read(|image| image.vote))
    }
}

impl RaftLogStorage<SimConfig> for LogStore {
    type LogReader = LogStore;

    async fn get_log_state(&mut self) -> io::Result<LogState<SimConfig>> {
        Ok(self
            .disk
            .read(|image| LogState { last_purged_log_id: image.purged, last_log_id: image.last() }))
    }

    async fn get_log_reader(&mut self) -> LogStore {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> io::Result<()> {
        self.disk.write_through(Write::Vote(*vote)).await;
        Ok(())
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> io::Result<()> {
        if let Some(id) = committed {
            self.disk.write(Write::Committed(id));
        }
        Ok(())
    }

    async fn read_committed(&mut self) -> io::Result<Option<LogId>> {
        Ok(self.disk.read(|image| image.committed.min(image.last())))
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<SimConfig>) -> io::Result<()>
    where
        I: IntoIterator<Item = RaftEntry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        for entry in entries {
            let entry = Arc::new(entry);
            let next = self.disk.read(|image| image.last().next_index());
            if entry.log_id.index != next {
                let hole = format!("{} follows {next}", entry.log_id);
                self.world.fail("the log has no holes", hole);
            }
            self.world.must("one payload per log id", self.world.judge.log.appended(&entry));
            self.disk.write(Write::Append(entry));
        }
        self.disk.when_synced(callback);
        Ok(())
    }

    async fn truncate_after(&mut self, last_log_id: Option<LogId>) -> io::Result<()> {
        let from = last_log_id.next_index();
        self.disk.write_through(Write::Truncate { from }).await;
        Ok(())
    }

    async fn purge(&mut self, log_id: LogId) -> io::Result<()> {
        self.disk.write(Write::Purge(log_id));
        Ok(())
    }
}
