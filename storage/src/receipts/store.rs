//! The open shelf behind the receipts: written, pruned, synced, and opened again after a failure.

use super::books::{self, Books};
use super::{Keep, SYNC_EVERY};
use crate::engine::{Pair, Shelf};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Receipts removed in one batch.
const REMOVE_BATCH: usize = 512;

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
        // After damage the engine may have forgotten receipts that the books still count.
        let oldest = self.shelf.first(&[books::RECEIPT], 1, |_| true)?;
        books.forget_before(oldest.first().map_or(u64::MAX, |(key, _)| books::time_of(key)));
        let gone = self.shelf.first(&[books::RECEIPT], REMOVE_BATCH, |(key, value)| {
            let due = books::time_of(key) < before_ms || books.bytes() > bytes_max;
            if due {
                books.remove(key, value);
            }
            due
        })?;
        let count = gone.len() as u64;
        if books != self.books {
            let keys = gone.into_iter().map(|(key, _)| key).collect();
            self.write(BTreeMap::new(), keys, books)?;
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

pub(super) struct Store {
    dir: PathBuf,
    aside: PathBuf,
    keep: Keep,
    /// None after a failure: the next call opens it again.
    open: Mutex<Option<Open>>,
}

impl Store {
    pub(super) fn open(data_dir: &Path, keep: Keep) -> io::Result<Store> {
        let store = Store {
            dir: data_dir.join("receipts"),
            aside: data_dir.join("receipts.damaged"),
            keep,
            open: Mutex::default(),
        };
        store.with(|_| Ok(()))?;
        Ok(store)
    }

    pub(super) fn put(&self, receipts: Vec<Pair>) -> io::Result<()> {
        self.with(|open| open.put(receipts))
    }

    pub(super) fn get(&self, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        self.with(|open| open.shelf.get(&books::receipt_key(key)))
    }

    pub(super) fn kept_bytes(&self) -> u64 {
        self.lock().as_ref().map_or(0, |open| open.books.bytes())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the open shelf. After a failure nothing more is asked of it.
    fn with<T>(&self, work: impl FnOnce(&mut Open) -> io::Result<T>) -> io::Result<T> {
        let mut present = self.lock();
        let open = match present.as_mut() {
            Some(open) => open,
            None => present.insert(self.open_again()?),
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

    fn open_again(&self) -> io::Result<Open> {
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
    pub(super) fn sync(&self) -> io::Result<()> {
        let file = self.with(|open| {
            let dirty = std::mem::take(&mut open.dirty);
            dirty.then(|| open.shelf.flush()).transpose()
        })?;
        match file.map(|file| file.sync_data()) {
            Some(Err(error)) => self.with(|_| Err(error)),
            Some(Ok(())) | None => Ok(()),
        }
    }

    pub(super) fn prune(&self, before_ms: u64) -> io::Result<u64> {
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
    pub(super) fn tend(&self, stopped: &Receiver<()>) {
        loop {
            let stop = stopped.recv_timeout(SYNC_EVERY) != Err(RecvTimeoutError::Timeout);
            // A failure was logged where it happened, and is tried again with the next call.
            let _ = self.tend_once(now_ms());
            if stop {
                return;
            }
        }
    }

    /// Neither a receipt of the future nor a clock that leapt ahead makes the others old.
    fn tend_once(&self, now_ms: u64) -> io::Result<()> {
        let newest_ms = self.lock().as_ref().map_or(0, |open| open.books.newest_ms());
        self.prune(newest_ms.min(now_ms).saturating_sub(self.keep.age_ms))?;
        self.sync()
    }
}

/// Milliseconds since 1970, by this machine's clock; zero before.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_a_receipt_of_the_future_nor_a_clock_that_leapt_ahead_makes_others_old() {
        let dir = tempfile::tempdir().unwrap();
        let keep = Keep { age_ms: 100, ..Keep::default() };
        let store = Store::open(dir.path(), keep).unwrap();
        let key = |at_ms: u64| at_ms.to_be_bytes().to_vec();
        store.put(vec![(key(1_000), b"now".to_vec())]).unwrap();
        store.tend_once(u64::MAX).unwrap();
        assert!(store.get(&key(1_000)).unwrap().is_some());
        store.put(vec![(key(9_000), b"later".to_vec())]).unwrap();
        store.tend_once(1_050).unwrap();
        assert!(store.get(&key(1_000)).unwrap().is_some());
        store.tend_once(2_000).unwrap();
        assert!(store.get(&key(1_000)).unwrap().is_none());
    }
}
