//! Sets of small numbers.

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bits {
    words: Vec<u64>,
    /// One past the highest number ever put in.
    top: usize,
}

impl Bits {
    /// An empty set for numbers below `end`.
    pub(super) fn of(end: usize) -> Bits {
        Bits { words: vec![0; end.div_ceil(64)], top: 0 }
    }

    pub(super) fn has(&self, number: usize) -> bool {
        self.words[number / 64] >> (number % 64) & 1 == 1
    }

    pub(super) fn put(&mut self, number: usize, present: bool) {
        let bit = 1 << (number % 64);
        match present {
            true => self.words[number / 64] |= bit,
            false => self.words[number / 64] &= !bit,
        }
        self.top = self.top.max(number + 1);
    }

    /// The words from that of `low` to the last one that is not empty.
    pub(super) fn from(&self, low: usize) -> Vec<u64> {
        let end = self.top.div_ceil(64);
        let words = self.words.get(low / 64..end).unwrap_or_default();
        let kept = words.iter().rposition(|word| *word != 0).map_or(0, |last| last + 1);
        words[..kept].to_vec()
    }

    pub(super) fn is_within(&self, other: &Bits) -> bool {
        self.words.iter().zip(&other.words).all(|(own, others)| own & !others == 0)
    }
}
