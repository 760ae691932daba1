//! When a credential is to be renewed.

use std::time::Duration;

/// How long before its end a credential is renewed, where it lives that long.
const AHEAD_MS: u64 = 5 * 60 * 1000;

/// How long before its end a credential is not used any more: what is signed has to arrive.
pub(super) const SPARE_MS: u64 = 10 * 1000;

/// Longest time without looking: clocks jump.
const LOOK_MS: u64 = 30 * 60 * 1000;

/// Wait after the first failure, in milliseconds; each further one doubles it.
const RETRY_MS: u64 = 1000;

/// Longest wait after a failure.
const RETRY_MS_MAX: u64 = 60 * 1000;

/// How long to wait before a credential is renewed; `None`: it never ends. Short-lived ones are renewed
/// when half of their time is over.
pub(super) fn after(now_ms: u64, expires_ms: Option<u64>) -> Option<Duration> {
    let left = expires_ms?.saturating_sub(now_ms);
    let wait = left.saturating_sub(AHEAD_MS).max(left / 2).min(LOOK_MS);
    Some(Duration::from_millis(wait.max(RETRY_MS)))
}

/// How long to wait after so many failures in a row, at least one.
pub(super) fn retry(failures: u32) -> Duration {
    let doubled = RETRY_MS.saturating_mul(1 << failures.saturating_sub(1).min(16));
    Duration::from_millis(doubled.min(RETRY_MS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_renewed_ahead_of_their_end() {
        let minute = 60_000;
        let cases = [
            (None, None),
            (Some(60 * minute), Some(30 * minute)),
            (Some(20 * minute), Some(15 * minute)),
            (Some(6 * minute), Some(3 * minute)),
            (Some(10_000), Some(5000)),
            (Some(0), Some(1000)),
        ];
        for (left, wait) in cases {
            let now = 1_700_000_000_000;
            let expires = left.map(|left| now + left);
            assert_eq!(after(now, expires), wait.map(Duration::from_millis), "{left:?}");
        }
        assert_eq!(after(9, Some(3)), Some(Duration::from_secs(1)));
    }

    #[test]
    fn failures_are_tried_again_after_ever_longer_waits() {
        let waits: Vec<u64> = (1..=8).map(|failures| retry(failures).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
    }
}
