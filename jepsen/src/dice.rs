//! Randomness that can be had again: everything a run draws comes from its seed.

use std::time::{SystemTime, UNIX_EPOCH};

/// A stream of numbers (SplitMix64).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The stream of a seed.
    pub fn of(seed: u64) -> Dice {
        Dice(seed)
    }

    /// The seed in `JEPSEN_SEED`, else one of this moment.
    pub fn seed() -> u64 {
        let asked = std::env::var("JEPSEN_SEED").ok().and_then(|seed| seed.parse().ok());
        asked.unwrap_or_else(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            // Short enough to be typed again.
            since.map_or(0, |since| u64::from(since.subsec_nanos()))
        })
    }

    /// A stream of its own for one of several tasks, so that their turns do not matter to it.
    pub fn split(&mut self) -> Dice {
        Dice(self.next())
    }

    /// A number below `end`; 0 where that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = end.max(1) as u64;
        // The remainder of less than 2^-40 for any end in use favours nobody that a test could notice.
        (self.next() % end) as usize
    }

    /// A number from `low` to `high`, both included.
    pub fn within(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high.saturating_sub(low) + 1)
    }

    /// True in `percent` of a hundred cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of several; they are never none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn a_seed_gives_the_same_draws_again_and_splits_differ() {
        let draw = |mut dice: Dice| (0..8).map(|_| dice.within(3, 9)).collect::<Vec<_>>();
        assert_eq!(draw(Dice::of(7)), draw(Dice::of(7)));
        assert!(draw(Dice::of(7)).iter().all(|drawn| (3..=9).contains(drawn)));
        let mut dice = Dice::of(7);
        assert_ne!(draw(dice.split()), draw(dice.split()));
    }
}
