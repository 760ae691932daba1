//! The log engine: sled, and the only file that names it.
//!
//! sled's own flush hands pages to the kernel and does not wait for the disk, so a sync is an `fdatasync`
//! on a handle of our own; and values too large for its segments would go to files of
//! their own that neither covers, so there must never be one ([`Engine::check`]).
//!
//! What the log store asks of an engine is kept to this: put and read records by index, cut either end
//! in batches, a few named values in the same order of writes, and sync. Another engine is another file.

mod shelf;

use crate::files;
use crate::flusher::Disk;
use crate::storage::Tuning;
use std::fs::File;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub(crate) use shelf::{Pair, Shelf};

/// How long a store that is held is waited for.
const HELD_FOR: Duration = Duration::from_secs(2);
/// Pause before it is tried again.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Records removed in one atomic batch.
const REMOVE_BATCH: usize = 512;

/// A named value beside the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// The vote.
    Vote,
    /// The last committed entry this node heard of.
    Committed,
    /// The last entry removed from the front.
    Purged,
}

impl Slot {
    fn key(self) -> &'static [u8] {
        match self {
            Slot::Vote => b"mvote",
            Slot::Committed => b"mcommitted",
            Slot::Purged => b"mpurged",
        }
    }
}

/// An open engine.
pub(crate) struct Engine {
    db: sled::Db,
    file: File,
    blobs: PathBuf,
}

impl Engine {
    pub(crate) fn open(data_dir: &Path, tuning: &Tuning) -> io::Result<Engine> {
        let dir = data_dir.join("log");
        std::fs::create_dir_all(&dir)?;
        let config = sled::Config::new()
            .path(&dir)
            .segment_size(tuning.segment_bytes)
            .cache_capacity(tuning.cache_bytes)
            .flush_every_ms(None);
        let db = open_once_free(&config)?;
        let engine = Engine { db, file: File::open(dir.join("db"))?, blobs: dir.join("blobs") };
        engine.check()?;
        engine.flush()?;
        engine.sync()?;
        files::sync_dir(&dir)?;
        files::sync_dir(data_dir)?;
        Ok(engine)
    }

    /// Puts records in place, all or none. Readable on return, durable after the next sync.
    pub(crate) fn append(&self, records: Vec<(u64, Vec<u8>)>) -> io::Result<()> {
        let mut batch = sled::Batch::default();
        for (index, record) in records {
            batch.insert(&record_key(index), record);
        }
        Ok(self.db.apply_batch(batch)?)
    }

    /// Sets a named value. Durable after the next sync, and never before what was written before it.
    pub(crate) fn put(&self, slot: Slot, value: Vec<u8>) -> io::Result<()> {
        self.db.insert(slot.key(), value)?;
        Ok(())
    }

    /// A named value.
    pub(crate) fn get(&self, slot: Slot) -> io::Result<Option<Vec<u8>>> {
        Ok(self.db.get(slot.key())?.map(|value| value.to_vec()))
    }

    /// Records by index, rising.
    pub(crate) fn records(
        &self,
        range: RangeInclusive<u64>,
    ) -> impl DoubleEndedIterator<Item = io::Result<(u64, impl AsRef<[u8]> + use<>)>> + use<> {
        let (from, to) = range.into_inner();
        let found = self.db.range(record_key(from)..=record_key(to));
        found.map(|item| {
            let (key, record) = item?;
            Ok((index_of(&key)?, record))
        })
    }

    /// Removes records from `from` on, the last first, so that a crash leaves no hole.
    pub(crate) fn remove_from(&self, from: u64) -> io::Result<()> {
        loop {
            let some = self.records(from..=u64::MAX).rev().take(REMOVE_BATCH);
            if !self.remove(some)? {
                return Ok(());
            }
        }
    }

    /// Removes some records up to and with `to`, the first ones first. False: there are no more.
    pub(crate) fn remove_some_up_to(&self, to: u64) -> io::Result<bool> {
        self.remove(self.records(0..=to).take(REMOVE_BATCH))
    }

    fn remove<R>(&self, records: impl Iterator<Item = io::Result<(u64, R)>>) -> io::Result<bool> {
        let mut batch = sled::Batch::default();
        let mut any = false;
        for record in records {
            let (index, _) = record?;
            batch.remove(&record_key(index));
            any = true;
        }
        self.db.apply_batch(batch)?;
        Ok(any)
    }
}

impl Disk for Engine {
    fn flush(&self) -> io::Result<()> {
        self.db.flush()?;
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn check(&self) -> io::Result<()> {
        let outside = match std::fs::read_dir(&self.blobs) {
            Ok(mut items) => items.next().is_some(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        if outside {
            let reason =
                format!("a record was written outside the log, to {}", self.blobs.display());
            return Err(io::Error::other(reason));
        }
        Ok(())
    }
}

fn record_key(index: u64) -> [u8; 9] {
    let mut key = [b'e'; 9];
    key[1..].copy_from_slice(&index.to_be_bytes());
    key
}

fn index_of(key: &[u8]) -> io::Result<u64> {
    let index = key.get(1..).and_then(|bytes| bytes.try_into().ok());
    let index = index.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "record key"))?;
    Ok(u64::from_be_bytes(index))
}

/// Opens the store; waits a little where it is held: a thread of an engine that was just dropped, or a
/// process that is ending, may have it still.
fn open_once_free(config: &sled::Config) -> sled::Result<sled::Db> {
    let until = Instant::now() + HELD_FOR;
    loop {
        match config.open() {
            Err(sled::Error::Io(error)) if is_held(&error) && Instant::now() < until => {
                std::thread::park_timeout(LOOK_EVERY);
            }
            opened => return opened,
        }
    }
}

/// It says so in words only.
fn is_held(error: &io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}
