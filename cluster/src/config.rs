//! What one node must know before it has peers.

use crate::{ClusterSecret, PeerService};
use ledger::command::InitCluster;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Makes the first command of a new cluster's log from the cluster id drawn for it.
pub type MakeInitCluster = Box<dyn Fn(&str) -> InitCluster + Send + Sync>;

/// What a node contributes when it is the one that founds a cluster.
pub struct Founding {
    /// Makes the `InitCluster` command. Called at most once per founded cluster, and only on the founder.
    pub init_cluster: MakeInitCluster,
}

/// What a node needs to start.
pub struct Config {
    /// Where the log, the snapshots and the node's identity live. Created where missing.
    pub data_dir: PathBuf,
    /// Nodes of other names are ignored in gossip and refused by the peer listener.
    pub cluster_name: String,
    /// A name for people: host name or pod name. Not an identity.
    pub label: String,
    /// Where peers' requests are heard.
    pub peer_listen: SocketAddr,
    /// `host:port` under which other nodes reach [`Self::peer_listen`]. Port 0: the port that was bound.
    pub peer_advertise: String,
    /// Where gossip datagrams are heard.
    pub gossip_listen: SocketAddr,
    /// The address under which other nodes reach [`Self::gossip_listen`]. Port 0: the port that was bound.
    pub gossip_advertise: SocketAddr,
    /// `host:port` of other nodes' gossip; DNS names allowed. The node's own address may be among them.
    pub seeds: Vec<String>,
    /// Number of founders. `None`: without seeds a cluster of one, with seeds wait for a cluster to join.
    pub bootstrap_expect: Option<u32>,
    /// What all nodes of the cluster share and nobody else knows.
    pub secret: ClusterSecret,
    /// Told to the other nodes by gossip: `base_url`, `admin_url`, `version`.
    pub public: BTreeMap<String, String>,
    /// What this node contributes if it founds a cluster.
    pub founding: Founding,
    /// Answers what other nodes ask through [`crate::Cluster::ask_peer`].
    pub service: Option<Arc<dyn PeerService>>,
    /// Times and sizes that seldom need a change.
    pub tuning: Tuning,
}

/// Times and sizes that seldom need a change.
#[derive(Clone, Debug)]
pub struct Tuning {
    /// Time between two rounds of gossip.
    pub gossip_interval: Duration,
    /// How long the founders' view of one another must stay the same before one of them founds.
    pub bootstrap_settle: Duration,
    /// How long a learner must have kept up before it is made a voter.
    pub promote_after: Duration,
    /// How long a voter must have been silent in gossip and in replication before a learner takes its place.
    pub replace_after: Duration,
    /// How long a new leader leaves the membership alone.
    pub settle_after_election: Duration,
    /// Most voters there will be; an even number counts as the odd one below it.
    pub voters_max: usize,
    /// How long a proposal or a linearizable read may take in all.
    pub propose_within: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            gossip_interval: Duration::from_millis(200),
            bootstrap_settle: Duration::from_millis(600),
            promote_after: Duration::from_secs(3),
            replace_after: Duration::from_secs(600),
            settle_after_election: Duration::from_secs(3),
            voters_max: 5,
            propose_within: Duration::from_secs(5),
        }
    }
}
