//! What the files of a simulated node's journal stand on: real files in memory, of which a power cut takes
//! some last part that was not synced, and a disk that now and then cannot.

use super::broken::Break;
use super::life::lock;
use super::world::World;
use cluster::allowance::Ground;
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, read_dir};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Weak};
use tokio::time::sleep;

/// A segment of so many bytes is full: small, so that segments are added up within a short run.
const SEGMENT_BYTES_MAX: u64 = 4 * 1024;

/// The ground of one node's journals. It outlives the processes that write to them.
pub(crate) struct Platter {
    world: Weak<World>,
    node: u64,
    /// The node's data directory.
    pub(crate) dir: PathBuf,
    /// How often power was lost.
    cuts: AtomicU64,
    /// Bytes that are synced, by inode.
    synced: Mutex<BTreeMap<u64, u64>>,
}

impl Platter {
    pub(crate) fn new(world: Weak<World>, node: u64, root: &Path) -> Arc<Platter> {
        let dir = root.join(node.to_string());
        Arc::new(Platter { world, node, dir, cuts: AtomicU64::new(0), synced: Mutex::default() })
    }

    /// Power is lost: of what was not synced some first part stays, perhaps none. Returns how many bytes
    /// are gone.
    pub(crate) fn cut(&self, world: &World) -> io::Result<u64> {
        self.cuts.fetch_add(1, SeqCst);
        let mut lost = 0;
        for path in self.files()? {
            let file = OpenOptions::new().write(true).open(&path)?;
            let about = file.metadata()?;
            let synced = lock(&self.synced).get(&about.ino()).copied().unwrap_or(0);
            let loose = about.len().saturating_sub(synced);
            let stays = world.draw(|dice| match dice.below(4) {
                0 => 0,
                1 => loose,
                _ => dice.within(0, loose),
            });
            file.set_len(synced.min(about.len()) + stays)?;
            lost += loose - stays;
        }
        Ok(lost)
    }

    /// The journals are gone for good.
    pub(crate) fn lose(&self) -> io::Result<()> {
        self.cuts.fetch_add(1, SeqCst);
        self.files()?.iter().try_for_each(std::fs::remove_file)
    }

    /// All files, in order.
    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let dir = self.dir.join("journal");
        if !dir.is_dir() {
            return Ok(Vec::new());
        }
        let mut files: Vec<PathBuf> =
            read_dir(dir)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
        files.sort_unstable();
        Ok(files)
    }
}

impl Ground for Platter {
    fn name(&self, _: &Path) -> String {
        format!("power {}", self.cuts.load(SeqCst))
    }

    fn sync_data(&self, file: &File) -> io::Result<()> {
        let lies =
            self.world.upgrade().is_some_and(|world| world.is_broken(Break::JournalUnsynced));
        if lies { Ok(()) } else { self.sync_all(file) }
    }

    fn sync_all(&self, file: &File) -> io::Result<()> {
        let Some(world) = self.world.upgrade() else { return Ok(()) };
        if world.journal_fails() {
            world.note("journal failed", [self.node, 0, 0]);
            return Err(io::Error::other("the simulated disk cannot"));
        }
        let about = file.metadata()?;
        lock(&self.synced).insert(about.ino(), about.len());
        Ok(())
    }

    /// Here, once the disk has had its time: a thread of its own would run when it likes.
    fn beside(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        let takes = self.world.upgrade().map(|world| world.time_to_sync(self.node));
        Box::pin(async move {
            if let Some(takes) = takes {
                sleep(takes).await;
            }
            work();
        })
    }

    fn segment_bytes_max(&self) -> u64 {
        SEGMENT_BYTES_MAX
    }
}
