//! Room on the disk: a ballast file, and a watch that says when to stop taking writes.
//!
//! The ballast is room nobody else can take: deleting it gives a full disk the bytes an orderly stop
//! and a snapshot need.

use rustix::fs::{FallocateFlags, fallocate, statvfs};
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

const FILE: &str = "ballast";

/// How much room there is, measured in ballasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Space {
    /// Less than one ballast is free: do not stand for election, hand leadership over.
    Critical,
    /// Less than three are free: take no configuration writes.
    Low,
    /// Three or more are free.
    Plenty,
}

/// Watches the disk of one data directory. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct SpaceWatch {
    dir: PathBuf,
    ballast_bytes: u64,
}

impl SpaceWatch {
    /// Lays the ballast down where there is room for four of it; takes it away where there is not even
    /// room for half, so that the node can start and be emptied.
    pub(crate) fn open(dir: &Path, ballast_bytes: u64) -> io::Result<SpaceWatch> {
        let watch = SpaceWatch { dir: dir.to_owned(), ballast_bytes };
        let free = watch.free_bytes()?;
        let present = watch.ballast().exists();
        if present && free < ballast_bytes / 2 {
            watch.drop_ballast()?;
        } else if !present && free >= ballast_bytes.saturating_mul(4) {
            watch.lay_ballast()?;
        }
        Ok(watch)
    }

    /// Bytes a process without privileges may still write.
    ///
    /// # Errors
    /// The file system does not say.
    pub fn free_bytes(&self) -> io::Result<u64> {
        let stat = statvfs(&self.dir)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// How much room there is now: one system call.
    ///
    /// # Errors
    /// The file system does not say.
    pub fn space(&self) -> io::Result<Space> {
        Ok(grade(self.free_bytes()?, self.ballast_bytes))
    }

    /// Gives the ballast's room back to a full disk.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn drop_ballast(&self) -> io::Result<()> {
        match std::fs::remove_file(self.ballast()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => {
                tracing::warn!(dir = %self.dir.display(), "disk is nearly full: ballast dropped");
                Ok(())
            }
        }
    }

    fn lay_ballast(&self) -> io::Result<()> {
        let path = self.ballast();
        let file: File = OpenOptions::new().write(true).create(true).truncate(false).open(&path)?;
        match fallocate(&file, FallocateFlags::empty(), 0, self.ballast_bytes) {
            Ok(()) => Ok(()),
            Err(error) => {
                tracing::warn!(%error, "no ballast on this file system: a full disk leaves no reserve");
                std::fs::remove_file(&path)
            }
        }
    }

    fn ballast(&self) -> PathBuf {
        self.dir.join(FILE)
    }
}

fn grade(free_bytes: u64, ballast_bytes: u64) -> Space {
    if free_bytes < ballast_bytes {
        Space::Critical
    } else if free_bytes < ballast_bytes.saturating_mul(3) {
        Space::Low
    } else {
        Space::Plenty
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_graded_in_ballasts() {
        let grades = [0, 63, 64, 191, 192].map(|free| grade(free, 64));
        assert_eq!(
            grades,
            [Space::Critical, Space::Critical, Space::Low, Space::Low, Space::Plenty]
        );
    }

    #[test]
    fn ballast_takes_its_room_and_gives_it_back() {
        let dir = tempfile::tempdir().unwrap();
        let watch = SpaceWatch::open(dir.path(), 1 << 20).unwrap();
        assert_eq!(watch.ballast().metadata().unwrap().len(), 1 << 20);
        assert_eq!(watch.space().unwrap(), Space::Plenty);
        watch.drop_ballast().unwrap();
        watch.drop_ballast().unwrap();
        assert!(!watch.ballast().exists());
    }

    #[test]
    fn a_disk_without_room_for_the_ballast_gets_none() {
        let dir = tempfile::tempdir().unwrap();
        let watch = SpaceWatch::open(dir.path(), u64::MAX / 8).unwrap();
        assert!(!watch.ballast().exists());
        assert_eq!(watch.space().unwrap(), Space::Critical);
    }
}
