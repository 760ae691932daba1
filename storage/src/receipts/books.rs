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
