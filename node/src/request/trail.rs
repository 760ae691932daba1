//! What is left of a request: one record, without a word of what was asked or answered.
//!
//! The thread that served it puts it into its ring; a task of the control plane empties all rings into
//! the log and the receipts. A full ring drops records and counts them: lines of the log and receipts may be
//! lost, spend never is.

use super::settle::utc;
use super::way::Facts;
use crate::metrics::Metrics;
use crate::metrics::slots::{Ending, ThreadSlots};
use crate::plane::core::wall_clock;
use crate::receipts::{ReceiptId, Writer};
use crate::telemetry;
use cluster::allowance::Charge;
use http::HeaderValue;
use ledger::UnixMillis;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use wire::{Operation, Usage};

/// Length of a line, about.
const LINE_BYTES: usize = 640;
/// Records a ring holds.
const RING_RECORDS: usize = 8_192;
/// Time between two emptyings of the rings.
const EVERY: Duration = Duration::from_millis(250);

/// One request that was sent to a provider.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) request_id: HeaderValue,
    pub(crate) receipt: ReceiptId,
    /// When it came.
    pub(crate) at: UnixMillis,
    pub(crate) key_id: Arc<str>,
    pub(crate) operation: Operation,
    pub(crate) provider: Arc<str>,
    pub(crate) model: Arc<str>,
    pub(crate) stream: bool,
    /// Status of the answer; zero where the caller left before one.
    pub(crate) status: u16,
    pub(crate) attempts: u32,
    pub(crate) ending: Ending,
    pub(crate) usage: Usage,
    /// The provider told the usage; otherwise it was counted or assumed.
    pub(crate) usage_reported: bool,
    pub(crate) cost_nano_usd: i64,
    pub(crate) held_nano_usd: i64,
    pub(crate) duration_us: u64,
    pub(crate) first_byte_us: u64,
    /// Its attempts, in order.
    pub(crate) charged: Vec<Charged>,
}

/// One attempt that is settled.
#[derive(Clone, Debug)]
pub(crate) struct Charged {
    /// Where it went and who paid.
    pub(crate) facts: Arc<Facts>,
    /// What was set aside.
    pub(crate) held: Charge,
    /// What was charged.
    pub(crate) charge: Charge,
    pub(crate) usage: Usage,
    /// What the charge rests on: `reported`, `counted`, `estimated`, `hold`, `void`.
    pub(crate) basis: &'static str,
    /// How it ended: an ending, or the code of the failure that another attempt followed.
    pub(crate) outcome: &'static str,
    /// The batch of usage it is reported in; `None` where nothing was charged.
    pub(crate) batch: Option<u64>,
}

/// One request that was refused by the gateway itself.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) request_id: HeaderValue,
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) note: Option<String>,
}

/// A line to be logged.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "most lines are the large one, and a box costs more")]
pub(crate) enum Line {
    Served(Record),
    Refused(Refused),
}

impl Line {
    /// The record of a request that was sent to a provider.
    fn into_sent(self) -> Option<Record> {
        match self {
            Self::Served(record) => (record.attempts > 0).then_some(record),
            Self::Refused(_) => None,
        }
    }
}

/// The records of one thread that are not yet logged.
#[derive(Default)]
pub(crate) struct Ring(Mutex<VecDeque<Line>>);

impl Ring {
    /// Puts a line in, unless the ring is full.
    pub(crate) fn put(&self, line: Line, slots: &ThreadSlots) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= RING_RECORDS {
            slots.log_records_dropped.add(1);
            return;
        }
        lines.push_back(line);
    }

    fn take(&self, into: &mut VecDeque<Line>) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *lines, into);
    }
}

/// Rounds between two additions of all counters, so that no scrape finds much to do.
const ROUNDS_PER_COLLECT: u32 = 20;

/// Empties the rings into the log and the receipts; the last of both are written when `until` resolves.
pub(crate) async fn drain(
    rings: Vec<Arc<Ring>>,
    metrics: &Metrics,
    mut receipts: Writer,
    until: impl Future<Output = ()>,
) {
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut until = std::pin::pin!(until);
    let mut lines = VecDeque::new();
    for round in 0_u32.. {
        let last = tokio::select! {
            _ = every.tick() => false,
            () = &mut until => true,
        };
        for ring in &rings {
            ring.take(&mut lines);
            log(&lines);
            receipts.take(lines.drain(..).filter_map(Line::into_sent));
        }
        if round % ROUNDS_PER_COLLECT == 0 {
            metrics.collect();
            metrics.tell_receipts_dropped(receipts.dropped());
        }
        if last {
            return receipts.finish().await;
        }
        receipts.write(tokio::time::Instant::now()).await;
    }
}

/// Writes a batch in one piece. Not through `tracing`: a line a request is worth
/// rendering without it.
fn log(lines: &VecDeque<Line>) {
    let wanted = tracing::enabled!(target: "bursar::request", tracing::Level::INFO);
    if wanted && !lines.is_empty() {
        let mut batch = Vec::with_capacity(lines.len() * LINE_BYTES);
        let timestamp = utc(wall_clock());
        lines.iter().for_each(|line| render(line, &timestamp, &mut batch));
        telemetry::write_lines(&batch);
    }
}

/// One line of the log.
#[derive(serde::Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    Served(ServedEntry<'a>),
    Refused(RefusedEntry<'a>),
}

#[derive(serde::Serialize)]
struct ServedEntry<'a> {
    timestamp: &'a str,
    level: &'static str,
    target: &'static str,
    message: &'static str,
    request_id: &'a str,
    receipt: ReceiptId,
    key_id: &'a str,
    operation: &'static str,
    provider: &'a str,
    model: &'a str,
    stream: bool,
    status: u16,
    attempts: u32,
    ending: &'static str,
    input_tokens: u64,
    cache_read_tokens: u64,
    cache_write_tokens: u64,
    output_tokens: u64,
    reasoning_tokens: u64,
    usage_reported: bool,
    cost_nano_usd: i64,
    held_nano_usd: i64,
    duration_us: u64,
    first_byte_us: u64,
}

#[derive(serde::Serialize)]
struct RefusedEntry<'a> {
    timestamp: &'a str,
    level: &'static str,
    target: &'static str,
    message: &'static str,
    request_id: &'a str,
    status: u16,
    code: &'static str,
    note: Option<&'a str>,
}

const LEVEL: &str = "INFO";
const TARGET: &str = "bursar::request";

fn render(line: &Line, timestamp: &str, batch: &mut Vec<u8>) {
    let entry = match line {
        Line::Served(record) => Entry::Served(served(record, timestamp)),
        Line::Refused(refused) => Entry::Refused(RefusedEntry {
            timestamp,
            level: LEVEL,
            target: TARGET,
            message: "refused",
            request_id: text(&refused.request_id),
            status: refused.status,
            code: refused.code,
            note: refused.note.as_deref(),
        }),
    };
    serde_json::to_writer(&mut *batch, &entry).expect("numbers and texts into memory");
    batch.push(b'\n');
}

fn served<'a>(record: &'a Record, timestamp: &'a str) -> ServedEntry<'a> {
    ServedEntry {
        timestamp,
        level: LEVEL,
        target: TARGET,
        message: "served",
        request_id: text(&record.request_id),
        receipt: record.receipt,
        key_id: &record.key_id,
        operation: record.operation.name(),
        provider: &record.provider,
        model: &record.model,
        stream: record.stream,
        status: record.status,
        attempts: record.attempts,
        ending: record.ending.name(),
        input_tokens: record.usage.input_tokens,
        cache_read_tokens: record.usage.cache_read_tokens,
        cache_write_tokens: record.usage.cache_write_tokens,
        output_tokens: record.usage.output_tokens,
        reasoning_tokens: record.usage.reasoning_tokens,
        usage_reported: record.usage_reported,
        cost_nano_usd: record.cost_nano_usd,
        held_nano_usd: record.held_nano_usd,
        duration_us: record.duration_us,
        first_byte_us: record.first_byte_us,
    }
}

fn text(id: &HeaderValue) -> &str {
    id.to_str().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16) -> Line {
        Line::Refused(Refused {
            request_id: HeaderValue::from_static("r"),
            status,
            code: "c",
            note: None,
        })
    }

    #[test]
    fn a_full_ring_drops_and_counts() {
        let (ring, slots) = (Ring::default(), ThreadSlots::default());
        for _ in 0..RING_RECORDS + 3 {
            ring.put(refused(401), &slots);
        }
        let mut taken = VecDeque::new();
        ring.take(&mut taken);
        assert_eq!(taken.len(), RING_RECORDS);
        assert_eq!(slots.log_records_dropped.get(), 3);
        ring.put(refused(401), &slots);
        assert_eq!(slots.log_records_dropped.get(), 3);
    }

    #[test]
    fn a_line_is_one_json_object() {
        let mut batch = Vec::new();
        render(&refused(429), "2026-11-20T00:00:00Z", &mut batch);
        assert_eq!(
            String::from_utf8(batch).unwrap(),
            concat!(
                r#"{"timestamp":"2026-11-20T00:00:00Z","level":"INFO","target":"bursar::request","#,
                r#""message":"refused","request_id":"r","status":429,"code":"c","note":null}"#,
                "\n"
            )
        );
    }
}
