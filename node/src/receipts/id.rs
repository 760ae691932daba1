//! What a receipt is found by: when its request came, which node served it, and a number of its own.

use http::HeaderValue;
use ledger::UnixMillis;
use serde::{Serialize, Serializer};
use std::cell::Cell;
use std::fmt;
use std::str::FromStr;

/// Milliseconds since 1970, big-endian: enough for 8,900 years.
const TIME: std::ops::Range<usize> = 2..8;
const BYTES: usize = 20;
/// Letters of an id behind the prefix: five bits each.
const LETTERS: usize = BYTES * 8 / 5;
const PREFIX: &str = "rct-";
/// Crockford's base 32 in lower case: ids sort as their bytes do.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The id of a receipt: 6 bytes of time, 8 of the node, 6 of its own. Sorted, they are in order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReceiptId([u8; BYTES]);

impl ReceiptId {
    /// Characters of its text.
    pub(crate) const CHARS: usize = PREFIX.len() + LETTERS;

    fn new(at: UnixMillis, node: u64, own: [u8; 6]) -> Self {
        let mut id = [0; BYTES];
        id[..6].copy_from_slice(&at.0.to_be_bytes()[TIME]);
        id[6..14].copy_from_slice(&node.to_be_bytes());
        id[14..].copy_from_slice(&own);
        Self(id)
    }

    /// Raft id of the node that made it, and keeps it.
    pub(crate) fn node(&self) -> u64 {
        u64::from_be_bytes(self.0[6..14].try_into().expect("eight bytes"))
    }

    /// The key it is stored under: its time in eight bytes, then the rest.
    pub(crate) fn key(&self) -> Vec<u8> {
        [&[0, 0], &self.0[..]].concat()
    }

    /// The id in a header.
    pub(crate) fn header(&self) -> HeaderValue {
        let text = self.text();
        HeaderValue::from_bytes(&text).expect("letters and digits are a header value")
    }

    fn text(&self) -> [u8; Self::CHARS] {
        let mut text = [0; Self::CHARS];
        text[..PREFIX.len()].copy_from_slice(PREFIX.as_bytes());
        for (five, letters) in self.0.chunks(5).zip(text[PREFIX.len()..].chunks_mut(8)) {
            let bits = five.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            for (at, letter) in letters.iter_mut().enumerate() {
                *letter = ALPHABET[(bits >> (35 - 5 * at) & 31) as usize];
            }
        }
        text
    }
}

impl fmt::Display for ReceiptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).expect("letters and digits"))
    }
}

impl Serialize for ReceiptId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for ReceiptId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let letters = text.strip_prefix(PREFIX).ok_or(())?.as_bytes();
        if letters.len() != LETTERS {
            return Err(());
        }
        let mut id = [0; BYTES];
        for (eight, five) in letters.chunks(8).zip(id.chunks_mut(5)) {
            let mut bits = 0_u64;
            for letter in eight {
                let value = ALPHABET.iter().position(|known| known == letter).ok_or(())?;
                bits = bits << 5 | value as u64;
            }
            five.copy_from_slice(&bits.to_be_bytes()[3..]);
        }
        Ok(Self(id))
    }
}

/// Makes ids: one per thread.
pub(crate) struct ReceiptIds {
    /// Random, drawn once per thread and start.
    origin: [u8; 3],
    next: Cell<u32>,
}

impl ReceiptIds {
    /// A maker; `origin` must be random.
    pub(crate) fn new(origin: u64) -> Self {
        let [first, second, third, ..] = origin.to_be_bytes();
        Self { origin: [first, second, third], next: Cell::new(0) }
    }

    /// The id for a request that came at `now`.
    pub(crate) fn next(&self, now: UnixMillis, node: u64) -> ReceiptId {
        let number = self.next.get();
        self.next.set(number.wrapping_add(1));
        let [_, high, middle, low] = number.to_be_bytes();
        let [first, second, third] = self.origin;
        ReceiptId::new(now, node, [first, second, third, high, middle, low])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_and_sorts_by_time() {
        let ids = ReceiptIds::new(u64::MAX);
        let early = ids.next(UnixMillis(1_800_000_000_000), u64::MAX - 7);
        let late = ids.next(UnixMillis(1_800_000_000_001), 3);
        assert!(early < late && early.to_string() < late.to_string());
        for id in [early, late] {
            let text = id.to_string();
            assert_eq!(text.parse(), Ok(id));
            assert_eq!((text.len(), id.header()), (36, HeaderValue::from_str(&text).unwrap()));
        }
        assert_eq!((early.node(), late.node()), (u64::MAX - 7, 3));
        assert_eq!(early.key()[..8], 1_800_000_000_000_u64.to_be_bytes());
    }

    #[test]
    fn what_is_no_id_is_not_taken_for_one() {
        let good = ReceiptIds::new(1).next(UnixMillis(5), 1).to_string();
        for bad in ["", "rct-", &good[1..], &good[..35], &good.replace('0', "u"), "rct-\u{e9}"] {
            assert!(bad.parse::<ReceiptId>().is_err(), "{bad}");
        }
    }
}
