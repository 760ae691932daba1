//! Many seeds, and not one objection.

use jepsen::sim::{Report, run};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Instant;

/// Runs of one sweep where nobody asks for another number; a proof before a release asks for more.
const SEEDS: u64 = 150;

fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Seeds that ever failed, one to a line, each with why.
fn failed_before() -> Vec<u64> {
    let lines = include_str!("../../../seeds/failed.txt").lines();
    let seeds = lines.filter_map(|line| line.split_whitespace().next()?.parse().ok());
    seeds.collect()
}

fn seeds() -> Vec<u64> {
    match (asked("JEPSEN_SEED"), asked("JEPSEN_SEEDS")) {
        (Some(seed), count) => (seed..seed + count.unwrap_or(1)).collect(),
        (None, count) => failed_before().into_iter().chain(1..=count.unwrap_or(SEEDS)).collect(),
    }
}

/// Plays them on as many threads as there are processors.
fn play(seeds: &[u64]) -> Vec<Report> {
    let next = AtomicU64::new(0);
    let reports = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(seed) =
                    usize::try_from(next.fetch_add(1, SeqCst)).ok().and_then(|at| seeds.get(at))
                {
                    let report = run(*seed, None);
                    reports.lock().unwrap().push(report);
                }
            });
        }
    });
    reports.into_inner().unwrap()
}

fn counts(reports: &[Report]) -> BTreeMap<&'static str, u64> {
    let mut all = BTreeMap::new();
    for (what, count) in reports.iter().flat_map(|report| &report.counts) {
        *all.entry(*what).or_default() += count;
    }
    all
}

#[test]
fn no_run_of_any_seed_breaks_a_promise() {
    let seeds = seeds();
    let started = Instant::now();
    let reports = play(&seeds);
    let sum = |of: fn(&Report) -> u64| reports.iter().map(of).sum::<u64>();
    println!(
        "{} runs, {} s simulated, {} events, {} entries acknowledged, in {:.1?}",
        reports.len(),
        sum(|report| report.took_ms) / 1_000,
        sum(|report| report.events),
        sum(|report| report.acked),
        started.elapsed(),
    );
    println!("{:?}", counts(&reports));
    let mut failed: Vec<&Report> =
        reports.iter().filter(|report| report.failure.is_some()).collect();
    failed.sort_by_key(|report| report.seed);
    for report in &failed {
        println!("seed {}: {:?}", report.seed, report.failure);
    }
    if let Some(first) = failed.first() {
        panic!("{}{} of {} runs failed", first.last, failed.len(), reports.len());
    }
}
