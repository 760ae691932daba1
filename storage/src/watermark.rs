//! The watermark: how far the log is known to reach on disk, kept outside the log.
//!
//! A log that lost its tail looks like a shorter log. The watermark is what tells them apart at the
//! next start. Two slots are written in turn, so a write cut short leaves the one before.

use crate::files;
use crate::format::v1::WatermarkV1;
use crate::format::{self, FormatError};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

const FILE: &str = "watermark";
/// Distance of the slots: a sector of their own each.
const SLOT_BYTES: usize = 4_096;

/// The open file.
pub(crate) struct WatermarkFile {
    file: File,
    /// What the next write says.
    pub(crate) next: WatermarkV1,
}

impl WatermarkFile {
    /// Opens the watermark of a data directory. `None`: there is none.
    pub(crate) fn open(dir: &Path) -> io::Result<Option<WatermarkFile>> {
        let file = match OpenOptions::new().read(true).write(true).open(dir.join(FILE)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let slots = [read_slot(&file, 0)?, read_slot(&file, 1)?];
        let newest = slots.into_iter().flatten().max_by_key(|slot| slot.seq);
        let next = newest.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "neither slot of the watermark reads back")
        })?;
        Ok(Some(WatermarkFile { file, next }))
    }

    /// Makes one that says nothing yet.
    pub(crate) fn create(dir: &Path) -> io::Result<WatermarkFile> {
        let next = WatermarkV1::default();
        let mut bytes = format::encode(&next)?;
        bytes.resize(2 * SLOT_BYTES, 0);
        files::replace(&dir.join(FILE), &bytes)?;
        let file = OpenOptions::new().read(true).write(true).open(dir.join(FILE))?;
        Ok(WatermarkFile { file, next })
    }

    /// Writes `next`, durably.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        self.next.seq += 1;
        let mut slot = format::encode(&self.next)?;
        slot.resize(SLOT_BYTES, 0);
        self.file.write_all_at(&slot, self.next.seq % 2 * SLOT_BYTES as u64)?;
        self.file.sync_data()
    }
}

/// A slot, where it holds one. A damaged slot holds none; a file that cannot be read is an error.
fn read_slot(file: &File, number: u64) -> io::Result<Option<WatermarkV1>> {
    let mut bytes = vec![0; SLOT_BYTES];
    match file.read_exact_at(&mut bytes, number * SLOT_BYTES as u64) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let frame = format::split(&bytes);
    match frame.and_then(|(frame, _)| format::open(&frame)) {
        Ok(slot) => Ok(Some(slot)),
        Err(error @ FormatError::TooNew { .. }) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::v1::WireLogId;

    fn at(index: u64) -> Option<WireLogId> {
        Some(WireLogId { term: 1, node: 2, index })
    }

    #[test]
    fn the_newest_slot_counts_and_a_damaged_one_leaves_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let mut watermark = WatermarkFile::create(dir.path()).unwrap();
        for index in [5, 6] {
            watermark.next.last = at(index);
            watermark.write().unwrap();
        }
        let reread = |dir: &Path| WatermarkFile::open(dir).unwrap().unwrap().next;
        assert_eq!((reread(dir.path()).last, reread(dir.path()).seq), (at(6), 2));
        watermark.file.write_all_at(&[0xff; 32], 8).unwrap();
        assert_eq!(reread(dir.path()).last, at(5));
    }

    #[test]
    fn a_watermark_without_a_readable_slot_is_an_error_and_not_an_absence() {
        let dir = tempfile::tempdir().unwrap();
        WatermarkFile::create(dir.path()).unwrap();
        std::fs::write(dir.path().join(FILE), vec![0; 2 * SLOT_BYTES]).unwrap();
        assert!(WatermarkFile::open(dir.path()).is_err());
    }
}
