//! Receipts: small records by time, kept on the node that made them until they are old or too many.
//!
//! They are not the ledger: nothing is decided by them. So a write returns before it is on the disk,
//! at most [`SYNC_EVERY`] passes until it is, and a store that is damaged is set aside and begun anew.
//! What is in them is the caller's business.

mod books;
mod store;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;
use std::time::Duration;
use store::Store;

/// Longest time a write is not on the disk.
pub const SYNC_EVERY: Duration = Duration::from_secs(1);
/// Largest receipt, in bytes.
pub const RECEIPT_BYTES_MAX: usize = 64 * 1024;
/// Longest key, in bytes.
pub const RECEIPT_KEY_BYTES_MAX: usize = 64;

/// Bytes of a key that are its time.
const TIME_BYTES: usize = 8;

/// How much is kept; the oldest go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Older ones go, in milliseconds, counted back from the newest receipt, or
    /// from now where that is earlier.
    pub age_ms: u64,
    /// Bytes of keys and receipts. The files may take twice that, since room is reused late.
    pub bytes_max: u64,
}

impl Default for Keep {
    fn default() -> Self {
        Keep { age_ms: 30 * 86_400_000, bytes_max: 2 << 30 }
    }
}

/// The store. Every call may wait for the disk: not for a thread that serves requests.
///
/// A key begins with its time: milliseconds since 1970, big-endian, in eight bytes. What follows, at most
/// 56 bytes, makes it unique.
pub struct Receipts {
    store: Arc<Store>,
    stop: Option<Sender<()>>,
    worker: Option<JoinHandle<()>>,
}

impl Receipts {
    /// Opens the store of a data directory with the usual bounds, or makes one.
    ///
    /// # Errors
    /// Those of [`Receipts::open_keeping`].
    pub fn open(data_dir: &Path) -> io::Result<Receipts> {
        Receipts::open_keeping(data_dir, Keep::default())
    }

    /// Opens the store of a data directory, or makes one. What is damaged is set aside, as
    /// `receipts.damaged`, in place of what was set aside before.
    ///
    /// # Errors
    /// The disk refused, or another process has it open.
    pub fn open_keeping(data_dir: &Path, keep: Keep) -> io::Result<Receipts> {
        let store = Arc::new(Store::open(data_dir, keep)?);
        let tended = Arc::clone(&store);
        let (stop, stopped) = mpsc::channel();
        let worker = std::thread::Builder::new()
            .name("receipts".to_owned())
            .spawn(move || tended.tend(&stopped))?;
        Ok(Receipts { store, stop: Some(stop), worker: Some(worker) })
    }

    /// Keeps receipts by their keys, all or none. Readable on return. One of a key that is there takes
    /// its place.
    ///
    /// # Errors
    /// A key or receipt of a size that is not taken (`InvalidInput`); or the disk refused, and none of
    /// them is kept.
    pub fn put_batch(&self, receipts: Vec<(Vec<u8>, Vec<u8>)>) -> io::Result<()> {
        for (key, receipt) in &receipts {
            check_sizes(key.len(), receipt.len())?;
        }
        self.store.put(receipts)
    }

    /// The receipt of a key.
    ///
    /// # Errors
    /// The disk refused, or it was damaged: then it is gone, and the next call finds an empty store.
    pub fn get(&self, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        self.store.get(key)
    }

    /// Removes receipts of an earlier time, and returns how many they were.
    ///
    /// # Errors
    /// The disk refused; some may be removed.
    pub fn prune_before(&self, before_ms: u64) -> io::Result<u64> {
        self.store.prune(before_ms)
    }

    /// Returns when everything kept so far is on the disk.
    ///
    /// # Errors
    /// The disk refused.
    pub fn flush(&self) -> io::Result<()> {
        self.store.sync()
    }

    /// Bytes of keys and receipts kept now.
    #[must_use]
    pub fn kept_bytes(&self) -> u64 {
        self.store.kept_bytes()
    }
}

impl Drop for Receipts {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}

fn check_sizes(key_bytes: usize, receipt_bytes: usize) -> io::Result<()> {
    let refused = |reason| Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    if !(TIME_BYTES..=RECEIPT_KEY_BYTES_MAX).contains(&key_bytes) {
        return refused(format!(
            "key of {key_bytes} bytes, {TIME_BYTES} to {RECEIPT_KEY_BYTES_MAX} are taken"
        ));
    }
    if receipt_bytes > RECEIPT_BYTES_MAX {
        return refused(format!(
            "receipt of {receipt_bytes} bytes, at most {RECEIPT_BYTES_MAX} are taken"
        ));
    }
    Ok(())
}
