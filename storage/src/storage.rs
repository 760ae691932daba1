//! Opening a data directory: everything checked, or refused.

use crate::engine::Engine;
use crate::flusher::{Disk, Flusher};
use crate::format::FormatError;
use crate::log::Closed;
use crate::scan::{self, Found, Unsound};
use crate::snapshot::Image;
use crate::watermark::WatermarkFile;
use crate::{Identity, IdentityError, LogStore, Machine, Observer, Snapshots, SpaceWatch, View};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Sizes of the parts. The default is what a node runs with; tests use less.
#[derive(Clone, Debug)]
pub struct Tuning {
    /// Page cache of the log engine.
    pub cache_bytes: u64,
    /// Unit in which the engine's file grows.
    pub segment_bytes: usize,
    /// Size of the ballast file.
    pub ballast_bytes: u64,
}

impl Default for Tuning {
    fn default() -> Self {
        Tuning { cache_bytes: 64 << 20, segment_bytes: 8 << 20, ballast_bytes: 64 << 20 }
    }
}

/// Why a data directory was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Something that was acknowledged is not there any more.
    #[error("{}: this node lost its log: wipe and rejoin as a new node ({reason})", dir.display())]
    LostLog {
        /// The directory.
        dir: PathBuf,
        /// What is missing or wrong.
        reason: String,
    },
    /// A later binary wrote it.
    #[error("{}: this binary is too old for this data directory: {reason}", dir.display())]
    TooOld {
        /// The directory.
        dir: PathBuf,
        /// What it does not know.
        reason: String,
    },
    /// Another process has it open.
    #[error("{} is in use by another process", dir.display())]
    InUse {
        /// The directory.
        dir: PathBuf,
    },
    /// The identity is unreadable.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The disk refused.
    #[error("{}: {source}", dir.display())]
    Io {
        /// The directory.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// An open data directory.
pub struct Storage {
    /// Who this directory is.
    pub identity: Identity,
    /// The log, for consensus.
    pub log: LogStore,
    /// The state machine, for consensus.
    pub machine: Machine,
    /// The ledger, for readers.
    pub view: View,
    /// Snapshot files: where one from a peer is received.
    pub snapshots: Snapshots,
    /// Room on the disk.
    pub space: SpaceWatch,
    /// When the log is closed, after everybody let go of it.
    pub closed: Closed,
    raft_state: bool,
}

impl Storage {
    /// Opens a data directory, or makes one.
    ///
    /// # Errors
    /// It is in use, unreadable, or not whole: then nothing was changed but the incarnation.
    pub fn open(dir: &Path, observer: Arc<dyn Observer>) -> Result<Storage, OpenError> {
        Storage::open_on(dir, observer, &Tuning::default(), |disk| disk)
    }

    /// [`Storage::open`] with other sizes, and with something between the log and the disk.
    ///
    /// # Errors
    /// Those of [`Storage::open`].
    pub fn open_on(
        dir: &Path,
        observer: Arc<dyn Observer>,
        tuning: &Tuning,
        wrap: impl FnOnce(Box<dyn Disk>) -> Box<dyn Disk>,
    ) -> Result<Storage, OpenError> {
        let at = Directory(dir);
        std::fs::create_dir_all(dir).map_err(|error| at.io(error))?;
        let lock = at.lock()?;
        let space = SpaceWatch::open(dir, tuning.ballast_bytes).map_err(|error| at.io(error))?;
        let watermark = at.watermark()?;
        let identity = Identity::open(dir)?;
        let engine = Engine::open(dir, tuning).map_err(|error| at.io(error))?;
        let found = scan::scan(&engine, &watermark.next).map_err(|error| at.unsound(error))?;
        let (snapshots, image) = Snapshots::open(dir).map_err(|error| at.snapshot(error))?;
        at.check_snapshot(image.as_ref(), &found)?;
        let raft_state = !found.is_pristine() || image.is_some();
        let engine = Arc::new(engine);
        let disk = wrap(Box::new(Arc::clone(&engine)));
        let flusher = Flusher::start(disk, watermark).map_err(|error| at.io(error))?;
        let (log, closed) = LogStore::new(engine, flusher, found, lock);
        let (machine, view) = Machine::new(image, snapshots.clone(), observer);
        Ok(Storage { identity, log, machine, view, snapshots, space, closed, raft_state })
    }

    /// Whether this node took part in consensus before: a vote, an entry or a snapshot was there.
    #[must_use]
    pub fn has_raft_state(&self) -> bool {
        self.raft_state
    }
}

/// The directory being opened, for its errors.
struct Directory<'a>(&'a Path);

impl Directory<'_> {
    fn io(&self, source: io::Error) -> OpenError {
        let dir = self.0.to_owned();
        OpenError::Io { dir, source }
    }

    fn lost(&self, reason: String) -> OpenError {
        let dir = self.0.to_owned();
        OpenError::LostLog { dir, reason }
    }

    fn unsound(&self, error: Unsound) -> OpenError {
        let dir = self.0.to_owned();
        match error {
            Unsound::Lost(reason) => self.lost(reason),
            Unsound::TooOld(reason) => OpenError::TooOld { dir, reason },
            Unsound::Io(error) => self.io(error),
        }
    }

    /// A file that does not read back is lost; one of a later binary is not.
    fn snapshot(&self, error: io::Error) -> OpenError {
        let format = error.get_ref().and_then(|inner| inner.downcast_ref::<FormatError>());
        match format {
            Some(FormatError::TooNew { .. } | FormatError::UnknownCode { .. }) => {
                self.unsound(Unsound::TooOld(format!("snapshot: {error}")))
            }
            Some(_) => self.lost(format!("snapshot: {error}")),
            None if error.kind() == io::ErrorKind::InvalidData => {
                self.lost(format!("snapshot: {error}"))
            }
            None => self.io(error),
        }
    }

    /// One process at a time; the lock goes with the process, however it ends.
    fn lock(&self) -> Result<File, OpenError> {
        let file = File::create(self.0.join("lock")).map_err(|error| self.io(error))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { dir: self.0.to_owned() }),
            Err(TryLockError::Error(error)) => Err(self.io(error)),
        }
    }

    /// The watermark is made before anything else is: a directory with an identity or a log and no
    /// watermark has lost it.
    fn watermark(&self) -> Result<WatermarkFile, OpenError> {
        let opened = WatermarkFile::open(self.0);
        let present = opened.map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => self.lost(error.to_string()),
            _ => self.io(error),
        })?;
        match present {
            Some(watermark) if watermark.next.seq > 0 && !Identity::exists(self.0) => {
                Err(self.lost("its identity is gone".to_owned()))
            }
            Some(watermark) => Ok(watermark),
            None if Identity::exists(self.0) || self.0.join("log").exists() => {
                Err(self.lost("its watermark is gone".to_owned()))
            }
            None => WatermarkFile::create(self.0).map_err(|error| self.io(error)),
        }
    }

    /// What was purged from the log must be in the snapshot.
    fn check_snapshot(&self, image: Option<&Image>, found: &Found) -> Result<(), OpenError> {
        let covered = image.and_then(|image| image.meta.last_log_id);
        match found.purged {
            Some(purged) if covered.is_none_or(|covered| covered < purged) => {
                Err(self
                    .lost(format!("the log begins after {purged}, the snapshot does not reach it")))
            }
            _ => Ok(()),
        }
    }
}
