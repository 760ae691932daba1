//! Counters of one thread: written by it alone, read by whoever scrapes.
//!
//! A slot is resolved once, when a route is first seen; from then on counting is a plain addition on
//! memory no other thread writes.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use wire::{Operation, Usage};

/// Upper bounds of the buckets of durations, in microseconds; what is longer falls into one more.
pub(crate) const BOUNDS_US: [u64; 16] = [
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    30_000_000,
    120_000_000,
    600_000_000,
];

/// Most routes of a thread that are told apart by model: a provider without a list takes any name, and
/// each makes some forty series.
const ROUTES_MAX: usize = 1_000;
/// The model under which all further ones are counted.
const OTHER: &str = "other";

/// A counter with one writer.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, more: u64) {
        // One writer: no read-modify-write is needed.
        self.0.store(self.0.load(Relaxed).wrapping_add(more), Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Durations, by bucket: how many, and their sum in microseconds.
#[derive(Debug, Default)]
pub(crate) struct Durations([(Count, Count); BOUNDS_US.len() + 1]);

impl Durations {
    pub(crate) fn add(&self, us: u64) {
        let bucket = BOUNDS_US.partition_point(|bound| *bound < us);
        let (count, sum) = &self.0[bucket];
        sum.add(us);
        count.add(1);
    }

    /// (count, sum in microseconds) of each bucket.
    pub(crate) fn get(&self) -> [(u64, u64); BOUNDS_US.len() + 1] {
        std::array::from_fn(|at| (self.0[at].0.get(), self.0[at].1.get()))
    }
}

/// How a request that was sent to a provider ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Answered to the end.
    Answered,
    /// The provider refused it, and the caller heard so.
    ProviderRefused,
    /// The provider failed, before or within its answer.
    ProviderFailed,
    /// The caller left before the end.
    CallerGone,
}

impl Ending {
    pub(crate) const ALL: [(Self, &'static str); 4] = [
        (Self::Answered, "answered"),
        (Self::ProviderRefused, "provider_refused"),
        (Self::ProviderFailed, "provider_failed"),
        (Self::CallerGone, "caller_gone"),
    ];

    /// The name used in logs and metric labels.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// What is counted for one (operation, provider, model).
#[derive(Debug)]
pub(crate) struct RouteSlot {
    pub(crate) operation: Operation,
    pub(crate) provider: Arc<str>,
    pub(crate) model: Arc<str>,
    pub(crate) endings: [Count; Ending::ALL.len()],
    pub(crate) attempts_failed: Count,
    pub(crate) input_tokens: Count,
    pub(crate) cache_read_tokens: Count,
    pub(crate) cache_write_tokens: Count,
    pub(crate) output_tokens: Count,
    pub(crate) reasoning_tokens: Count,
    pub(crate) spent_nano_usd: Count,
    pub(crate) debt_nano_usd: Count,
    pub(crate) duration: Durations,
    pub(crate) first_byte: Durations,
}

impl RouteSlot {
    pub(crate) fn count_usage(&self, usage: &Usage) {
        self.input_tokens.add(usage.input_tokens);
        self.cache_read_tokens.add(usage.cache_read_tokens);
        self.cache_write_tokens.add(usage.cache_write_tokens);
        self.output_tokens.add(usage.output_tokens);
        self.reasoning_tokens.add(usage.reasoning_tokens);
    }
}

/// All counters of one thread.
#[derive(Debug, Default)]
pub(crate) struct ThreadSlots {
    routes: Mutex<Vec<Arc<RouteSlot>>>,
    refusals: Mutex<Vec<(&'static str, Arc<Count>)>>,
    /// Requests that were begun and are not over.
    pub(crate) requests_begun: Count,
    pub(crate) requests_over: Count,
    pub(crate) streams_begun: Count,
    pub(crate) streams_over: Count,
    pub(crate) connections_begun: Count,
    pub(crate) connections_over: Count,
    pub(crate) log_records_dropped: Count,
}

impl ThreadSlots {
    /// The slot of a route; takes a lock, so it is asked once per route and configuration.
    pub(crate) fn route(
        &self,
        operation: Operation,
        provider: &Arc<str>,
        model: &Arc<str>,
    ) -> Arc<RouteSlot> {
        let mut routes = lock(&self.routes);
        let find = |model: &str| {
            let same = |slot: &&Arc<RouteSlot>| {
                slot.operation == operation && slot.provider == *provider && *slot.model == *model
            };
            routes.iter().find(same).cloned()
        };
        let (known, model) = match find(model) {
            None if routes.len() >= ROUTES_MAX => (find(OTHER), Arc::from(OTHER)),
            known => (known, Arc::clone(model)),
        };
        if let Some(slot) = known {
            return slot;
        }
        let slot = Arc::new(RouteSlot {
            operation,
            provider: Arc::clone(provider),
            model,
            endings: Default::default(),
            attempts_failed: Count::default(),
            input_tokens: Count::default(),
            cache_read_tokens: Count::default(),
            cache_write_tokens: Count::default(),
            output_tokens: Count::default(),
            reasoning_tokens: Count::default(),
            spent_nano_usd: Count::default(),
            debt_nano_usd: Count::default(),
            duration: Durations::default(),
            first_byte: Durations::default(),
        });
        routes.push(Arc::clone(&slot));
        slot
    }

    /// Counts a refusal by its code.
    pub(crate) fn count_refusal(&self, code: &'static str) {
        let mut refusals = lock(&self.refusals);
        match refusals.iter().find(|(known, _)| *known == code) {
            Some((_, count)) => count.add(1),
            None => {
                let count = Arc::new(Count::default());
                count.add(1);
                refusals.push((code, count));
            }
        }
    }

    pub(crate) fn routes(&self) -> Vec<Arc<RouteSlot>> {
        lock(&self.routes).clone()
    }

    pub(crate) fn refusals(&self) -> Vec<(&'static str, u64)> {
        let refusals = lock(&self.refusals);
        refusals.iter().map(|(code, count)| (*code, count.get())).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Counters hold no invariant that a panic elsewhere could have broken.
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_falls_into_the_first_bucket_that_holds_it() {
        let durations = Durations::default();
        for us in [0, 1_000, 1_001, 700_000_000] {
            durations.add(us);
        }
        let got = durations.get();
        assert_eq!(got[0], (2, 1_000));
        assert_eq!(got[1], (1, 1_001));
        assert_eq!(got[BOUNDS_US.len()], (1, 700_000_000));
    }

    #[test]
    fn one_route_has_one_slot() {
        let slots = ThreadSlots::default();
        let (sim, model) = (Arc::from("sim"), Arc::from("m"));
        let one = slots.route(Operation::Embeddings, &sim, &model);
        let two = slots.route(Operation::Embeddings, &sim, &model);
        let other = slots.route(Operation::Completions, &sim, &model);
        assert!(Arc::ptr_eq(&one, &two));
        assert!(!Arc::ptr_eq(&one, &other));
    }

    #[test]
    fn models_without_end_share_one_slot() {
        let slots = ThreadSlots::default();
        let sim = Arc::from("sim");
        let route = |number: usize| {
            slots.route(Operation::Embeddings, &sim, &Arc::from(number.to_string()))
        };
        let first = route(0);
        (1..ROUTES_MAX).for_each(|number| drop(route(number)));
        let (beyond, further) = (route(ROUTES_MAX), route(ROUTES_MAX + 1));
        assert_eq!(&*beyond.model, OTHER);
        assert!(Arc::ptr_eq(&beyond, &further));
        assert!(Arc::ptr_eq(&first, &route(0)));
        assert_eq!(slots.routes().len(), ROUTES_MAX + 1);
    }
}
