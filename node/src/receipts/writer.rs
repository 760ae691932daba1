//! Receipts on their way to the disk: held until their settlement stands in the log, so that most are
//! written once.
//!
//! The disk is never waited for but at the very end. What it does not take in time is held in a line of its
//! own, and where that is full the oldest are dropped and counted.

use super::{ReceiptId, Receipts, paper};
use crate::request::trail::Record;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use storage::receipts::RECEIPT_BYTES_MAX;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Longest a receipt is held for the log index of its settlement before it is written without.
const HELD_FOR: Duration = Duration::from_secs(5);
/// Most receipts that wait for their settlement; what a cluster without a quorum cannot settle for long.
const UNSETTLED_MAX: usize = 50_000;
/// Most receipts that are held in all, at some 2 kB each: beyond it the disk is too slow.
const HELD_MAX: usize = 100_000;

/// Where a batch of usage stands in the log, once it does.
type LogIndex = Box<dyn Fn(u64) -> Option<u64> + Send + Sync>;

/// Writes receipts. There is one per node.
pub(crate) struct Writer {
    receipts: Arc<Receipts>,
    log_index: LogIndex,
    held: VecDeque<Held>,
    /// What the disk is at.
    writing: Option<JoinHandle<()>>,
}

pub(super) struct Held {
    record: Arc<Record>,
    since: Instant,
    /// Log index of its settlement, once it is known.
    index: Option<u64>,
    /// Written already, without the log index.
    written: bool,
}

impl Held {
    /// Looks whether the settlement stands in the log by now; says whether nothing is missing any more.
    fn look(&mut self, log_index: &LogIndex) -> bool {
        let batch = paper::batch(&self.record);
        self.index = self.index.or_else(|| batch.and_then(log_index));
        self.index.is_some() || batch.is_none()
    }
}

impl Writer {
    pub(super) fn new(receipts: Arc<Receipts>, log_index: LogIndex) -> Self {
        Self { receipts, log_index, held: VecDeque::new(), writing: None }
    }

    /// Takes over requests that are over: from now on their receipts are found.
    pub(crate) fn take(&mut self, records: impl Iterator<Item = Record>) {
        let since = Instant::now();
        let records = records.filter(|record| !record.charged.is_empty()).map(Arc::new);
        let mut fresh = self.receipts.lock();
        for record in records {
            fresh.insert(record.receipt, Arc::clone(&record));
            self.held.push_back(Held { record, since, index: None, written: false });
        }
        let excess = self.held.len().saturating_sub(HELD_MAX);
        for dropped in self.held.drain(..excess) {
            fresh.remove(&dropped.record.receipt);
            // One that was written lacks no more than its log index.
            self.receipts.count_dropped(u64::from(!dropped.written));
        }
    }

    /// Receipts that were lost since the start.
    pub(crate) fn dropped(&self) -> u64 {
        self.receipts.dropped()
    }

    /// Has the disk write what is settled, or was held for long enough, unless it is still at the last round.
    pub(crate) async fn write(&mut self, now: Instant) {
        if self.writing.as_ref().is_some_and(|writing| !writing.is_finished()) {
            return;
        }
        self.wait().await;
        let (batch, done) = self.due(now, false);
        if !(batch.is_empty() && done.is_empty()) {
            let receipts = Arc::clone(&self.receipts);
            self.writing = Some(tokio::spawn(async move { receipts.keep(batch, done).await }));
        }
    }

    /// Has everything written, with what is known of it, and leaves the rest to [`Receipts::complete`].
    pub(crate) async fn finish(mut self) {
        self.wait().await;
        let (batch, done) = self.due(Instant::now(), true);
        self.receipts.keep(batch, done).await;
        self.receipts.leave(Left { log_index: self.log_index, held: self.held });
    }

    async fn wait(&mut self) {
        if let Some(writing) = self.writing.take() {
            // A panic in it has been reported; what it was at is lost, and found missing when asked for.
            let _ = writing.await;
        }
    }

    /// What is to be written, and the receipts that nothing is missing of then.
    fn due(&mut self, now: Instant, all: bool) -> (Papers, Vec<ReceiptId>) {
        let (mut batch, mut done) = (Vec::new(), Vec::new());
        let excess = self.held.len().saturating_sub(UNSETTLED_MAX);
        let mut at = 0;
        self.held.retain_mut(|held| {
            at += 1;
            let settled = held.look(&self.log_index);
            let over = settled || at <= excess;
            let due = over || all || now.duration_since(held.since) >= HELD_FOR;
            if due && (settled || !held.written) {
                batch.push(self.receipts.paper(&held.record, held.index));
                held.written = true;
            }
            if over {
                done.push(held.record.receipt);
            }
            !over
        });
        (batch, done)
    }
}

/// Receipts by their keys, as they are kept.
type Papers = Vec<(Vec<u8>, Vec<u8>)>;

/// Receipts that were written without the log index of their settlement, when the node stopped serving.
pub(super) struct Left {
    log_index: LogIndex,
    held: VecDeque<Held>,
}

impl Receipts {
    fn paper(&self, record: &Record, index: Option<u64>) -> (Vec<u8>, Vec<u8>) {
        (record.receipt.key(), paper::render(record, &self.label, index))
    }

    /// Writes again what was written without the log index of its settlement, where that is known by now: to
    /// be called when the ledger has all that this node spent.
    pub async fn complete(&self) {
        let Some(Left { log_index, mut held }) = self.left().take() else { return };
        held.retain_mut(|held| held.look(&log_index));
        let batch = held.iter().map(|held| self.paper(&held.record, held.index)).collect();
        self.keep(batch, held.iter().map(|held| held.record.receipt).collect()).await;
    }

    /// Writes receipts; from then on the `done` ones are found on the disk alone.
    async fn keep(&self, batch: Papers, done: Vec<ReceiptId>) {
        self.put(batch).await;
        let mut fresh = self.lock();
        for id in &done {
            fresh.remove(id);
        }
    }

    async fn put(&self, mut batch: Papers) {
        let all = batch.len();
        // One that the store does not take would take the others with it.
        batch.retain(|(_, receipt)| receipt.len() <= RECEIPT_BYTES_MAX);
        let count = batch.len();
        if count < all {
            let too_large = all - count;
            let bytes_max = RECEIPT_BYTES_MAX;
            tracing::warn!(too_large, bytes_max, "receipts are too large to be kept");
            self.count_dropped(too_large as u64);
        }
        let Some(store) = self.store.clone().filter(|_| count > 0) else { return };
        let written = tokio::task::spawn_blocking(move || store.put_batch(batch)).await;
        if let Ok(Err(error)) = written {
            tracing::warn!(count, %error, "receipts were lost");
            self.count_dropped(count as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ReceiptId, ReceiptIds};
    use super::*;
    use crate::metrics::slots::Ending;
    use crate::request::trail::Charged;
    use crate::request::way::Facts;
    use cluster::allowance::Charge;
    use cost::Prices;
    use http::HeaderValue;
    use ledger::UnixMillis;
    use ledger::view::Lineage;
    use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
    use wire::{Operation, Usage};

    fn record(receipt: ReceiptId, batch: Option<u64>) -> Record {
        let facts = Facts {
            accounts: Vec::new(),
            key_id: "k1".into(),
            key_name: "ann \"the key\"".into(),
            lineage: Lineage::default(),
            provider: "up".into(),
            model: "m".into(),
            prices: Arc::new(Prices::default()),
            tags: Vec::new(),
            session: None,
        };
        let charged = Charged {
            facts: Arc::new(facts),
            held: Charge::ZERO,
            charge: Charge { nano_usd: 7, tokens: 2, requests: 1 },
            usage: Usage::default(),
            basis: "reported",
            outcome: "answered",
            batch,
        };
        Record {
            request_id: HeaderValue::from_static("r"),
            receipt,
            at: UnixMillis(1),
            key_id: "k1".into(),
            operation: Operation::ChatCompletions,
            provider: "up".into(),
            model: "m".into(),
            stream: false,
            status: 200,
            attempts: 1,
            ending: Ending::Answered,
            usage: Usage::default(),
            usage_reported: true,
            cost_nano_usd: 7,
            held_nano_usd: 9,
            duration_us: 1,
            first_byte_us: 1,
            charged: vec![charged],
        }
    }

    async fn written(writer: &mut Writer, now: Instant) {
        writer.write(now).await;
        writer.wait().await;
    }

    async fn log_index(receipts: &Receipts, id: ReceiptId) -> serde_json::Value {
        let receipt = receipts.local(id, "k1").await.expect("it is found");
        let receipt: serde_json::Value = serde_json::from_slice(&receipt).unwrap();
        receipt["settlement"]["log_index"].clone()
    }

    #[tokio::test]
    async fn a_receipt_is_found_at_once_and_final_once_its_settlement_is_in_the_log() {
        let dir = tempfile::tempdir().unwrap();
        let receipts = Receipts::open(dir.path(), "n1");
        let applied = Arc::new(AtomicU64::new(0));
        let known = Arc::clone(&applied);
        let mut writer =
            receipts.writer(move |batch| (batch <= known.load(SeqCst)).then_some(100 + batch));
        let ids = ReceiptIds::new(1);
        let (free, charged) = (ids.next(UnixMillis(5), 1), ids.next(UnixMillis(5), 1));
        writer.take([record(free, None), record(charged, Some(3))].into_iter());
        assert!(receipts.local(charged, "k1").await.is_some());
        assert!(receipts.local(charged, "k2").await.is_none());
        let now = Instant::now();
        written(&mut writer, now).await;
        // What costs nothing has nothing to wait for.
        assert_eq!(receipts.lock().len(), 1);
        written(&mut writer, now + HELD_FOR).await;
        assert_eq!(log_index(&receipts, charged).await, serde_json::Value::Null);
        assert_eq!(receipts.lock().len(), 1, "written, and not final yet");
        applied.store(3, SeqCst);
        written(&mut writer, now + HELD_FOR).await;
        assert!(receipts.lock().is_empty());
        assert_eq!(log_index(&receipts, charged).await, 103);
        assert_eq!(log_index(&receipts, free).await, serde_json::Value::Null);
        assert!(receipts.local(charged, "k2").await.is_none());
    }

    #[tokio::test]
    async fn what_is_held_at_the_end_is_written_and_completed_once_it_is_settled() {
        let dir = tempfile::tempdir().unwrap();
        let ids = ReceiptIds::new(1);
        let (late, lost) = (ids.next(UnixMillis(5), 1), ids.next(UnixMillis(5), 1));
        let receipts = Receipts::open(dir.path(), "n1");
        let applied = Arc::new(AtomicU64::new(0));
        let known = Arc::clone(&applied);
        let mut writer =
            receipts.writer(move |batch| (batch <= known.load(SeqCst)).then_some(100 + batch));
        writer.take([record(late, Some(3)), record(lost, Some(4))].into_iter());
        writer.finish().await;
        applied.store(3, SeqCst);
        receipts.complete().await;
        drop(receipts);
        let again = Receipts::open(dir.path(), "n1");
        assert_eq!(log_index(&again, late).await, 103);
        assert_eq!(log_index(&again, lost).await, serde_json::Value::Null);
    }

    #[tokio::test]
    async fn a_slow_disk_is_not_waited_for_and_what_it_never_takes_is_dropped_and_counted() {
        let dir = tempfile::tempdir().unwrap();
        let receipts = Receipts::open(dir.path(), "n1");
        let mut writer = receipts.writer(|_| None);
        let ids = ReceiptIds::new(1);
        let first = ids.next(UnixMillis(5), 1);
        writer.take(std::iter::once(record(first, None)));
        let disk = tokio::sync::Notify::new();
        let disk = Arc::new(disk);
        let until = Arc::clone(&disk);
        writer.writing = Some(tokio::spawn(async move { until.notified().await }));
        writer.write(Instant::now()).await;
        assert_eq!(receipts.lock().len(), 1, "the disk is busy, and nobody waited");
        let more = (0..HELD_MAX).map(|_| record(ids.next(UnixMillis(6), 1), None));
        writer.take(more);
        assert_eq!((writer.held.len(), receipts.dropped()), (HELD_MAX, 1));
        assert!(receipts.local(first, "k1").await.is_none());
        disk.notify_one();
    }
}
