//! Every recorded answer of the OpenAI dialect, replayed as the upstream of a real node: the caller gets
//! what the record says, and is charged for what it counts.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod across;
mod asked;
mod expected;
mod kept;
mod media;
#[path = "../../../api/wire/tests/it/traffic.rs"]
#[expect(dead_code, reason = "the tests of the wire crate use the rest of it")]
mod traffic;
mod upstream;

use crate::plane::node::TestNode;
use ledger::{Class, Model, Price, Rate, Service, Unpriced};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use traffic::Record;
use upstream::{Cuts, Upstream};

/// Prices that tell the classes of tokens apart in the sum.
const PRICE: Price = Price {
    input_nano_usd_per_mtok: 1_000_000,
    output_nano_usd_per_mtok: 1_000_000_000,
    cache_read_nano_usd_per_mtok: Some(3_000_000),
    cache_write_nano_usd_per_mtok: Some(7_000_000),
    request_nano_usd: 0,
    rates: Vec::new(),
};

/// The same at the one class of service that callers ask for by name and that nobody serves without a price.
fn price() -> Price {
    let at_priority = |(class, nano_usd_per_million)| Rate {
        class,
        service: Service::Priority,
        nano_usd_per_million,
        ..Rate::default()
    };
    let rates = [
        (Class::Input, PRICE.input_nano_usd_per_mtok),
        (Class::Output, PRICE.output_nano_usd_per_mtok),
        (Class::CacheRead, PRICE.cache_read_nano_usd_per_mtok.unwrap()),
        (Class::CacheWrite, PRICE.cache_write_nano_usd_per_mtok.unwrap()),
    ];
    Price { rates: rates.map(at_priority).to_vec(), ..PRICE }
}

const WORKERS: usize = 8;
/// Every so many streams, one is cut at each of its bytes.
const EVERY_BYTE_OF_ONE_IN: usize = 10;

#[derive(Default)]
struct Count {
    answers: AtomicUsize,
    streams: AtomicUsize,
    refusals: AtomicUsize,
    usages: AtomicUsize,
    tokens: AtomicUsize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_recorded_answer_reaches_the_caller_as_recorded() {
    let mut records = Vec::new();
    traffic::each(|record| records.push(record));
    let records: Arc<[Record]> = records.into();
    let upstream = Arc::new(Upstream::start(Arc::clone(&records)).await);
    let node = Arc::new(TestNode::start().await);
    node.provider_with("replay", &upstream.base_url(), |provider| {
        provider.models = Vec::<Model>::new();
        provider.unpriced = Unpriced::Flat(price());
    })
    .await;

    let count = Arc::new(Count::default());
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..WORKERS {
        let keys = asked::keys(&node, worker).await;
        let (node, upstream) = (Arc::clone(&node), Arc::clone(&upstream));
        let (records, count) = (Arc::clone(&records), Arc::clone(&count));
        workers.spawn(async move {
            let caller = asked::Caller::new(&node, keys);
            let mut differences = Vec::new();
            for (at, record) in records.iter().enumerate().skip(worker).step_by(WORKERS) {
                let cuts = cuts(record, at);
                let found = replay(&caller, &upstream, record, cuts, &count).await;
                if let Err(difference) = found {
                    differences.push(format!("{}, {cuts:?}: {difference}", record.id));
                }
            }
            differences
        });
    }
    let mut differences = Vec::new();
    while let Some(worker) = workers.join_next().await {
        differences.extend(worker.unwrap());
    }
    assert!(differences.is_empty(), "{}:\n{}", differences.len(), differences.join("\n"));
    let figures = [&count.answers, &count.streams, &count.refusals, &count.usages, &count.tokens];
    let [answers, streams, refusals, usages, tokens] = figures.map(|figure| figure.load(SeqCst));
    println!(
        "{answers} plain answers, {streams} streams and {refusals} errors as recorded; \
         {usages} of them charged for the {tokens} tokens they count"
    );
    assert_eq!(answers + streams + refusals, records.len());
    assert!(usages > 3_500, "{usages}");
}

/// How the upstream cuts this record's answer into pieces.
fn cuts(record: &Record, at: usize) -> Cuts {
    if !record.is_stream() {
        return Cuts::Whole;
    }
    if at.is_multiple_of(EVERY_BYTE_OF_ONE_IN) && record.response_body.len() < 20_000 {
        return Cuts::EveryByte;
    }
    Cuts::Random { seed: at as u64 + 1 }
}

async fn replay(
    caller: &asked::Caller<'_>,
    upstream: &Upstream,
    record: &Record,
    cuts: Cuts,
    count: &Count,
) -> Result<(), String> {
    upstream.cut(&record.id, cuts);
    let question = asked::question(record);
    let got = caller.ask(record, &question).await?;
    let sent = upstream.seen(&record.id).ok_or_else(|| format!("never sent: {got:?}"))?;
    asked::unchanged(&question, &sent)?;
    let expected = expected::of(record, &question, &sent);
    expected.compare(&got)?;
    if got.status == 200 {
        asked::same_type(record, &got)?;
    }
    match (got.status, record.is_stream()) {
        (200, true) => count.streams.fetch_add(1, SeqCst),
        (200, false) => count.answers.fetch_add(1, SeqCst),
        _ => count.refusals.fetch_add(1, SeqCst),
    };
    if let Some(usage) = expected.usage {
        let cost = expected::cost(&usage, &PRICE);
        if got.charged_nano_usd != cost {
            return Err(format!(
                "charged {} for {usage:?}, which costs {cost}",
                got.charged_nano_usd
            ));
        }
        count.usages.fetch_add(1, SeqCst);
        let tokens = usize::try_from(usage.input_tokens + usage.output_tokens).expect("64 bits");
        count.tokens.fetch_add(tokens, SeqCst);
    }
    Ok(())
}
