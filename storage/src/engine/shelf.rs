//! A second engine beside the log's: values by key, for what may be lost with the last second and is no
//! reason to stop when it is damaged.

use crate::files;
use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

/// Page cache, in bytes: what is read back is read seldom.
const CACHE_BYTES: u64 = 8 << 20;
/// Unit in which the file grows. A page of the largest values must fit a quarter of it.
const SEGMENT_BYTES: usize = 8 << 20;

/// A key and its value.
pub(crate) type Pair = (Vec<u8>, Vec<u8>);

/// An open shelf. Damage is an error of the kind `InvalidData`, also where the engine would have panicked.
pub(crate) struct Shelf {
    db: sled::Db,
    file: Arc<File>,
}

impl Shelf {
    pub(crate) fn open(dir: &Path) -> io::Result<Shelf> {
        std::fs::create_dir_all(dir)?;
        if let Some(parent) = dir.parent() {
            files::sync_dir(parent)?;
        }
        guarded(|| {
            let config = sled::Config::new()
                .path(dir)
                .segment_size(SEGMENT_BYTES)
                .cache_capacity(CACHE_BYTES)
                .flush_every_ms(None);
            let db = super::open_once_free(&config)?;
            Ok(Shelf { db, file: Arc::new(File::open(dir.join("db"))?) })
        })
    }

    /// Puts some and removes others, all or none. Readable on return, durable after the next sync.
    pub(crate) fn write(
        &self,
        puts: impl IntoIterator<Item = Pair>,
        removes: impl IntoIterator<Item = Vec<u8>>,
    ) -> io::Result<()> {
        let mut batch = sled::Batch::default();
        puts.into_iter().for_each(|(key, value)| batch.insert(key, value));
        removes.into_iter().for_each(|key| batch.remove(key));
        guarded(|| Ok(self.db.apply_batch(batch)?))
    }

    pub(crate) fn get(&self, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        guarded(|| Ok(self.db.get(key)?.map(|value| value.to_vec())))
    }

    /// The first pairs whose keys begin so, rising, up to the first that is not wanted; at most `most`.
    pub(crate) fn first(
        &self,
        prefix: &[u8],
        most: usize,
        mut wanted: impl FnMut(&Pair) -> bool,
    ) -> io::Result<Vec<Pair>> {
        guarded(|| {
            let found = self.db.scan_prefix(prefix).take(most).map(owned);
            found.take_while(|pair| pair.as_ref().map_or(true, &mut wanted)).collect()
        })
    }

    /// The last pair whose key begins so.
    pub(crate) fn last(&self, prefix: &[u8]) -> io::Result<Option<Pair>> {
        guarded(|| self.db.scan_prefix(prefix).next_back().map(owned).transpose())
    }

    /// Hands everything written before to the kernel, and returns the file: once that is synced, which
    /// needs nobody to wait but who asks, it is on the disk.
    pub(crate) fn flush(&self) -> io::Result<Arc<File>> {
        guarded(|| {
            self.db.flush()?;
            Ok(Arc::clone(&self.file))
        })
    }
}

fn owned(item: sled::Result<(sled::IVec, sled::IVec)>) -> io::Result<Pair> {
    let (key, value) = item?;
    Ok((key.to_vec(), value.to_vec()))
}

/// The engine panics at some of the damage it finds.
fn guarded<T>(work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(io::Error::new(io::ErrorKind::InvalidData, "the engine gave up at what it read"))
    })
}
