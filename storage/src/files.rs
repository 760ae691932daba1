//! Files that are either whole or absent: written aside, synced, renamed, and the directory synced.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Makes what was renamed or created in a directory survive a power cut.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Puts `path` in place atomically and durably.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let aside = path.with_extension("tmp");
    let mut file = File::create(&aside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    put_in_place(&aside, path)
}

/// Renames a synced file to where it belongs, durably.
pub(crate) fn put_in_place(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)?;
    let dir = to.parent().ok_or_else(|| io::Error::other("file without a directory"))?;
    sync_dir(dir)
}
