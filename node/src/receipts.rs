//! Receipts: what each request that reached a provider was charged, to whom, and why.
//!
//! The node that served a request keeps its receipt, and any node finds it for the key that made the
//! request. Receipts are written behind the answers: one is there for the asking within a fraction of a
//! second, and on disk within a few. A crash loses those that were not on disk yet; the ledger loses
//! nothing.

mod id;
mod paper;
mod writer;

pub use id::ReceiptId;
pub(crate) use id::ReceiptIds;
pub(crate) use writer::Writer;

use crate::request::trail::Record;
use api::refusal::Reason;
use bytes::Bytes;
use cluster::{Cluster, PeerService};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use ledger::NodeId;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use wire::Refusal;

/// What peers ask for a receipt under.
const TOPIC: &str = "receipt";
/// Longest wait for the node that keeps a receipt.
const PEER_WITHIN: Duration = Duration::from_secs(2);

/// The receipts of this node.
pub struct Receipts {
    /// This node's name for people, which its receipts tell.
    label: String,
    /// `None`: nothing is kept beyond what is [`Receipts::fresh`].
    store: Option<Arc<storage::receipts::Receipts>>,
    /// Those whose settlement is not known to stand in the log.
    fresh: Mutex<BTreeMap<ReceiptId, Arc<Record>>>,
    /// Those that were not settled when the node stopped serving.
    left: Mutex<Option<writer::Left>>,
    /// Receipts that were lost: the disk was too slow, or refused.
    dropped: AtomicU64,
}

impl Receipts {
    /// The receipts kept in a data directory, of the node with this label. Where they cannot be kept the
    /// node serves all the same.
    #[must_use]
    pub fn open(data_dir: &Path, label: &str) -> Arc<Self> {
        let store = match storage::receipts::Receipts::open(data_dir) {
            Ok(store) => Some(Arc::new(store)),
            Err(error) => {
                tracing::error!(%error, "receipts are not kept beyond a few seconds");
                None
            }
        };
        Arc::new(Self {
            label: label.to_owned(),
            store,
            fresh: Mutex::default(),
            left: Mutex::default(),
            dropped: AtomicU64::new(0),
        })
    }

    /// The one writer; `log_index` says where a batch of usage stands in the log, once it does.
    pub(crate) fn writer(
        self: &Arc<Self>,
        log_index: impl Fn(u64) -> Option<u64> + Send + Sync + 'static,
    ) -> Writer {
        Writer::new(Arc::clone(self), Box::new(log_index))
    }

    /// The receipt of this id, wherever it is kept, if this key made the request.
    pub(crate) async fn find(
        &self,
        cluster: &Cluster,
        id: &str,
        key_id: &str,
    ) -> Result<Bytes, Refusal> {
        let unknown = || {
            let id: String = id.chars().take(64).collect();
            Reason::ReceiptUnknown.refuse(format!(
                "there is no receipt {id}, or it is another key's, or it is too old"
            ))
        };
        let parsed: ReceiptId = id.parse().map_err(|()| unknown())?;
        if parsed.node() == cluster.node_id() {
            return self.local(parsed, key_id).await.map(Bytes::from).ok_or_else(unknown);
        }
        let node = NodeId(parsed.node());
        let label = match cluster.ledger().nodes.get(&node) {
            Some(record) => record.label.clone(),
            None => return Err(unknown()),
        };
        let question = Question { id: parsed, key_id }.to_bytes();
        match cluster.ask_peer(node.0, TOPIC, question, PEER_WITHIN).await {
            Ok(receipt) if receipt.is_empty() => Err(unknown()),
            Ok(receipt) => Ok(Bytes::from(receipt)),
            Err(error) => Err(Reason::ReceiptUnavailable
                .refuse(format!("the receipt is kept by node {label}, which cannot be asked now"))
                .with_note(error.to_string())),
        }
    }

    /// A receipt kept here.
    async fn local(&self, id: ReceiptId, key_id: &str) -> Option<Vec<u8>> {
        let fresh = self.lock().get(&id).cloned();
        let receipt = match fresh {
            Some(record) => paper::render(&record, &self.label, None),
            None => {
                let store = Arc::clone(self.store.as_ref()?);
                let read = tokio::task::spawn_blocking(move || store.get(&id.key())).await;
                // A damaged store has said so itself, and is gone.
                read.ok()?.ok()??
            }
        };
        paper::is_of(&receipt, key_id).then_some(receipt)
    }

    /// Receipts of this process that were lost.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    fn count_dropped(&self, more: u64) {
        self.dropped.fetch_add(more, Relaxed);
    }

    fn leave(&self, left: writer::Left) {
        *self.left() = Some(left);
    }

    fn left(&self) -> MutexGuard<'_, Option<writer::Left>> {
        // A value that is put in and taken out whole.
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ReceiptId, Arc<Record>>> {
        // The map holds no invariant that a panic elsewhere could have broken.
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a peer asks: the id, then the public id of the key.
struct Question<'a> {
    id: ReceiptId,
    key_id: &'a str,
}

impl Question<'_> {
    fn to_bytes(&self) -> Vec<u8> {
        format!("{}{}", self.id, self.key_id).into_bytes()
    }

    fn read(bytes: &[u8]) -> Option<Question<'_>> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (id, key_id) = text.split_at_checked(ReceiptId::CHARS)?;
        Some(Question { id: id.parse().ok()?, key_id })
    }
}

impl PeerService for Receipts {
    /// A receipt; empty where there is none for that key.
    fn answer(&self, topic: &str, body: Vec<u8>) -> BoxFuture<'_, Option<Vec<u8>>> {
        let is_mine = topic == TOPIC;
        async move {
            let question = Question::read(&body).filter(|_| is_mine)?;
            Some(self.local(question.id, question.key_id).await.unwrap_or_default())
        }
        .boxed()
    }
}
