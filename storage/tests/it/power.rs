//! The power cut: an ext4 of our own is shut down under the writing process, its unwritten pages gone.
//!
//! Needs root, a loop device, mkfs.ext4 and python3 (for one ioctl); where one is missing the tests say
//! so and prove nothing.

use crate::crash::checker::Checker;
use crate::crash::child::Child;
use crate::support::Dice;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const CUTS: u64 = 12;
const DISK_BYTES: u64 = 192 << 20;
/// `EXT4_IOC_SHUTDOWN` with `EXT4_GOING_FLAGS_NOLOGFLUSH`: nothing more reaches the device.
const CUT_POWER: &str = "import fcntl,os,struct,sys; \
    fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))";

/// A disk whose power can be cut.
struct PowerDisk {
    home: tempfile::TempDir,
}

impl PowerDisk {
    /// The error is why there is none on this machine.
    fn new() -> Result<PowerDisk, String> {
        let home = tempfile::tempdir().unwrap();
        let disk = PowerDisk { home };
        std::fs::create_dir(disk.mount_point()).unwrap();
        let image = std::fs::File::create(disk.image()).unwrap();
        image.set_len(DISK_BYTES).unwrap();
        run("mkfs.ext4", &["-q".as_ref(), "-F".as_ref(), &disk.image()])?;
        disk.mount()?;
        // The ioctl is tried before anything is proved with it.
        disk.cut()?;
        disk.unmount()?;
        disk.mount()?;
        Ok(disk)
    }

    fn image(&self) -> PathBuf {
        self.home.path().join("image")
    }

    fn mount_point(&self) -> PathBuf {
        self.home.path().join("disk")
    }

    fn mount(&self) -> Result<(), String> {
        run("mount", &["-o".as_ref(), "loop".as_ref(), &self.image(), &self.mount_point()])
    }

    fn unmount(&self) -> Result<(), String> {
        run("umount", &[&self.mount_point()])
    }

    fn cut(&self) -> Result<(), String> {
        run("python3", &["-c".as_ref(), CUT_POWER.as_ref(), &self.mount_point()])
    }

    /// One life on this disk, ended by a power cut. The error is what was found wrong.
    fn live_and_lose_power(
        &self,
        mode: &str,
        checker: &mut Checker,
        run: Duration,
    ) -> Result<(), String> {
        let data = self.mount_point().join("data");
        let mut child = Child::start(&data, mode, checker.acked_entries());
        let lines = child.run_then(run, |child| {
            self.cut().unwrap();
            child.kill();
        });
        drop(child);
        self.unmount().unwrap();
        self.mount().unwrap();
        for line in lines {
            checker.hear(&line)?;
        }
        checker.life_ended()
    }
}

impl Drop for PowerDisk {
    fn drop(&mut self) {
        // Not mounted where it never came to that.
        let _ = self.unmount();
    }
}

fn run(program: &str, arguments: &[&Path]) -> Result<(), String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(format!("{program}: {complaint}"))
}

fn disk() -> Option<PowerDisk> {
    match PowerDisk::new() {
        Ok(disk) => Some(disk),
        Err(reason) => {
            println!("SKIPPED, nothing is proved about power cuts: {reason}");
            None
        }
    }
}

#[test]
fn no_acknowledged_write_is_lost_to_a_power_cut() {
    let Some(disk) = disk() else { return };
    let mut dice = Dice::from_clock();
    println!("seed {}", dice.0);
    let mut checker = Checker::default();
    for cut in 0..CUTS {
        let run = Duration::from_millis(20 + dice.below(150));
        if let Err(found) = disk.live_and_lose_power("honest", &mut checker, run) {
            panic!("after {cut} power cuts: {found}");
        }
    }
    println!("{CUTS} power cuts, {}", checker.summary());
    assert!(checker.acked > CUTS, "too few writes to prove anything: {}", checker.summary());
}

/// The checker must be able to fail: a store of this mode is caught within so many power cuts.
fn is_caught(mode: &str, cuts: u64) {
    let Some(disk) = disk() else { return };
    let mut checker = Checker::default();
    for cut in 1..=cuts {
        let run = Duration::from_millis(100);
        if let Err(found) = disk.live_and_lose_power(mode, &mut checker, run) {
            println!("caught after {cut} power cuts: {found}");
            return;
        }
    }
    panic!("a {mode} store passed: {}", checker.summary());
}

#[test]
fn a_store_that_does_not_sync_is_caught_by_a_power_cut() {
    is_caught("liar", 5);
}

#[test]
fn a_store_that_trusts_the_engines_own_flush_is_caught_by_a_power_cut() {
    is_caught("trusting", 20);
}
