//! The journal: what this life has spent and has in flight, so that its next one can tell the ledger.
//!
//! Only for getting money back after a crash: without it, or where it cannot be believed, what a life
//! was granted and has not reported stays in suspense. It lies, one life to a set of files, beside the
//! log; each record is a frame with a checksum.
//!
//! A hold is written before its request may be sent: by one `write`, not synced, which outlives the
//! process but not the machine. A settlement is written with the next hold, or a few milliseconds later;
//! one that is lost leaves its hold charged in full. For the machine's sake a purse may only spend what
//! it was opened for, and that is synced ahead of need, about a second's spend at a time: after a power
//! cut all that was opened counts as spent. What a soft budget, or a policy for the time without a quorum, lets
//! through beyond that is synced ahead alike, some holds at a time. Only what a provider bills beyond a hold
//! cannot be known ahead: it is synced right after.
//!
//! The files are kept small: a full segment is added up with those before it into a sum.

mod files;
mod ground;
mod past;
mod record;
mod rotate;
mod testament;
#[cfg(test)]
mod tests;

pub use ground::{Ground, Machine};
pub(super) use testament::{LivesBeyond, beyond_before};
pub use testament::{Testament, forget_life, forget_lives_before, nothing_left};

use super::desk::lock;
use super::{Charge, Opening, Path, Purse};
use ledger::{NodeId, UsageSums};
use record::{
    AmountV1, BeyondV1, HeadV1, HoldV1, OpenV1, PathGoneV1, PathV1, PurseV1, SettleV1, bytes,
};
use rotate::Sums;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path as FsPath, PathBuf};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicU8, AtomicU64};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;
use tracing::error;

/// Settlements that wait for the next hold, in bytes: beyond it they are written at once.
const WAITING_BYTES_MAX: usize = 64 * 1024;

/// Whose journal it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The cluster.
    pub cluster_id: String,
    /// The node.
    pub node: NodeId,
    /// Its life.
    pub incarnation: u64,
}

impl Owner {
    fn head(&self, segment: u32, ground: &str) -> HeadV1 {
        HeadV1 {
            cluster_id: self.cluster_id.clone(),
            node: self.node.0,
            incarnation: self.incarnation,
            segment,
            ground: ground.to_owned(),
            inode: 0,
        }
    }
}

/// The journal of this life of the node.
pub(super) struct Journal {
    dir: PathBuf,
    owner: Owner,
    on: Arc<dyn Ground>,
    ground: String,
    state: AtomicU8,
    last_hold: AtomicU64,
    /// Rings when a record begins to wait for the next write.
    waits: Notify,
    tape: Mutex<Tape>,
    /// What the segments before the present one add up to. Only whoever rotates takes it.
    sums: Mutex<Sums>,
}

/// Records can be written.
const WORKS: u8 = 0;
/// A record could not be written, and the files are still there: nothing may be held until they are gone.
const FAILED: u8 = 1;
/// There is no journal any more.
const GONE: u8 = 2;

/// The segment that is being written.
struct Tape {
    file: Arc<File>,
    segment: u32,
    bytes: u64,
    /// Records that wait for the next write.
    waiting: Vec<u8>,
    last_path: u32,
}

/// A hold could not be written down, and so must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unwritten;

impl Journal {
    /// Begins the journal of a life, in a directory of its own.
    pub(super) fn begin(dir: PathBuf, owner: Owner, on: Arc<dyn Ground>) -> io::Result<Journal> {
        std::fs::create_dir_all(&dir)?;
        files::remove_unfinished(&dir)?;
        let ground = on.name(&dir);
        let file = files::create(&dir, &owner.head(1, &ground), &*on)?;
        let tape =
            Tape { file: Arc::new(file), segment: 1, bytes: 0, waiting: Vec::new(), last_path: 0 };
        Ok(Journal {
            dir,
            owner,
            on,
            ground,
            state: AtomicU8::new(WORKS),
            last_hold: AtomicU64::new(0),
            waits: Notify::new(),
            tape: Mutex::new(tape),
            sums: Mutex::default(),
        })
    }

    /// What its files stand on.
    pub(super) fn on(&self) -> &dyn Ground {
        &*self.on
    }

    /// Whether records are written.
    pub(super) fn works(&self) -> bool {
        self.state.load(Relaxed) == WORKS
    }

    /// Whether it must be discarded.
    pub(super) fn has_failed(&self) -> bool {
        self.state.load(SeqCst) == FAILED
    }

    /// Writes a hold down; returns its number, zero where there is no journal any more.
    pub(super) fn hold(&self, path: &Path, charge: &Charge, day: u32) -> Result<u64, Unwritten> {
        match self.state.load(SeqCst) {
            WORKS => {}
            GONE => return Ok(0),
            _failed => return Err(Unwritten),
        }
        let hold = self.last_hold.fetch_add(1, Relaxed) + 1;
        let mut tape = lock(&self.tape);
        let number = tape.number(path);
        let charge = charge.into();
        tape.waiting.extend_from_slice(&bytes(&HoldV1 { hold, path: number, day, charge }));
        self.write(&mut tape)?;
        Ok(hold)
    }

    /// Notes that a hold has ended.
    pub(super) fn settle(&self, hold: u64, batch: u64, actual: &Charge, usage: &UsageSums) {
        let settle = SettleV1 { hold, charge: actual.into(), batch, usage: usage.into() };
        self.note(&bytes(&settle));
    }

    /// Notes that a path is named by no hold any more.
    pub(super) fn path_gone(&self, path: u32) {
        self.note(&bytes(&PathGoneV1 { path }));
    }

    fn note(&self, record: &[u8]) {
        if !self.works() {
            return;
        }
        let mut tape = lock(&self.tape);
        if tape.waiting.is_empty() {
            self.waits.notify_one();
        }
        tape.waiting.extend_from_slice(record);
        if tape.waiting.len() >= WAITING_BYTES_MAX {
            // Where it fails the journal has failed, and whoever keeps it sees that.
            let _ = self.write(&mut tape);
        }
    }

    /// Resolves when a record has begun to wait.
    pub(super) async fn record_waits(&self) {
        self.waits.notified().await;
    }

    /// Writes what waits. To be called before anything of it is reported to the ledger.
    pub(super) fn flush(&self) {
        if self.works() {
            // As above.
            let _ = self.write(&mut lock(&self.tape));
        }
    }

    /// Writes up to which amount each purse may be spent, and how far beyond, and syncs. Takes as long as
    /// the disk does. Where there is no journal any more nothing is in the way.
    pub(super) fn open(&self, openings: &[Opening]) -> Result<(), Unwritten> {
        if self.state.load(SeqCst) == GONE {
            return Ok(());
        }
        let line = |purse: &Purse, level| AmountV1::of((purse.account(), purse.period()), level);
        let levels = openings.iter().map(|opening| line(&opening.purse, opening.level));
        let beyond = openings
            .iter()
            .filter_map(|opening| opening.beyond.map(|beyond| line(&opening.purse, beyond)));
        let (levels, beyond) =
            (OpenV1 { lines: levels.collect() }, BeyondV1 { lines: beyond.collect() });
        let file = {
            let mut tape = lock(&self.tape);
            // In this order what is lost of the end makes the sum too high, not too low.
            tape.waiting.extend_from_slice(&bytes(&levels));
            if !beyond.lines.is_empty() {
                tape.waiting.extend_from_slice(&bytes(&beyond));
            }
            self.write(&mut tape)?;
            Arc::clone(&tape.file)
        };
        self.on.sync_data(&file).map_err(|error| self.fail(&error))
    }

    fn write(&self, tape: &mut Tape) -> Result<(), Unwritten> {
        if !self.works() {
            return Err(Unwritten);
        }
        let written = (&*tape.file).write_all(&tape.waiting);
        tape.bytes += tape.waiting.len() as u64;
        tape.waiting.clear();
        written.map_err(|error| self.fail(&error))
    }

    fn fail(&self, error: &io::Error) -> Unwritten {
        // A journal that is gone stays gone.
        if self.state.compare_exchange(WORKS, FAILED, SeqCst, SeqCst).is_ok() {
            error!(%error, dir = %self.dir.display(), "the journal cannot be written: it is given up");
        }
        Unwritten
    }

    /// Removes the journal of this life for good: one with a hole must never be believed. Blocks.
    pub(super) fn discard(&self) -> io::Result<()> {
        // No segment is made meanwhile.
        let _rotating = lock(&self.sums);
        let own = files::list(&self.dir)?;
        let own = own.iter().filter(|file| file.incarnation == self.owner.incarnation);
        files::remove(&self.dir, own.map(|file| &file.path), &*self.on)?;
        self.state.store(GONE, SeqCst);
        Ok(())
    }

    /// Ends the journal of a life that has told the ledger everything: there is nothing to adopt.
    pub(super) fn end(&self) {
        self.state.store(FAILED, SeqCst);
        if let Err(error) = self.discard() {
            error!(%error, dir = %self.dir.display(), "the journal could not be removed");
        }
    }
}

impl Tape {
    /// The path's number, given to it and written down where it has none.
    fn number(&mut self, path: &Path) -> u32 {
        let given = path.in_journal.load(Relaxed);
        if given != 0 {
            return given;
        }
        self.last_path += 1;
        let purse = |purse: &Arc<Purse>| PurseV1::of(purse.account(), purse.period(), purse.unit());
        self.waiting.extend_from_slice(&bytes(&PathV1 {
            path: self.last_path,
            purses: path.purses().iter().map(purse).collect(),
            row: path.usage_key().into(),
        }));
        // Only ever written under the tape's lock.
        path.in_journal.store(self.last_path, Relaxed);
        self.last_path
    }
}

/// Leaves of the journals in a data directory what a power cut leaves: the records that were synced, on
/// another ground.
#[cfg(test)]
pub(super) fn cut_power(data_dir: &FsPath) {
    tests::cut_power(&folder(data_dir));
}

/// The directory of journals in a data directory.
pub(super) fn folder(data_dir: &FsPath) -> PathBuf {
    data_dir.join("journal")
}
