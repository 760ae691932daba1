//! A node's disk: an ext4 of its own in a file in memory, whose power can be cut and which can be
//! filled, or, without namespaces, a directory.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::ground::Ground;
use super::run::{line, run};

/// Room on a disk: a few times what a node keeps in reserve.
const DISK_BYTES: u64 = 640 << 20;
/// `EXT4_IOC_SHUTDOWN` with `EXT4_GOING_FLAGS_NOLOGFLUSH`: nothing more reaches the device.
const CUT_POWER: &str = "import fcntl,os,struct,sys; \
    fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))";
/// What fills a disk.
const FILLING: &str = "filling";

pub(super) struct Disk {
    ground: Ground,
    image: PathBuf,
    mount_point: PathBuf,
}

impl Disk {
    /// A fresh disk, mounted at `mount_point`.
    pub(super) async fn new(ground: Ground, images: &Path, mount_point: &Path) -> Result<Disk> {
        std::fs::create_dir_all(mount_point)?;
        let name = mount_point.components().map(|part| part.as_os_str().to_string_lossy());
        let image = images.join(name.collect::<Vec<_>>().join("_").replace('/', ""));
        let disk = Disk { ground, image, mount_point: mount_point.to_owned() };
        disk.make().await?;
        Ok(disk)
    }

    /// Where a node may keep its state.
    pub(super) fn data_dir(&self) -> PathBuf {
        self.mount_point.join("data")
    }

    /// Takes everything away and puts an empty disk there. Nobody uses it.
    pub(super) async fn wipe(&self) -> Result<()> {
        match self.ground {
            Ground::Namespaces => {
                self.unmount().await?;
                self.make().await
            }
            Ground::Loopback => match std::fs::remove_dir_all(self.data_dir()) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
                Ok(()) | Err(_) => Ok(()),
            },
        }
    }

    /// Cuts the power: what was not synced is lost.
    pub(super) async fn cut(&self) -> Result<()> {
        run("python3", &["-c".as_ref(), CUT_POWER.as_ref(), self.mount_point.as_os_str()])
            .await
            .map(drop)
    }

    /// Power is back. Nobody uses the disk.
    pub(super) async fn power_on(&self) -> Result<()> {
        self.unmount().await?;
        self.mount().await
    }

    /// Leaves no room.
    pub(super) async fn fill(&self) -> Result<()> {
        let path = self.mount_point.join(FILLING);
        let file = std::fs::File::create(&path)?;
        // By ever smaller pieces, to the last block.
        let mut piece = DISK_BYTES;
        let mut filled = 0;
        while piece >= 512 {
            let flags = rustix::fs::FallocateFlags::empty();
            match rustix::fs::fallocate(&file, flags, filled, piece) {
                Ok(()) => filled += piece,
                Err(rustix::io::Errno::NOSPC) => piece /= 2,
                Err(error) => return Err(error).context("cannot fill the disk"),
            }
        }
        Ok(())
    }

    /// Makes room again.
    pub(super) fn free(&self) -> Result<()> {
        match std::fs::remove_file(self.mount_point.join(FILLING)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    async fn make(&self) -> Result<()> {
        if self.ground == Ground::Loopback {
            return Ok(());
        }
        std::fs::File::create(&self.image)?.set_len(DISK_BYTES)?;
        // Nothing is kept back for root, so that a full disk is full.
        let image = self.image.as_os_str();
        run(
            "mkfs.ext4",
            &["-q", "-F", "-m", "0"]
                .map(AsRef::as_ref)
                .into_iter()
                .chain([image])
                .collect::<Vec<&std::ffi::OsStr>>(),
        )
        .await?;
        self.mount().await
    }

    async fn mount(&self) -> Result<()> {
        line(&format!("mount -o loop {} {}", self.image.display(), self.mount_point.display()))
            .await
            .map(drop)
    }

    async fn unmount(&self) -> Result<()> {
        line(&format!("umount {}", self.mount_point.display())).await.map(drop)
    }
}

/// Makes the place for the images: in memory, so that what survives a power cut is what was synced to
/// the device, and that is quick.
pub(super) async fn place_for_images(ground: Ground, place: &Path) -> Result<()> {
    std::fs::create_dir_all(place)?;
    if ground == Ground::Namespaces {
        line(&format!("mount -t tmpfs none {}", place.display())).await?;
    }
    Ok(())
}
