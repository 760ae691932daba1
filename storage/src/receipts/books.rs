//! How much is kept, by hour, beside the receipts and in the same writes: no need to read them to know.

use super::TIME_BYTES;
use crate::engine::{Pair, Shelf};
use std::collections::BTreeMap;
use std::io;

/// First byte of the keys of receipts; their own follow.
pub(super) const RECEIPT: u8 = b'r';
/// First byte of the keys of sums; the hour follows, big-endian.
const HOUR: u8 = b'h';
const HOUR_MS: u64 = 3_600_000;
/// A row of sums for each hour there is a receipt of: far more than any store will have.
const HOURS_MAX: usize = 1 << 20;

/// Bytes kept, in all and by hour, and the newest time there was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Books {
    hours: BTreeMap<u64, u64>,
    bytes: u64,
    newest_ms: u64,
}

impl Books {
    pub(super) fn read(shelf: &Shelf) -> io::Result<Books> {
        let mut books = Books::default();
        for (key, value) in shelf.first(&[HOUR], HOURS_MAX, |_| true)? {
            let bytes = number(&value)?;
            books.hours.insert(number(key.get(1..).unwrap_or_default())?, bytes);
            books.bytes = books.bytes.saturating_add(bytes);
        }
        if let Some((key, _)) = shelf.last(&[RECEIPT])? {
            books.newest_ms = time_of(&key);
        }
        Ok(books)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn newest_ms(&self) -> u64 {
        self.newest_ms
    }

    /// Counts a receipt, by its key on the shelf.
    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) {
        let (at_ms, bytes) = (time_of(key), size(key, value));
        *self.hours.entry(at_ms / HOUR_MS).or_default() += bytes;
        self.bytes += bytes;
        self.newest_ms = self.newest_ms.max(at_ms);
    }

    /// Takes a receipt off.
    pub(super) fn remove(&mut self, key: &[u8], value: &[u8]) {
        let (hour, bytes) = (time_of(key) / HOUR_MS, size(key, value));
        let Some(sum) = self.hours.get_mut(&hour) else {
            return;
        };
        *sum = sum.saturating_sub(bytes);
        if *sum == 0 {
            self.hours.remove(&hour);
        }
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Takes off hours that were over at a time.
    pub(super) fn forget_before(&mut self, at_ms: u64) {
        let kept = self.hours.split_off(&(at_ms / HOUR_MS));
        let gone = std::mem::replace(&mut self.hours, kept);
        self.bytes = self.bytes.saturating_sub(gone.values().sum());
    }

    /// Rows to write and keys of rows to remove, where the books were like `old` before.
    pub(super) fn changed_since(&self, old: &Books) -> (Vec<Pair>, Vec<Vec<u8>>) {
        let changed = self.hours.iter().filter(|(hour, sum)| old.hours.get(hour) != Some(sum));
        let gone = old.hours.keys().filter(|hour| !self.hours.contains_key(hour));
        (
            changed.map(|(hour, sum)| (hour_key(*hour), sum.to_be_bytes().to_vec())).collect(),
            gone.map(|hour| hour_key(*hour)).collect(),
        )
    }
}

/// Key on the shelf of a receipt.
pub(super) fn receipt_key(key: &[u8]) -> Vec<u8> {
    [&[RECEIPT], key].concat()
}

/// Time of a receipt, by its key on the shelf. Its length was checked when it was put there.
pub(super) fn time_of(key: &[u8]) -> u64 {
    let time = key.get(1..).and_then(|key| key.first_chunk::<TIME_BYTES>());
    time.map_or(0, |time| u64::from_be_bytes(*time))
}

fn hour_key(hour: u64) -> Vec<u8> {
    [&[HOUR][..], &hour.to_be_bytes()].concat()
}

fn size(key: &[u8], value: &[u8]) -> u64 {
    (key.len() - 1 + value.len()) as u64
}

fn number(bytes: &[u8]) -> io::Result<u64> {
    let number = bytes.try_into().map(u64::from_be_bytes);
    number.map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a sum of receipts"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(hour: u64) -> Vec<u8> {
        receipt_key(&(hour * HOUR_MS + 5).to_be_bytes())
    }

    #[test]
    fn hours_come_and_go_with_their_receipts() {
        let mut books = Books::default();
        books.add(&key(1), b"two");
        books.add(&key(2), b"two");
        let before = books.clone();
        books.remove(&key(1), b"two");
        assert_eq!(books.changed_since(&before), (Vec::new(), vec![hour_key(1)]));
        let bytes = 11u64.to_be_bytes().to_vec();
        assert_eq!(before.changed_since(&books), (vec![(hour_key(1), bytes)], Vec::new()));
        assert_eq!((books.bytes(), books.newest_ms()), (11, 2 * HOUR_MS + 5));
    }

    #[test]
    fn what_is_counted_and_not_there_is_forgotten() {
        let mut books = Books::default();
        (1..=3).for_each(|hour| books.add(&key(hour), b"two"));
        books.forget_before(2 * HOUR_MS + 5);
        assert_eq!(books.bytes(), 22);
        books.forget_before(u64::MAX);
        assert_eq!(books.bytes(), 0);
    }
}
