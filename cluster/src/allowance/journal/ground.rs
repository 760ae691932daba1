//! What a file stands on: whether what was written, and not synced, is still there.

use futures_util::future::BoxFuture;
use rustix::fs::{AtFlags, CWD, StatxFlags, major, minor, statx};
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use tokio::task::spawn_blocking;
use tracing::error;

/// What the files of a journal stand on. In the program that is [`Machine`]; a simulation has one that
/// forgets what was not synced.
pub trait Ground: Send + Sync + 'static {
    /// Names the time through which all that a process has written outlives it, synced or not. Empty where
    /// nobody can tell: then nothing that was not synced is relied on.
    fn name(&self, dir: &Path) -> String;

    /// Has what was written to a file on the disk, as far as it takes to read it back.
    ///
    /// # Errors
    ///
    /// It may not be there.
    fn sync_data(&self, file: &File) -> io::Result<()>;

    /// The same with all that belongs to it; of a directory, which files there are.
    ///
    /// # Errors
    ///
    /// It may not be there.
    fn sync_all(&self, file: &File) -> io::Result<()>;

    /// Runs what waits for the disk, beside everything else.
    fn beside(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()>;

    /// A segment of so many bytes is full.
    fn segment_bytes_max(&self) -> u64;
}

/// The machine this runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Machine;

impl Ground for Machine {
    fn name(&self, dir: &Path) -> String {
        ground(dir)
    }

    fn sync_data(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn sync_all(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn beside(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            if let Err(error) = spawn_blocking(work).await {
                error!(%error, "the journal was not kept");
            }
        })
    }

    fn segment_bytes_max(&self) -> u64 {
        if cfg!(test) { 8 * 1024 } else { 4 * 1024 * 1024 }
    }
}

/// Number of a mount that no later one gets, since Linux 6.8.
const MNT_ID_UNIQUE: u32 = 0x4000;
/// File systems that show each time they are mounted under `/sys/fs`, by the name of their device.
const SHOWN_IN_SYS: [&str; 3] = ["ext4", "xfs", "f2fs"];

/// Names the boot of the machine, and the time that the file system under a directory is in use. As long
/// as both last, what a process has written is there after its death, synced or not. Empty where the
/// system does not tell: then nothing that was not synced is relied on.
fn ground(dir: &Path) -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let instance = in_sys(dir).or_else(|| mount(dir));
    match (boot.trim(), instance) {
        ("", _) | (_, None) => String::new(),
        (boot, Some(instance)) => format!("{boot}/{instance}"),
    }
}

/// The file system's own folder in `/sys`: made when it is mounted first and gone with the last mount, its
/// inode is never used again in this boot. The same in every container.
fn in_sys(dir: &Path) -> Option<String> {
    let device = std::fs::metadata(dir).ok()?.dev();
    let link = format!("/sys/dev/block/{}:{}", major(device), minor(device));
    let link = std::fs::read_link(link).ok()?;
    let name = link.file_name()?.to_str()?;
    let shown = |kind: &&str| std::fs::metadata(format!("/sys/fs/{kind}/{name}")).ok();
    let folder = SHOWN_IN_SYS.iter().find_map(shown)?;
    Some(format!("fs {}", folder.ino()))
}

/// Of other file systems, the mount: a container that is started anew has another.
fn mount(dir: &Path) -> Option<String> {
    let unique = StatxFlags::from_bits_retain(MNT_ID_UNIQUE);
    let told = statx(CWD, dir, AtFlags::empty(), unique).ok()?;
    let is_told = told.stx_mask & MNT_ID_UNIQUE != 0;
    is_told.then(|| format!("mount {}", told.stx_mnt_id))
}

/// Inode of a file: a copy has another.
pub(super) fn inode(metadata: &Metadata) -> u64 {
    metadata.ino()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ground_stays_the_same_while_boot_and_mount_do() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(ground(dir.path()), ground(dir.path()));
        assert_eq!(ground(&dir.path().join("missing")), "");
    }

    #[test]
    fn directories_of_one_file_system_share_their_ground() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        assert_eq!(ground(dir.path()), ground(&inner));
    }
}
