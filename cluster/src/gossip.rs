//! What nodes say of themselves, and who is heard: chitchat over sealed datagrams.
//!
//! Loss of a message costs efficiency, never correctness: nothing that must be right travels here.

mod greet;
mod heard;
#[cfg(test)]
mod tests;
mod transport;

pub use heard::{Heard, said};

use crate::discovery;
use crate::seal::{ClusterSecret, Purpose, Sealer};
use chitchat::{Chitchat, ChitchatConfig, ChitchatHandle, ChitchatId, FailureDetectorConfig};
use chitchat::{ProtocolVersion, spawn_chitchat};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;
use transport::SealedTransport;

/// Suspicion at which a silent node counts as dead, in multiples of its usual interval.
const PHI: f64 = 8.0;
/// A dead node is forgotten after 15 minutes.
const DEAD_GRACE: Duration = Duration::from_secs(15 * 60);
/// A deleted key is remembered for 10 minutes.
const TOMBSTONE_GRACE: Duration = Duration::from_secs(10 * 60);
/// What gossip needs to know of this node.
pub struct GossipConfig {
    /// Nodes of other names are not heard.
    pub cluster_name: String,
    /// Identity of the data directory.
    pub uuid: String,
    /// This life of the node; rises at each start.
    pub incarnation: u64,
    /// Where datagrams are heard; port 0 takes any.
    pub listen: SocketAddr,
    /// Where others reach it; port 0 stands for the one that was bound.
    pub advertise: SocketAddr,
    /// `host:port` of other nodes; DNS names are looked up again and again.
    pub seeds: Vec<String>,
    /// What seals the datagrams.
    pub secret: ClusterSecret,
    /// Time between two rounds.
    pub interval: Duration,
    /// What to say from the first round on, by key (see [`said`]).
    pub says: Vec<(String, String)>,
}

/// Why gossip did not start.
#[derive(Debug, Error)]
pub enum GossipError {
    /// The socket could not be opened.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// A seed is no `host:port`.
    #[error(transparent)]
    Seed(#[from] discovery::SeedError),
    /// The library refused to start.
    #[error("{0:#}")]
    Start(anyhow::Error),
}

/// This node's ear and mouth. Dropping it stops it without a farewell.
pub struct Gossip {
    handle: Arc<ChitchatHandle>,
    advertise: SocketAddr,
    mouth: mpsc::UnboundedSender<(String, String)>,
    ears: watch::Receiver<Arc<Vec<Heard>>>,
    transport: SealedTransport,
    tasks: Vec<JoinHandle<()>>,
}

impl Gossip {
    /// Opens the socket and begins to gossip; returns at once, whoever is there.
    ///
    /// # Errors
    /// Where the socket cannot be opened or a seed is no `host:port`.
    pub async fn start(config: GossipConfig) -> Result<Gossip, GossipError> {
        let seeds = discovery::parse(&config.seeds)?;
        let sealer = Sealer::with_purpose(&config.secret, Purpose::Gossip);
        let transport = SealedTransport::bind(config.listen, sealer, &config.cluster_name)
            .await
            .map_err(|error| GossipError::Listen(config.listen, error))?;
        let bound = transport.local_addr();
        let mut advertise = config.advertise;
        if advertise.port() == 0 {
            advertise.set_port(bound.port());
        }
        let says = config.says.clone();
        let handle = spawn_chitchat(chitchat_config(config, advertise, bound), says, &transport)
            .await
            .map_err(GossipError::Start)?;
        let handle = Arc::new(handle);
        let chitchat = handle.chitchat();
        let (mouth, mouth_end) = mpsc::unbounded_channel();
        let (heard, ears) = watch::channel(Arc::new(Vec::new()));
        let tasks = vec![
            tokio::spawn(speak(Arc::clone(&chitchat), mouth_end)),
            tokio::spawn(listen(chitchat, heard)),
            tokio::spawn(greet::greet(Arc::clone(&handle), seeds, advertise, ears.clone())),
        ];
        Ok(Gossip { handle, advertise, mouth, ears, transport, tasks })
    }

    /// The address other nodes reach this one at.
    #[must_use]
    pub fn advertised(&self) -> SocketAddr {
        self.advertise
    }

    /// Says `value` under `key` from the next round on; what was said under it before is replaced.
    pub fn say(&self, key: &str, value: &str) {
        // The other end goes only when gossip stops, and then nobody listens.
        let _ = self.mouth.send((key.to_owned(), value.to_owned()));
    }

    /// All other nodes heard of in the last 15 minutes, dead ones too: one per uuid, its newest life.
    #[must_use]
    pub fn peers(&self) -> Arc<Vec<Heard>> {
        self.ears.borrow().clone()
    }

    /// Fires when a node comes, goes, or says something new.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Arc<Vec<Heard>>> {
        self.ears.clone()
    }

    /// Datagrams that did not open with this cluster's secret, so far.
    #[must_use]
    pub fn refused_datagrams(&self) -> u64 {
        self.transport.refused()
    }

    /// Stops gossiping. Others take notice by the silence.
    pub async fn shutdown(&self) {
        for task in &self.tasks {
            task.abort();
        }
        if self.handle.initiate_shutdown().is_ok() {
            // Whether it ended well or badly, it has ended.
            let _ = self.handle.termination_watcher().await;
        }
    }
}

impl Drop for Gossip {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        self.handle.abort();
    }
}

fn chitchat_config(
    config: GossipConfig,
    advertise: SocketAddr,
    bound: SocketAddr,
) -> ChitchatConfig {
    ChitchatConfig {
        chitchat_id: ChitchatId::new(config.uuid, config.incarnation, advertise),
        cluster_id: config.cluster_name,
        gossip_interval: config.interval,
        listen_addr: bound,
        // Seeds are greeted by `greet`: the library would look names up once a minute only.
        seed_nodes: Vec::new(),
        failure_detector_config: FailureDetectorConfig {
            phi_threshold: PHI,
            initial_interval: config.interval * 5,
            dead_node_grace_period: DEAD_GRACE,
            ..FailureDetectorConfig::default()
        },
        marked_for_deletion_grace_period: TOMBSTONE_GRACE,
        catchup_callback: None,
        extra_liveness_predicate: None,
        protocol_version: ProtocolVersion::V0,
    }
}

async fn speak(
    chitchat: Arc<Mutex<Chitchat>>,
    mut mouth: mpsc::UnboundedReceiver<(String, String)>,
) {
    while let Some((key, value)) = mouth.recv().await {
        let mut chitchat = chitchat.lock().await;
        chitchat.self_node_state().set(key, value);
        while let Ok((key, value)) = mouth.try_recv() {
            chitchat.self_node_state().set(key, value);
        }
    }
}

async fn listen(chitchat: Arc<Mutex<Chitchat>>, heard: watch::Sender<Arc<Vec<Heard>>>) {
    let mut live = chitchat.lock().await.live_nodes_watcher();
    loop {
        let now = heard::peers(&*chitchat.lock().await);
        heard.send_if_modified(|before| {
            let changed = **before != now;
            if changed {
                *before = Arc::new(now);
            }
            changed
        });
        if live.changed().await.is_err() {
            return;
        }
    }
}
