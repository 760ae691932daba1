//! Doors of providers, one per credential: which are open, and which are passed over for a while because
//! what was sent through them failed.
//!
//! What this node believes, shared by its threads; nothing of it is agreed on or kept. A door that is shut
//! is knocked at all the same where no other is left: it never makes a request fail that might succeed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Failures in a row that shut a door; fewer are an accident.
const FAILURES_MIN: u32 = 3;
/// First time a door is shut, in milliseconds; it doubles until something is answered.
const SHUT_MIN_MS: u64 = 1_000;
/// Longest time a door is shut, in milliseconds, whatever the provider asks for.
const SHUT_MAX_MS: u64 = 60_000;

/// What a failure says of the door it came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It works: the request was wrong in itself.
    None,
    /// Nothing: the caller ran out of patience, or the request never went out.
    Unknown,
    /// The provider failed.
    Failed,
    /// The provider asked to be left alone; for so many milliseconds, where it said.
    Busy(Option<u64>),
}

/// One door.
#[derive(Debug, Default)]
pub(crate) struct Door {
    /// Failures since the last answer.
    failures: AtomicU32,
    /// Times it was shut since the last answer.
    shut: AtomicU32,
    /// Until when it is passed over, in milliseconds of the doors' clock; zero: it was never shut.
    until_ms: AtomicU64,
    /// Times it was shut, ever.
    shut_ever: AtomicU64,
}

impl Door {
    /// Something was answered.
    fn answered(&self) {
        // Mostly nothing is to be written, and the line stays every thread's.
        if self.failures.load(Relaxed) != 0 {
            self.failures.store(0, Relaxed);
            self.shut.store(0, Relaxed);
        }
    }

    /// Something failed at `now_ms`. Several at once shut the door once.
    fn failed(&self, trouble: Trouble, now_ms: u64) {
        let (least_ms, at_once) = match trouble {
            Trouble::None => return self.answered(),
            Trouble::Unknown => return,
            Trouble::Failed => (0, false),
            Trouble::Busy(asked_ms) => (asked_ms.unwrap_or(0), true),
        };
        let failures = self.failures.fetch_add(1, Relaxed).saturating_add(1);
        if self.is_shut(now_ms) {
            // One that was on the way may have been told to stay away for longer.
            self.until_ms.fetch_max(now_ms + least_ms.min(SHUT_MAX_MS), Relaxed);
            return;
        }
        if failures < FAILURES_MIN && !at_once {
            return;
        }
        let times = self.shut.fetch_add(1, Relaxed);
        let grown_ms = SHUT_MIN_MS << times.min(16);
        let for_ms = grown_ms.max(least_ms).min(SHUT_MAX_MS);
        self.until_ms.store(now_ms + for_ms, Relaxed);
        self.shut_ever.fetch_add(1, Relaxed);
    }

    fn is_shut(&self, now_ms: u64) -> bool {
        now_ms < self.until_ms.load(Relaxed)
    }
}

/// The door of one credential of a provider, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DoorStanding {
    pub(crate) provider: String,
    pub(crate) credential: String,
    /// Failures since the last answer.
    pub(crate) failures: u32,
    /// For how long it is passed over from now on, in milliseconds; zero: it is open.
    pub(crate) shut_for_ms: u64,
    /// Times it was shut since the provider was set as it is.
    pub(crate) shut_ever: u64,
}

/// The doors of one provider, by the place of the credential.
#[derive(Debug)]
pub(crate) struct ProviderDoors {
    clock: Arc<Clock>,
    credentials: Vec<String>,
    doors: Vec<Door>,
    /// The provider as it was when these doors were made.
    changed_index: u64,
}

impl ProviderDoors {
    /// Whether a credential is to be passed over where there is anything else.
    pub(crate) fn is_shut(&self, credential: usize) -> bool {
        let Some(door) = self.doors.get(credential) else { return false };
        // A door that was never shut costs no reading of the clock.
        door.until_ms.load(Relaxed) != 0 && door.is_shut(self.clock.now_ms())
    }

    /// Something was answered.
    pub(crate) fn answered(&self, credential: usize) {
        if let Some(door) = self.doors.get(credential) {
            door.answered();
        }
    }

    /// Something failed.
    pub(crate) fn failed(&self, credential: usize, trouble: Trouble) {
        if let Some(door) = self.doors.get(credential) {
            door.failed(trouble, self.clock.now_ms());
        }
    }
}

/// Milliseconds since the node started.
#[derive(Debug)]
struct Clock(Instant);

impl Clock {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// All doors of a node.
#[derive(Debug)]
pub struct Doors {
    clock: Arc<Clock>,
    providers: Mutex<BTreeMap<String, Arc<ProviderDoors>>>,
}

impl Default for Doors {
    fn default() -> Self {
        Self { clock: Arc::new(Clock(Instant::now())), providers: Mutex::default() }
    }
}

impl Doors {
    /// The doors of a provider. One that was set anew begins with all doors open.
    pub(crate) fn of(&self, provider: &ledger::Provider) -> Arc<ProviderDoors> {
        let mut providers = self.lock();
        if let Some(known) = providers.get(&provider.name)
            && known.changed_index == provider.changed_index
        {
            return Arc::clone(known);
        }
        let credentials = provider.credentials.iter().map(|credential| credential.name.clone());
        let doors = Arc::new(ProviderDoors {
            clock: Arc::clone(&self.clock),
            doors: provider.credentials.iter().map(|_| Door::default()).collect(),
            credentials: credentials.collect(),
            changed_index: provider.changed_index,
        });
        providers.insert(provider.name.clone(), Arc::clone(&doors));
        doors
    }

    /// How all doors stand that something was sent through; those of providers that are gone too, until
    /// they are forgotten by [`Doors::keep`].
    pub(crate) fn standing(&self) -> Vec<DoorStanding> {
        let now_ms = self.clock.now_ms();
        let mut all = Vec::new();
        for (provider, of_it) in &*self.lock() {
            for (credential, door) in of_it.credentials.iter().zip(&of_it.doors) {
                all.push(DoorStanding {
                    provider: provider.clone(),
                    credential: credential.clone(),
                    failures: door.failures.load(Relaxed),
                    shut_for_ms: door.until_ms.load(Relaxed).saturating_sub(now_ms),
                    shut_ever: door.shut_ever.load(Relaxed),
                });
            }
        }
        all
    }

    /// Forgets the doors of providers that are not there any more.
    pub(crate) fn keep(&self, is_there: impl Fn(&str) -> bool) {
        self.lock().retain(|provider, _| is_there(provider));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<ProviderDoors>>> {
        // The map holds no invariant that a panic elsewhere could have broken.
        self.providers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider() -> ledger::Provider {
        let credential = ledger::Credential { name: "main".to_owned(), weight: 1, secret: None };
        ledger::Provider {
            name: "up".to_owned(),
            kind: "openai-compatible".to_owned(),
            base_url: "http://127.0.0.1:1/v1".to_owned(),
            credentials: vec![credential],
            overrides: ledger::Overrides::default(),
            models: Vec::new(),
            unpriced: ledger::Unpriced::Deny,
            stream_usage: ledger::StreamUsage::Ask,
            timeout_ms: 1_000,
            attempts_max: 1,
            allow_private_network: false,
            enabled: true,
            managed_by: "api:test".to_owned(),
            changed_index: 1,
        }
    }

    #[test]
    fn a_door_is_shut_after_failures_in_a_row_and_for_longer_each_time() {
        let door = Door::default();
        let mut now_ms = 10;
        door.failed(Trouble::Failed, now_ms);
        door.failed(Trouble::Failed, now_ms);
        door.answered();
        door.failed(Trouble::Failed, now_ms);
        door.failed(Trouble::Failed, now_ms);
        assert!(!door.is_shut(now_ms));
        for shut_ms in [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000] {
            // Those that were on the way when it was shut do not shut it again.
            (0..5).for_each(|_| door.failed(Trouble::Failed, now_ms));
            assert!(door.is_shut(now_ms + shut_ms - 1) && !door.is_shut(now_ms + shut_ms));
            now_ms += shut_ms;
        }
        assert_eq!(door.shut_ever.load(Relaxed), 8);
        door.answered();
        door.failed(Trouble::Failed, now_ms);
        assert!(!door.is_shut(now_ms));
    }

    #[test]
    fn who_asks_for_rest_gets_it_at_once_and_within_reason() {
        for (asked_ms, shut_ms) in
            [(None, 1_000), (Some(200), 1_000), (Some(7_000), 7_000), (Some(u64::MAX), 60_000)]
        {
            let door = Door::default();
            door.failed(Trouble::Busy(asked_ms), 5);
            assert!(door.is_shut(5 + shut_ms - 1) && !door.is_shut(5 + shut_ms), "{asked_ms:?}");
            door.failed(Trouble::Busy(Some(9_000)), 5);
            assert!(door.is_shut(5 + 8_999));
        }
    }

    #[test]
    fn a_request_that_was_wrong_in_itself_says_that_the_door_works() {
        let door = Door::default();
        door.failed(Trouble::Failed, 0);
        door.failed(Trouble::Failed, 0);
        door.failed(Trouble::None, 0);
        door.failed(Trouble::Failed, 0);
        assert!(!door.is_shut(0));
    }

    #[test]
    fn doors_are_one_for_all_threads_until_their_provider_is_set_anew() {
        let doors = Doors::default();
        let mut provider = provider();
        let (one, two) = (doors.of(&provider), doors.of(&provider));
        one.failed(0, Trouble::Busy(None));
        assert!(two.is_shut(0) && !two.is_shut(1));
        assert_eq!(doors.standing()[0].shut_ever, 1);
        provider.changed_index += 1;
        assert!(!doors.of(&provider).is_shut(0));
        doors.keep(|_| false);
        assert_eq!(doors.standing(), []);
    }
}
