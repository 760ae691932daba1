//! Receipts on their way to the disk: held until their settlement stands in the log, so that most are
//! written once.

use super::{Receipts, paper};
use crate::request::trail::Record;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use storage::receipts::RECEIPT_BYTES_MAX;
use tokio::time::Instant;

/// Longest a receipt is held for the log index of its settlement before it is written without.
const HELD_FOR: Duration = Duration::from_secs(5);
/// Most receipts that are held, written or not; what a cluster without a quorum cannot settle for long.
const HELD_MAX: usize = 50_000;

/// Where a batch of usage stands in the log, once it does.
type LogIndex = Box<dyn Fn(u64) -> Option<u64> + Send + Sync>;

/// Writes receipts. There is one per node.
pub(crate) struct Writer {
    receipts: Arc<Receipts>,
    log_index: LogIndex,
    held: VecDeque<Held>,
}

struct Held {
    record: Arc<Record>,
    since: Instant,
    /// Written already, without the log index.
    written: bool,
}

impl Writer {
    pub(super) fn new(receipts: Arc<Receipts>, log_index: LogIndex) -> Self {
        Self { receipts, log_index, held: VecDeque::new() }
    }

    /// Takes over requests that are over: from now on their receipts are found.
    pub(crate) fn take(&mut self, records: impl Iterator<Item = Record>) {
        let since = Instant::now();
        let records = records.filter(|record| !record.charged.is_empty()).map(Arc::new);
        let mut fresh = self.receipts.lock();
        for record in records {
            fresh.insert(record.receipt, Arc::clone(&record));
            self.held.push_back(Held { record, since, written: false });
        }
    }

    /// Writes what is settled, or was held for long enough; all there is if it is the `last` time.
    pub(crate) async fn write(&mut self, now: Instant, last: bool) {
        let (mut batch, mut done) = (Vec::new(), Vec::new());
        let excess = self.held.len().saturating_sub(HELD_MAX);
        let mut at = 0;
        self.held.retain_mut(|held| {
            at += 1;
            let batch_of_it = paper::batch(&held.record);
            let index = batch_of_it.and_then(&self.log_index);
            let settled = index.is_some() || batch_of_it.is_none();
            let over = settled || at <= excess;
            let due = over || last || now.duration_since(held.since) >= HELD_FOR;
            if due && (settled || !held.written) {
                let paper = paper::render(&held.record, &self.receipts.label, index);
                batch.push((held.record.receipt.key(), paper));
                held.written = true;
            }
            if over {
                done.push(held.record.receipt);
            }
            !over
        });
        put(&self.receipts, batch).await;
        // From now on these are found on disk.
        let mut fresh = self.receipts.lock();
        for id in &done {
            fresh.remove(id);
        }
    }
}

async fn put(receipts: &Receipts, batch: Vec<(Vec<u8>, Vec<u8>)>) {
    let all = batch.len();
    let mut batch = batch;
    // One that the store does not take would take the others with it.
    batch.retain(|(_, receipt)| receipt.len() <= RECEIPT_BYTES_MAX);
    let count = batch.len();
    if count < all {
        let too_large = all - count;
        tracing::warn!(
            too_large,
            bytes_max = RECEIPT_BYTES_MAX,
            "receipts are too large to be kept"
        );
    }
    let Some(store) = receipts.store.clone().filter(|_| count > 0) else { return };
    let written = tokio::task::spawn_blocking(move || store.put_batch(batch)).await;
    if let Ok(Err(error)) = written {
        tracing::warn!(count, %error, "receipts were lost");
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ReceiptId, ReceiptIds};
    use super::*;
    use crate::metrics::slots::Ending;
    use crate::request::price::Prices;
    use crate::request::trail::Charged;
    use crate::request::way::Facts;
    use cluster::allowance::Charge;
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
        writer.write(now, false).await;
        // What costs nothing has nothing to wait for.
        assert_eq!(receipts.lock().len(), 1);
        writer.write(now + HELD_FOR, false).await;
        assert_eq!(log_index(&receipts, charged).await, serde_json::Value::Null);
        assert_eq!(receipts.lock().len(), 1, "written, and not final yet");
        applied.store(3, SeqCst);
        writer.write(now + HELD_FOR, false).await;
        assert!(receipts.lock().is_empty());
        assert_eq!(log_index(&receipts, charged).await, 103);
        assert_eq!(log_index(&receipts, free).await, serde_json::Value::Null);
        assert!(receipts.local(charged, "k2").await.is_none());
    }

    #[tokio::test]
    async fn what_is_held_at_the_end_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let id = ReceiptIds::new(1).next(UnixMillis(5), 1);
        let receipts = Receipts::open(dir.path(), "n1");
        let mut writer = receipts.writer(|_| None);
        writer.take(std::iter::once(record(id, Some(3))));
        writer.write(Instant::now(), true).await;
        drop((writer, receipts));
        assert_eq!(log_index(&Receipts::open(dir.path(), "n1"), id).await, serde_json::Value::Null);
    }
}
