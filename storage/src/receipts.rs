//! Receipts: small records by time, kept on the node that made them until they are old or too many.
//!
//! They are not the ledger: nothing is decided by them. So a write returns before it is on the disk,
//! at most [`SYNC_EVERY`] passes until it is, and a store that is damaged is set aside and begun anew.
//! What is in them is the caller's business.

mod books;

use crate::engine::{Pair, Shelf};
use books::Books;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Longest time a write is not on the disk.
pub const SYNC_EVERY: Duration = Duration::from_secs(1);
/// Largest receipt, in bytes.
pub const RECEIPT_BYTES_MAX: usize = 64 * 1024;
/// Longest key, in bytes.
pub const RECEIPT_KEY_BYTES_MAX: usize = 64;

/// Bytes of a key that are its time.
const TIME_BYTES: usize = 8;
/// Receipts removed in one batch.
const REMOVE_BATCH: usize = 512;

/// How much is kept; the oldest go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Older ones go, in milliseconds, counted back from the newest receipt.
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
        let store = Store {
            dir: data_dir.join("receipts"),
            aside: data_dir.join("receipts.damaged"),
            keep,
            open: Mutex::default(),
        };
        store.with(|_| Ok(()))?;
        let store = Arc::new(store);
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
        self.store.with(|open| open.put(receipts))
    }

    /// The receipt of a key.
    ///
    /// # Errors
    /// The disk refused, or it was damaged: then it is gone, and the next call finds an empty store.
    pub fn get(&self, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        self.store.with(|open| open.shelf.get(&books::receipt_key(key)))
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
        self.store.lock().as_ref().map_or(0, |open| open.books.bytes())
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

/// An open shelf and what is known of it.
struct Open {
    shelf: Shelf,
    books: Books,
    /// Something was written since the last sync.
    dirty: bool,
}

impl Open {
    fn put(&mut self, receipts: Vec<Pair>) -> io::Result<()> {
        let mut books = self.books.clone();
        // Of two of one key the later one is kept.
        let receipts: BTreeMap<Vec<u8>, Vec<u8>> =
            receipts.into_iter().map(|(key, value)| (books::receipt_key(&key), value)).collect();
        for (key, value) in &receipts {
            if let Some(old) = self.shelf.get(key)? {
                books.remove(key, &old);
            }
            books.add(key, value);
        }
        self.write(receipts, Vec::new(), books)
    }

    /// Removes some of the oldest: those before `before_ms`, and those there is no room for.
    fn prune_some(&mut self, before_ms: u64, bytes_max: u64) -> io::Result<u64> {
        let mut books = self.books.clone();
        let mut gone = Vec::new();
        for (key, value) in self.shelf.first(&[books::RECEIPT], REMOVE_BATCH)? {
            if books::time_of(&key) >= before_ms && books.bytes() <= bytes_max {
                break;
            }
            books.remove(&key, &value);
            gone.push(key);
        }
        let count = gone.len() as u64;
        if count > 0 {
            self.write(BTreeMap::new(), gone, books)?;
        }
        Ok(count)
    }

    /// Writes receipts and books together, all or none.
    fn write(
        &mut self,
        puts: BTreeMap<Vec<u8>, Vec<u8>>,
        removes: Vec<Vec<u8>>,
        books: Books,
    ) -> io::Result<()> {
        let (rows, empty) = books.changed_since(&self.books);
        self.shelf.write(puts.into_iter().chain(rows), removes.into_iter().chain(empty))?;
        self.books = books;
        self.dirty = true;
        Ok(())
    }
}

struct Store {
    dir: PathBuf,
    aside: PathBuf,
    keep: Keep,
    /// None after a failure: the next call opens it again.
    open: Mutex<Option<Open>>,
}

impl Store {
    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the open shelf. After a failure nothing more is asked of it.
    fn with<T>(&self, work: impl FnOnce(&mut Open) -> io::Result<T>) -> io::Result<T> {
        let mut present = self.lock();
        let open = match present.as_mut() {
            Some(open) => open,
            None => present.insert(self.open()?),
        };
        work(open).inspect_err(|error| {
            *present = None;
            self.failed(error);
        })
    }

    /// Closed already: what is damaged makes room for a new store.
    fn failed(&self, error: &io::Error) {
        if error.kind() != io::ErrorKind::InvalidData {
            tracing::warn!(%error, dir = %self.dir.display(), "receipts are not kept for now");
        } else if let Err(refused) = self.set_aside(error) {
            tracing::error!(error = %refused, "damaged receipts cannot be set aside");
        }
    }

    fn open(&self) -> io::Result<Open> {
        let opened = self.try_open();
        match opened {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                self.set_aside(&error)?;
                self.try_open()
            }
            opened => opened,
        }
    }

    fn try_open(&self) -> io::Result<Open> {
        let shelf = Shelf::open(&self.dir)?;
        let books = Books::read(&shelf)?;
        Ok(Open { shelf, books, dirty: false })
    }

    fn set_aside(&self, error: &io::Error) -> io::Result<()> {
        match std::fs::remove_dir_all(&self.aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::fs::rename(&self.dir, &self.aside)?;
        let aside = self.aside.display();
        tracing::error!(%error, %aside, "receipts are damaged: they are set aside, new ones begin");
        Ok(())
    }

    /// Others may use the shelf while the disk is waited for.
    fn sync(&self) -> io::Result<()> {
        let file = self.with(|open| {
            let dirty = std::mem::take(&mut open.dirty);
            dirty.then(|| open.shelf.flush()).transpose()
        })?;
        match file.map(|file| file.sync_data()) {
            Some(Err(error)) => self.with(|_| Err(error)),
            Some(Ok(())) | None => Ok(()),
        }
    }

    fn prune(&self, before_ms: u64) -> io::Result<u64> {
        let mut count = 0;
        loop {
            let some = self.with(|open| open.prune_some(before_ms, self.keep.bytes_max))?;
            if some == 0 {
                return Ok(count);
            }
            count += some;
        }
    }

    /// The worker's life.
    fn tend(&self, stopped: &Receiver<()>) {
        loop {
            let stop = stopped.recv_timeout(SYNC_EVERY) != Err(RecvTimeoutError::Timeout);
            // A failure was logged where it happened, and is tried again with the next call.
            let _ = self.tend_once();
            if stop {
                return;
            }
        }
    }

    fn tend_once(&self) -> io::Result<()> {
        let newest_ms = self.lock().as_ref().map_or(0, |open| open.books.newest_ms());
        self.prune(newest_ms.saturating_sub(self.keep.age_ms))?;
        self.sync()
    }
}
