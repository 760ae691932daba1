//! Receipts on their way to the disk: held until their settlement stands in the log, so that most are
//! written once.

use super::{Receipts, paper};
use crate::request::trail::Record;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
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
    pub(crate) async fn write(&mut self, last: bool) {
        let now = Instant::now();
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
                batch.push((held.record.receipt.key(), paper::render(&held.record, index)));
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
    let Some(store) = receipts.store.clone().filter(|_| !batch.is_empty()) else { return };
    let count = batch.len();
    let written = tokio::task::spawn_blocking(move || store.put_batch(batch)).await;
    if let Ok(Err(error)) = written {
        tracing::warn!(count, %error, "receipts were lost");
    }
}
