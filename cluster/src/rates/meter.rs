//! What one node counts on one key: a sliding minute of requests and tokens, and those in flight.

use super::message::SHARE_MS;

/// Length of one part of the sliding minute, in milliseconds.
const PART_MS: u64 = 5_000;
/// Parts of the minute, and the one that runs.
const PARTS: usize = 13;

/// Which of a key's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// Requests begun in any minute.
    Requests,
    /// Tokens in any minute.
    Tokens,
    /// Requests in flight.
    Concurrency,
}

impl Dimension {
    /// All of them, by code.
    pub const ALL: [Dimension; 3] =
        [Dimension::Requests, Dimension::Tokens, Dimension::Concurrency];

    /// Its number between peers: 0 requests, 1 tokens, 2 concurrency.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Dimension::Requests => 0,
            Dimension::Tokens => 1,
            Dimension::Concurrency => 2,
        }
    }

    pub(super) fn index(self) -> usize {
        usize::from(self.code())
    }
}

/// The last minute in thirteen parts of 5 s: counts for 60 to 65 s, so no minute holds more than is
/// admitted here.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Minute {
    parts: [u64; PARTS],
    /// Number of the running part since 1970.
    now: u64,
}

impl Minute {
    /// Lets what is older than a minute go. A clock that jumps back changes nothing.
    fn slide(&mut self, now_ms: u64) {
        let part = now_ms / PART_MS;
        let passed = part.saturating_sub(self.now).min(PARTS as u64);
        for step in 0..passed {
            self.parts[slot(part - step)] = 0;
        }
        self.now = self.now.max(part);
    }

    pub(super) fn used(&mut self, now_ms: u64) -> u64 {
        self.slide(now_ms);
        self.parts.iter().fold(0, |sum, part| sum.saturating_add(*part))
    }

    pub(super) fn add(&mut self, now_ms: u64, amount: u64) {
        self.slide(now_ms);
        let part = &mut self.parts[slot(self.now)];
        *part = part.saturating_add(amount);
    }

    /// Takes back what was added too much, newest first.
    pub(super) fn take_back(&mut self, amount: u64) {
        let mut left = amount;
        for step in 0..PARTS as u64 {
            let part = &mut self.parts[slot(self.now.saturating_sub(step))];
            let taken = left.min(*part);
            *part -= taken;
            left -= taken;
        }
    }

    /// When so much will have slid out that `excess` less is used, at the latest.
    pub(super) fn frees_at_ms(&self, excess: u64) -> u64 {
        let mut left = excess;
        for step in (0..PARTS as u64).rev() {
            let part = self.now.saturating_sub(step);
            left = left.saturating_sub(self.parts[slot(part)]);
            if left == 0 {
                return (part + PARTS as u64) * PART_MS;
            }
        }
        (self.now + PARTS as u64) * PART_MS
    }
}

fn slot(part: u64) -> usize {
    usize::try_from(part % PARTS as u64).unwrap_or(0)
}

/// What a node may use of one limit at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Share {
    /// The share and when it ends, by the monotonic clock; `None` before the first one.
    given: Option<(u64, u64)>,
}

impl Share {
    /// Takes over a share whose report was sent at `sent_ms`.
    pub(super) fn give(&mut self, share: u64, sent_ms: u64) {
        self.given = Some((share, sent_ms + SHARE_MS));
    }

    /// The share while it lasts. Before the first an even part of the limit among the `live` nodes,
    /// rounded up: a first request is not refused for want of an answer. After the last has ended half
    /// an even part among all `members`, at least one: there may be a leader that hands the rest to
    /// others. A cluster of one has it all.
    pub(super) fn now(&self, limit: u64, live: u64, members: u64, mono_ms: u64) -> u64 {
        match self.given {
            _ if members <= 1 => limit,
            Some((share, ends_ms)) if mono_ms < ends_ms => share.min(limit),
            None => limit.div_ceil(live.max(1)),
            Some(_) => (limit / (2 * members)).max(limit.min(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_800_000_000_000;

    #[test]
    fn what_was_used_counts_for_a_minute_and_not_much_longer() {
        let mut minute = Minute::default();
        minute.add(START + 1, 7);
        minute.add(START + 30_000, 3);
        assert_eq!(minute.used(START + 60_000), 10);
        assert_eq!(minute.used(START + 65_000), 3);
        assert_eq!(minute.used(START + 95_000), 0);
        minute.add(START + 95_000, 1);
        assert_eq!(minute.used(START + 900_000), 0);
    }

    #[test]
    fn a_clock_that_jumps_back_frees_nothing() {
        let mut minute = Minute::default();
        minute.add(START, 7);
        assert_eq!(minute.used(START - 500_000), 7);
        minute.add(START - 500_000, 1);
        assert_eq!(minute.used(START + 60_000), 8);
    }

    #[test]
    fn what_was_too_much_is_taken_back_newest_first() {
        let mut minute = Minute::default();
        minute.add(START, 7);
        minute.add(START + 10_000, 3);
        minute.take_back(5);
        assert_eq!(minute.used(START + 10_000), 5);
        assert_eq!(minute.used(START + 65_000), 0);
        minute.take_back(100);
        assert_eq!(minute.used(START + 65_000), 0);
    }

    #[test]
    fn the_time_to_wait_is_when_enough_has_slid_out() {
        let mut minute = Minute::default();
        minute.add(START, 7);
        minute.add(START + 10_000, 3);
        assert_eq!(minute.frees_at_ms(7), START + 65_000);
        assert_eq!(minute.frees_at_ms(8), START + 75_000);
        assert_eq!(minute.used(START + 65_000), 3);
    }

    #[test]
    fn a_share_holds_until_its_end_and_falls_back_by_half() {
        let mut share = Share::default();
        assert_eq!(share.now(100, 2, 3, 0), 50);
        assert_eq!(share.now(100, 3, 3, 0), 34);
        assert_eq!(share.now(1, 3, 3, 0), 1);
        assert_eq!(share.now(0, 3, 3, 0), 0);
        share.give(80, 1_000);
        assert_eq!(share.now(100, 3, 3, 1_000 + SHARE_MS - 1), 80);
        assert_eq!(share.now(50, 3, 3, 1_000), 50);
        assert_eq!(share.now(100, 1, 3, 1_000 + SHARE_MS), 16);
        assert_eq!(share.now(2, 3, 3, 1_000 + SHARE_MS), 1);
        assert_eq!(share.now(100, 1, 1, 1_000 + SHARE_MS), 100);
    }
}
