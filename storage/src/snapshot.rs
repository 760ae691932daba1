//! Snapshot files: plain, checksummed frame by frame, written aside and renamed, and never replaced by
//! an older one.

mod image;

use crate::files;
use crate::types::{LeaderId, LogId, SnapshotMeta};
pub(crate) use image::Image;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const EXTENSION: &str = "snapshot";
const ASIDE_EXTENSION: &str = "tmp";

/// An open snapshot file. It stays readable when a newer one takes its place. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct SnapshotFile {
    path: PathBuf,
    file: Arc<File>,
    bytes: u64,
    /// Of one that was received: removes it with the last clone, unless it was installed.
    _aside: Option<Arc<Aside>>,
}

impl SnapshotFile {
    fn open(path: &Path) -> io::Result<SnapshotFile> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok(SnapshotFile { path: path.to_owned(), file: Arc::new(file), bytes, _aside: None })
    }

    /// Size of the file.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads a piece: `bytes_max` of it, less at the end, none past it. Blocks.
    ///
    /// # Errors
    /// The disk refused.
    pub fn read_at(&self, offset: u64, bytes_max: usize) -> io::Result<Vec<u8>> {
        let left = self.bytes.saturating_sub(offset);
        let take = usize::try_from(left).unwrap_or(usize::MAX).min(bytes_max);
        let mut piece = vec![0; take];
        self.file.read_exact_at(&mut piece, offset)?;
        Ok(piece)
    }
}

/// A snapshot on its way in from a peer: pieces in order, then the whole.
///
/// Dropped before [`Incoming::finish`], it leaves nothing behind.
#[derive(Debug)]
pub struct Incoming {
    aside: Aside,
    bytes: u64,
}

impl Incoming {
    /// Bytes taken so far: where the next piece must begin.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes the next piece. Blocks.
    ///
    /// # Errors
    /// The piece does not begin where the last one ended, or the disk refused.
    pub fn write(&mut self, offset: u64, piece: &[u8]) -> io::Result<()> {
        if offset != self.bytes {
            let reason = format!("piece at {offset}, {} expected", self.bytes);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
        self.aside.file.write_all(piece)?;
        self.bytes += piece.len() as u64;
        Ok(())
    }

    /// The file as received, on disk, for consensus to install. Blocks. What is not installed is removed
    /// when it is dropped.
    ///
    /// # Errors
    /// The file does not check out, which would stop consensus for good; or the disk refused.
    pub fn finish(self) -> io::Result<SnapshotFile> {
        self.aside.file.sync_all()?;
        let file = SnapshotFile::open(&self.aside.path)?;
        Image::read(&file)?;
        Ok(SnapshotFile { _aside: Some(Arc::new(self.aside)), ..file })
    }
}

/// A file being written under a name of its own, removed unless kept.
#[derive(Debug)]
struct Aside {
    path: PathBuf,
    file: File,
    kept: bool,
}

impl Aside {
    fn keep(mut self) -> PathBuf {
        self.kept = true;
        self.path.clone()
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if !self.kept {
            // Best effort: the next start removes what is left.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

type Present = (SnapshotMeta, SnapshotFile);

/// The directory of snapshot files, and which of them is the present one. Clones share it.
#[derive(Clone, Debug)]
pub struct Snapshots {
    dir: PathBuf,
    present: Arc<Mutex<Option<Present>>>,
    serial: Arc<AtomicU64>,
}

impl Snapshots {
    /// Reads the newest snapshot of a data directory whole, and removes what is older or unfinished.
    ///
    /// A file under its final name was synced before it got that name: one that does not read back was
    /// damaged, and the log behind it is gone, so it is an error and not a reason to take the next.
    pub(crate) fn open(data_dir: &Path) -> io::Result<(Snapshots, Option<Image>)> {
        let dir = data_dir.join("snapshots");
        std::fs::create_dir_all(&dir)?;
        files::sync_dir(data_dir)?;
        let mut images = Vec::new();
        for item in std::fs::read_dir(&dir)? {
            let path = item?.path();
            if path.extension().is_some_and(|extension| extension == EXTENSION) {
                let file = SnapshotFile::open(&path)?;
                images.push((Image::read(&file)?, file));
            } else {
                std::fs::remove_file(&path)?;
            }
        }
        images.sort_by_key(|(image, _)| image.meta.last_log_id);
        let newest = images.pop();
        for (_, older) in images {
            std::fs::remove_file(&older.path)?;
        }
        let present = newest.as_ref().map(|(image, file)| (image.meta.clone(), file.clone()));
        let snapshots =
            Snapshots { dir, present: Arc::new(Mutex::new(present)), serial: Arc::default() };
        Ok((snapshots, newest.map(|(image, _)| image)))
    }

    /// Begins to receive a snapshot from a peer. Blocks.
    ///
    /// # Errors
    /// The disk refused.
    pub fn receive(&self) -> io::Result<Incoming> {
        let aside = self.aside()?;
        Ok(Incoming { aside, bytes: 0 })
    }

    /// The present snapshot.
    pub(crate) fn present(&self) -> Option<Present> {
        self.lock().clone()
    }

    /// Writes a snapshot and makes it the present one, unless a newer one came in between: then that.
    pub(crate) fn write(&self, image: &Image) -> io::Result<Present> {
        let aside = self.aside()?;
        let mut out = BufWriter::with_capacity(1 << 20, &aside.file);
        image.write(&mut out)?;
        out.flush()?;
        drop(out);
        aside.file.sync_all()?;
        self.put_in_place(&image.meta, aside)
    }

    /// Checks a received snapshot, keeps it as the present one, and returns what is in it.
    pub(crate) fn install(&self, file: &SnapshotFile) -> io::Result<Image> {
        let image = Image::read(file)?;
        let is_present = self.lock().as_ref().is_some_and(|(_, present)| present.path == file.path);
        if !is_present {
            let aside = self.adopt(file)?;
            self.put_in_place(&image.meta, aside)?;
        }
        Ok(image)
    }

    /// Takes over a file received here; copies one that lives elsewhere.
    fn adopt(&self, file: &SnapshotFile) -> io::Result<Aside> {
        let received_here = file.path.parent() == Some(&self.dir)
            && file.path.extension().is_some_and(|extension| extension == ASIDE_EXTENSION);
        if received_here {
            return Ok(Aside {
                path: file.path.clone(),
                file: File::open(&file.path)?,
                kept: false,
            });
        }
        let mut aside = self.aside()?;
        let mut offset = 0;
        while offset < file.bytes() {
            let piece = file.read_at(offset, 1 << 20)?;
            aside.file.write_all(&piece)?;
            offset += piece.len() as u64;
        }
        aside.file.sync_all()?;
        Ok(aside)
    }

    fn put_in_place(&self, meta: &SnapshotMeta, aside: Aside) -> io::Result<Present> {
        let mut present = self.lock();
        let older = match present.as_ref() {
            Some((newer, file)) if newer.last_log_id >= meta.last_log_id => {
                return Ok((newer.clone(), file.clone()));
            }
            older => older.map(|(_, file)| file.path.clone()),
        };
        let path = self.dir.join(file_name(meta.last_log_id.as_ref()));
        files::put_in_place(&aside.keep(), &path)?;
        let next = (meta.clone(), SnapshotFile::open(&path)?);
        *present = Some(next.clone());
        if let Some(path) = older {
            std::fs::remove_file(path)?;
        }
        Ok(next)
    }

    fn aside(&self) -> io::Result<Aside> {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let path = self.dir.join(format!("{serial}.{ASIDE_EXTENSION}"));
        let file = File::create(&path)?;
        Ok(Aside { path, file, kept: false })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Present>> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn file_name(last: Option<&LogId>) -> String {
    match last {
        Some(id) => {
            let LeaderId { term, node_id } = id.leader_id;
            format!("{:020}-{term}-{node_id}.{EXTENSION}", id.index)
        }
        None => format!("empty.{EXTENSION}"),
    }
}
