//! What a file stands on: whether what was written, and not synced, is still there.

use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Number of a mount that no later one gets, since Linux 6.8.
const MNT_ID_UNIQUE: u32 = 0x4000;

/// Names the boot of the machine and the mount the directory is on. As long as both last, what a process
/// has written is there after its death, synced or not. Empty where the system does not tell: then
/// nothing that was not synced is relied on.
pub(super) fn ground(dir: &Path) -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    match (boot.trim(), mount(dir)) {
        ("", _) | (_, None) => String::new(),
        (boot, Some(mount)) => format!("{boot}/{mount}"),
    }
}

fn mount(dir: &Path) -> Option<u64> {
    let unique = StatxFlags::from_bits_retain(MNT_ID_UNIQUE);
    let told = statx(CWD, dir, AtFlags::empty(), unique).ok()?;
    (told.stx_mask & MNT_ID_UNIQUE != 0).then_some(told.stx_mnt_id)
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
}
