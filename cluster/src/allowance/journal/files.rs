//! The journal's files: `<incarnation>-<segment>.log` for what is written as it happens, and
//! `<incarnation>-<segment>.sum` for what the segments up to that one add up to.

use super::ground::{self, Ground};
use super::record::{HeadV1, Record, bytes};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use storage::format;

/// Ending of a sum in the making.
const UNFINISHED: &str = "tmp";

/// One file, by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    pub(super) incarnation: u64,
    pub(super) segment: u32,
    pub(super) is_sum: bool,
    pub(super) path: PathBuf,
}

/// All files of the journal, in order. Others are passed over.
pub(super) fn list(dir: &Path) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        found.extend(parse(entry?.path()));
    }
    found.sort_unstable();
    Ok(found)
}

fn parse(path: PathBuf) -> Option<Found> {
    let (stem, ending) = (path.file_stem()?.to_str()?, path.extension()?.to_str()?);
    let is_sum = match ending {
        "sum" => true,
        "log" => false,
        _other => return None,
    };
    let (incarnation, segment) = stem.split_once('-')?;
    let (incarnation, segment) = (incarnation.parse().ok()?, segment.parse().ok()?);
    Some(Found { incarnation, segment, is_sum, path })
}

pub(super) fn log_path(dir: &Path, incarnation: u64, segment: u32) -> PathBuf {
    dir.join(format!("{incarnation}-{segment}.log"))
}

pub(super) fn sum_path(dir: &Path, incarnation: u64, segment: u32) -> PathBuf {
    dir.join(format!("{incarnation}-{segment}.sum"))
}

/// Makes a segment with its head; it is there after a power cut, too. Where that fails there is none: one
/// that nothing is written into would say that nothing was spent.
pub(super) fn create(dir: &Path, head: &HeadV1, on: &dyn Ground) -> io::Result<File> {
    let path = log_path(dir, head.incarnation, head.segment);
    let file = OpenOptions::new().append(true).create_new(true).open(&path)?;
    let made = put_head(&file, head, on).and_then(|()| sync(dir, on));
    if let Err(error) = made {
        remove(dir, [&path], on)?;
        return Err(error);
    }
    Ok(file)
}

fn put_head(mut file: &File, head: &HeadV1, on: &dyn Ground) -> io::Result<()> {
    let inode = ground::inode(&file.metadata()?);
    file.write_all(&bytes(&HeadV1 { inode, ..head.clone() }))?;
    on.sync_all(file)
}

/// Puts a sum in its place, durably; `make` is told the inode it will have.
pub(super) fn put_sum(
    dir: &Path,
    head: &HeadV1,
    on: &dyn Ground,
    make: impl FnOnce(&HeadV1) -> Vec<u8>,
) -> io::Result<()> {
    let path = sum_path(dir, head.incarnation, head.segment);
    let aside = path.with_extension(UNFINISHED);
    let mut file = File::create(&aside)?;
    let inode = ground::inode(&file.metadata()?);
    file.write_all(&make(&HeadV1 { inode, ..head.clone() }))?;
    on.sync_all(&file)?;
    fs::rename(&aside, &path)?;
    sync(dir, on)
}

/// Removes files for good. Those that are gone already are fine.
pub(super) fn remove<'a>(
    dir: &Path,
    files: impl IntoIterator<Item = &'a PathBuf>,
    on: &dyn Ground,
) -> io::Result<()> {
    for file in files {
        match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    sync(dir, on)
}

fn sync(dir: &Path, on: &dyn Ground) -> io::Result<()> {
    on.sync_all(&File::open(dir)?)
}

/// Removes sums that were not finished when their life ended.
pub(super) fn remove_unfinished(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == UNFINISHED) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// A file that was read: its head, and where the rest begins.
pub(super) struct Opened {
    pub(super) head: HeadV1,
    pub(super) bytes: Vec<u8>,
    pub(super) begins: usize,
    /// Its inode now.
    pub(super) inode: u64,
}

/// Reads a file; `None` where it has no head that can be read.
pub(super) fn open(path: &Path) -> io::Result<Option<Opened>> {
    let inode = ground::inode(&fs::metadata(path)?);
    let bytes = fs::read(path)?;
    let Ok((frame, rest)) = format::split(&bytes) else {
        return Ok(None);
    };
    let begins = bytes.len() - rest.len();
    match Record::read(&frame) {
        Ok(Record::Head(head)) => Ok(Some(Opened { head, bytes, begins, inode })),
        Ok(_) | Err(_) => Ok(None),
    }
}
