//! What a node does for operators: `impl api::Admin`, one file per resource.
//!
//! Each file turns the API's types into commands and the ledger's objects into the API's types. What is
//! allowed is decided by the ledger; here it is only said in the operator's words.

mod aliases;
mod audit;
pub(crate) mod budgets;
mod cluster;
mod keys;
mod listener;
mod models;
mod nodes;
mod prices;
mod probes;
mod profiles;
mod propose;
mod providers;
mod resource;
mod scopes;
mod selectors;
mod terms;
mod usage;
mod webhooks;

pub use listener::Listener;

use crate::catalog::Catalog;
use crate::health::Health;
use crate::request::doors::Doors;
use crate::vault::{Secret, Vault};
use crate::webhooks::Post;
use ::cluster::Cluster;
use api::admin::{Access, Actor, Answer, Consistency, Problem, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Longest wait of a read for a log index.
const READ_WITHIN: Duration = Duration::from_secs(10);

/// What the operators' side needs of the rest of the node.
pub struct Parts {
    /// The node's place in the cluster.
    pub cluster: Cluster,
    /// Seals and opens credentials.
    pub vault: Vault,
    /// What models cost where the operator does not say.
    pub catalog: &'static Catalog,
    /// What the probes say.
    pub health: Arc<Health>,
    /// Everything measured, in Prometheus' text format. Takes long where there are many accounts.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// Requests and streams in flight.
    pub in_flight: Box<dyn Fn() -> InFlight + Send + Sync>,
    /// Which providers this node passes over for now.
    pub doors: Arc<Doors>,
    /// The node's name for people.
    pub label: String,
    /// Where callers reach it.
    pub base_url: String,
    /// Where operators reach it.
    pub admin_url: String,
    /// Posts to webhooks.
    pub post: Post,
}

/// What a node is busy with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InFlight {
    /// Requests, streams included.
    pub requests: u64,
    /// Streams.
    pub streams: u64,
}

/// A node as operators see it.
pub struct Node {
    parts: Parts,
    /// BLAKE3 of the admin token: comparing two hashes takes the same time whatever was presented.
    token: blake3::Hash,
    started: Instant,
    drain: Notify,
}

impl Node {
    /// A node that takes this admin token.
    pub fn new(parts: Parts, admin_token: &Secret) -> Self {
        Self {
            parts,
            token: blake3::hash(admin_token.expose().as_bytes()),
            started: Instant::now(),
            drain: Notify::new(),
        }
    }

    /// Waits until an operator asks the node to leave.
    pub async fn drain_asked(&self) {
        self.drain.notified().await;
    }

    fn ledger(&self) -> Arc<ledger::Ledger> {
        self.parts.cluster.ledger()
    }
}

impl Access for Node {
    fn actor(&self, token: &str) -> Option<Actor> {
        // `==` of two BLAKE3 hashes is constant-time.
        (blake3::hash(token.as_bytes()) == self.token).then(|| Actor("admin".to_owned()))
    }

    async fn fresh(&self, read: Read) -> Answer<u64> {
        let cluster = &self.parts.cluster;
        match read.consistency {
            Consistency::Local => {}
            Consistency::Linearizable => {
                cluster.read_index().await.map_err(propose::unavailable)?;
            }
        }
        if let Some(index) = read.min_index {
            let waited = cluster.wait_applied(index, READ_WITHIN).await;
            waited.map_err(|e| {
                Problem::unavailable(e.to_string()).fix("repeat the call, or ask another node")
            })?;
        }
        Ok(self.applied_index())
    }

    fn applied_index(&self) -> u64 {
        self.ledger().applied_index
    }
}
