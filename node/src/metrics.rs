//! Every metric, once: name, unit, labels, help.
//!
//! Data-plane threads count in slots of their own; a scrape adds them up and hands the differences to
//! the exporter. What the cluster knows of itself is read at the scrape.

mod cluster;
pub(crate) mod slots;

use crate::request::doors::Doors;
use metrics::{Key, KeyName, Label, Level, Metadata, Recorder, Unit};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use metrics_util::MetricKindMask;
use slots::{BOUNDS_US, Ending, RouteSlot, ThreadSlots};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// One metric: name, kind, unit, help.
struct Metric(&'static str, Kind, Option<Unit>, &'static str);

/// Requests that were sent to a provider. Labels: operation, provider, model, ending.
const REQUESTS: &str = "bursar_requests_total";
const REFUSALS: &str = "bursar_refusals_total";
const ATTEMPTS_FAILED: &str = "bursar_attempts_failed_total";
const TOKENS: &str = "bursar_tokens_total";
const SPENT: &str = "bursar_spent_nano_usd_total";
const DEBT: &str = "bursar_debt_nano_usd_total";
const DURATION: &str = "bursar_request_duration_seconds";
const FIRST_BYTE: &str = "bursar_first_byte_duration_seconds";
const REQUESTS_IN_FLIGHT: &str = "bursar_requests_in_flight";
const STREAMS_IN_FLIGHT: &str = "bursar_streams_in_flight";
const CONNECTIONS: &str = "bursar_caller_connections";
const LOG_DROPPED: &str = "bursar_log_records_dropped_total";
const RECEIPTS_DROPPED: &str = "bursar_receipts_dropped_total";
const PASSED_OVER: &str = "bursar_provider_passed_over";
const PASSED_OVER_TIMES: &str = "bursar_provider_passed_over_total";
const BUILD: &str = "bursar_build_info";

/// All metrics but those of the cluster, in the order of the listing.
#[rustfmt::skip]
const ALL: &[Metric] = &[
    Metric(REQUESTS, Kind::Counter, None, "Requests that were sent to a provider, by how they ended."),
    Metric(REFUSALS, Kind::Counter, None, "Requests refused by the gateway, by the code callers see."),
    Metric(ATTEMPTS_FAILED, Kind::Counter, None, "Attempts at a provider that failed and were followed by another or by an error."),
    Metric(TOKENS, Kind::Counter, None, "Tokens settled, by kind; cached ones are part of input, reasoning ones of output."),
    Metric(SPENT, Kind::Counter, None, "Money settled, in billionths of a US dollar."),
    Metric(DEBT, Kind::Counter, None, "Money billed beyond what was held, in billionths of a US dollar."),
    Metric(DURATION, Kind::Histogram, Some(Unit::Seconds), "From the request's body to the end of its answer."),
    Metric(FIRST_BYTE, Kind::Histogram, Some(Unit::Seconds), "From the request's body to the head of the provider's answer."),
    Metric(REQUESTS_IN_FLIGHT, Kind::Gauge, None, "Requests that are being answered."),
    Metric(STREAMS_IN_FLIGHT, Kind::Gauge, None, "Streams that are being relayed."),
    Metric(CONNECTIONS, Kind::Gauge, None, "Open connections of callers."),
    Metric(LOG_DROPPED, Kind::Counter, None, "Log records dropped because a ring was full."),
    Metric(RECEIPTS_DROPPED, Kind::Counter, None, "Receipts lost because the disk was too slow or refused them."),
    Metric(PASSED_OVER, Kind::Gauge, None, "1 while a provider's credential is passed over because what was sent with it failed, else 0."),
    Metric(PASSED_OVER_TIMES, Kind::Counter, None, "Times a provider's credential began to be passed over."),
    Metric(BUILD, Kind::Gauge, None, "Always 1; the version is a label."),
];

/// Longest a gauge is shown that no scrape sets any more: a budget that is gone, a node's last version.
const GAUGE_LIFE: Duration = Duration::from_secs(300);

const METADATA: Metadata<'static> = Metadata::new("bursar", Level::INFO, None);

/// The metrics of one node.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    threads: Mutex<Vec<Arc<ThreadSlots>>>,
    /// Bucket counts and sums already handed to the exporter, by histogram.
    handed: Mutex<HashMap<Key, Vec<(u64, u64)>>>,
    /// Whether each subject of a budget has figures of its own.
    tenant_labels: AtomicBool,
    /// Which providers are passed over.
    doors: OnceLock<Arc<Doors>>,
}

impl Metrics {
    /// Metrics with nothing counted yet.
    #[must_use]
    pub fn new() -> Arc<Self> {
        // Microseconds to seconds: metrics are the one place where floats are at home.
        let bounds: Vec<f64> = BOUNDS_US.iter().map(|us| *us as f64 / 1e6).collect();
        let recorder = PrometheusBuilder::new()
            .idle_timeout(MetricKindMask::GAUGE, Some(GAUGE_LIFE))
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &bounds)
            .expect("the list of bounds is not empty")
            .build_recorder();
        let handle = recorder.handle();
        let metrics = Self {
            recorder,
            handle,
            threads: Mutex::default(),
            handed: Mutex::default(),
            tenant_labels: AtomicBool::new(false),
            doors: OnceLock::new(),
        };
        metrics.describe(ALL);
        metrics.describe(cluster::ALL);
        Arc::new(metrics)
    }

    /// Slots for a new data-plane thread.
    pub(crate) fn thread(&self) -> Arc<ThreadSlots> {
        let slots = Arc::new(ThreadSlots::default());
        self.threads().push(Arc::clone(&slots));
        slots
    }

    /// Gives each subject of a budget figures of its own from here on, or sums them up.
    pub fn show_tenants(&self, each: bool) {
        self.tenant_labels.store(each, Ordering::Relaxed);
    }

    /// Shows from here on which providers are passed over.
    pub(crate) fn show_doors(&self, doors: &Arc<Doors>) {
        // The first ones stay: there is one data plane.
        let _ = self.doors.set(Arc::clone(doors));
    }

    fn collect_doors(&self) {
        for door in self.doors.get().into_iter().flat_map(|doors| doors.standing()) {
            let with = || labels(&[("provider", &door.provider), ("credential", &door.credential)]);
            self.gauge(PASSED_OVER, with(), f64::from(u8::from(door.shut_for_ms > 0)));
            self.counter(PASSED_OVER_TIMES, with(), door.shut_ever);
        }
    }

    /// The text of `/metrics`.
    #[must_use]
    pub fn render(&self, cluster: &::cluster::Cluster) -> String {
        self.collect();
        self.collect_doors();
        cluster::collect(self, cluster, self.tenant_labels.load(Ordering::Relaxed));
        self.handle.render()
    }

    /// Adds up the threads' slots. Cheap; called now and then, so that no scrape finds much to do.
    pub fn collect(&self) {
        let threads = self.threads().clone();
        self.collect_routes(&threads);
        self.collect_refusals(&threads);
        let sum = |of: fn(&ThreadSlots) -> u64| threads.iter().map(|slots| of(slots)).sum::<u64>();
        let open = |begun: u64, over: u64| begun.saturating_sub(over) as f64;
        let none = Vec::new;
        let requests = open(sum(|s| s.requests_begun.get()), sum(|s| s.requests_over.get()));
        let streams = open(sum(|s| s.streams_begun.get()), sum(|s| s.streams_over.get()));
        let connections =
            open(sum(|s| s.connections_begun.get()), sum(|s| s.connections_over.get()));
        self.gauge(REQUESTS_IN_FLIGHT, none(), requests);
        self.gauge(STREAMS_IN_FLIGHT, none(), streams);
        self.gauge(CONNECTIONS, none(), connections);
        self.gauge(BUILD, labels(&[("version", env!("CARGO_PKG_VERSION"))]), 1.0);
        self.counter(LOG_DROPPED, none(), sum(|s| s.log_records_dropped.get()));
        self.handle.run_upkeep();
    }

    /// Says how many receipts were lost since the start.
    pub(crate) fn tell_receipts_dropped(&self, total: u64) {
        self.counter(RECEIPTS_DROPPED, Vec::new(), total);
    }

    fn collect_routes(&self, threads: &[Arc<ThreadSlots>]) {
        let mut routes: HashMap<Key, (Arc<RouteSlot>, RouteSums)> = HashMap::new();
        for slot in threads.iter().flat_map(|slots| slots.routes()) {
            let key = Key::from_parts("", route_labels(&slot));
            let (_, sums) =
                routes.entry(key).or_insert_with(|| (Arc::clone(&slot), RouteSums::default()));
            sums.add(&slot);
        }
        for (slot, sums) in routes.values() {
            self.tell_route(slot, sums);
        }
    }

    fn tell_route(&self, slot: &RouteSlot, sums: &RouteSums) {
        for (ending, name) in Ending::ALL {
            let mut with = route_labels(slot);
            with.push(Label::from_static_parts("ending", name));
            self.counter(REQUESTS, with, sums.endings[ending as usize]);
        }
        for (kind, count) in [
            ("input", sums.input),
            ("cache_read", sums.cache_read),
            ("cache_write", sums.cache_write),
            ("output", sums.output),
            ("reasoning", sums.reasoning),
        ] {
            let mut with = route_labels(slot);
            with.push(Label::from_static_parts("kind", kind));
            self.counter(TOKENS, with, count);
        }
        self.counter(ATTEMPTS_FAILED, route_labels(slot), sums.attempts_failed);
        self.counter(SPENT, route_labels(slot), sums.spent);
        self.counter(DEBT, route_labels(slot), sums.debt);
        self.durations(DURATION, route_labels(slot), &sums.duration);
        self.durations(FIRST_BYTE, route_labels(slot), &sums.first_byte);
    }

    fn collect_refusals(&self, threads: &[Arc<ThreadSlots>]) {
        let mut sums: HashMap<&'static str, u64> = HashMap::new();
        for (code, count) in threads.iter().flat_map(|slots| slots.refusals()) {
            *sums.entry(code).or_default() += count;
        }
        for (code, count) in sums {
            self.counter(REFUSALS, vec![Label::from_static_parts("code", code)], count);
        }
    }

    fn threads(&self) -> std::sync::MutexGuard<'_, Vec<Arc<ThreadSlots>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn describe(&self, all: &[Metric]) {
        for Metric(name, kind, unit, help) in all {
            let name = KeyName::from_const_str(name);
            match kind {
                Kind::Counter => self.recorder.describe_counter(name, *unit, (*help).into()),
                Kind::Gauge => self.recorder.describe_gauge(name, *unit, (*help).into()),
                Kind::Histogram => self.recorder.describe_histogram(name, *unit, (*help).into()),
            }
        }
    }

    fn counter(&self, name: &'static str, labels: Vec<Label>, total: u64) {
        let key = Key::from_parts(name, labels);
        self.recorder.register_counter(&key, &METADATA).absolute(total);
    }

    fn gauge(&self, name: &'static str, labels: Vec<Label>, value: f64) {
        let key = Key::from_parts(name, labels);
        self.recorder.register_gauge(&key, &METADATA).set(value);
    }

    /// Hands on what is new: for each bucket its mean, as often as it was hit. The mean of a bucket
    /// lies in the bucket, so counts and sum come out exact.
    fn durations(&self, name: &'static str, labels: Vec<Label>, sums: &[(u64, u64)]) {
        let key = Key::from_parts(name, labels);
        let histogram = self.recorder.register_histogram(&key, &METADATA);
        let mut handed = self.handed.lock().unwrap_or_else(PoisonError::into_inner);
        let before = handed.entry(key).or_insert_with(|| vec![(0, 0); sums.len()]);
        for ((count, sum), (had_count, had_sum)) in sums.iter().zip(before.iter_mut()) {
            let new = count.saturating_sub(*had_count);
            if new == 0 {
                continue;
            }
            let mean_s = sum.saturating_sub(*had_sum) as f64 / new as f64 / 1e6;
            histogram.record_many(mean_s, usize::try_from(new).unwrap_or(usize::MAX));
            (*had_count, *had_sum) = (*count, *sum);
        }
    }
}

/// One route's counters, summed over threads.
#[derive(Default)]
struct RouteSums {
    endings: [u64; Ending::ALL.len()],
    attempts_failed: u64,
    input: u64,
    cache_read: u64,
    cache_write: u64,
    output: u64,
    reasoning: u64,
    spent: u64,
    debt: u64,
    duration: [(u64, u64); BOUNDS_US.len() + 1],
    first_byte: [(u64, u64); BOUNDS_US.len() + 1],
}

impl RouteSums {
    fn add(&mut self, slot: &RouteSlot) {
        for (sum, count) in self.endings.iter_mut().zip(&slot.endings) {
            *sum += count.get();
        }
        self.attempts_failed += slot.attempts_failed.get();
        self.input += slot.input_tokens.get();
        self.cache_read += slot.cache_read_tokens.get();
        self.cache_write += slot.cache_write_tokens.get();
        self.output += slot.output_tokens.get();
        self.reasoning += slot.reasoning_tokens.get();
        self.spent += slot.spent_nano_usd.get();
        self.debt += slot.debt_nano_usd.get();
        add_buckets(&mut self.duration, &slot.duration.get());
        add_buckets(&mut self.first_byte, &slot.first_byte.get());
    }
}

fn add_buckets(sums: &mut [(u64, u64)], more: &[(u64, u64)]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        sum.0 += more.0;
        sum.1 += more.1;
    }
}

fn route_labels(slot: &RouteSlot) -> Vec<Label> {
    labels(&[
        ("operation", slot.operation.name()),
        ("provider", &slot.provider),
        ("model", &slot.model),
    ])
}

fn labels(pairs: &[(&'static str, &str)]) -> Vec<Label> {
    pairs.iter().map(|(name, value)| Label::new(*name, (*value).to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::Operation;

    #[test]
    fn threads_are_added_up_and_a_second_scrape_adds_nothing() {
        let metrics = Metrics::new();
        let (provider, model) = (Arc::from("sim"), Arc::from("m\"odd"));
        for us in [2_000, 4_000] {
            let slot = metrics.thread().route(Operation::ChatCompletions, &provider, &model);
            slot.endings[Ending::Answered as usize].add(1);
            slot.duration.add(us);
            slot.spent_nano_usd.add(7);
        }
        metrics.collect();
        metrics.collect();
        let text = metrics.handle.render();
        let with = r#"operation="chat_completions",provider="sim",model="m\"odd""#;
        for line in [
            format!("bursar_requests_total{{{with},ending=\"answered\"}} 2"),
            format!("bursar_spent_nano_usd_total{{{with}}} 14"),
            format!("bursar_request_duration_seconds_bucket{{{with},le=\"0.0025\"}} 1"),
            format!("bursar_request_duration_seconds_bucket{{{with},le=\"0.005\"}} 2"),
            format!("bursar_request_duration_seconds_count{{{with}}} 2"),
        ] {
            assert!(text.contains(&line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn every_metric_is_named_once_with_its_unit_last() {
        let mut seen = std::collections::BTreeSet::new();
        for Metric(name, kind, unit, help) in ALL.iter().chain(cluster::ALL) {
            assert!(seen.insert(*name), "{name} twice");
            assert!(help.ends_with('.'), "{name}");
            assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
            assert_eq!(name.ends_with("_seconds"), *unit == Some(Unit::Seconds), "{name}");
        }
    }
}
