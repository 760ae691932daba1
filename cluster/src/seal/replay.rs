//! What was seen within the window, so that it is not taken twice.

use super::WINDOW_MS;
use std::collections::HashSet;
use std::sync::Mutex;

/// Nonces kept per generation: 2 x 32 MB at most. Past it a generation ends early.
const SEEN_MAX: usize = 1_000_000;

/// Remembers the nonces of opened messages for at least as long as they would open again.
///
/// Two generations, each as long as a message can be open (from one window ahead to one behind).
/// Past a million messages in a generation the oldest are forgotten earlier: meant for traffic that
/// is seldom or small.
#[derive(Debug, Default)]
pub struct ReplayGuard {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    young: HashSet<[u8; 24]>,
    old: HashSet<[u8; 24]>,
    young_since_ms: u64,
}

impl ReplayGuard {
    /// Whether this nonce is new; it is not from now on.
    pub fn admit(&self, nonce: [u8; 24], now_ms: u64) -> bool {
        let mut seen = self.seen.lock().expect("no thread panics while it holds this");
        let generation_over = now_ms.saturating_sub(seen.young_since_ms) > 2 * WINDOW_MS;
        if generation_over || seen.young.len() >= SEEN_MAX {
            seen.old = std::mem::take(&mut seen.young);
            seen.young_since_ms = now_ms;
        }
        !seen.old.contains(&nonce) && seen.young.insert(nonce)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_remembered_for_two_windows_and_then_forgotten() {
        let guard = ReplayGuard::default();
        let start = 10 * WINDOW_MS;
        assert!(guard.admit([1; 24], start));
        assert!(!guard.admit([1; 24], start + 2 * WINDOW_MS));
        assert!(guard.admit([2; 24], start + 2 * WINDOW_MS + 1));
        assert!(!guard.admit([1; 24], start + 2 * WINDOW_MS + 2));
        assert!(guard.admit([3; 24], start + 5 * WINDOW_MS));
        assert!(guard.admit([1; 24], start + 5 * WINDOW_MS));
    }
}
