//! Who agrees: gossip, consensus, membership, and what this node may spend ahead of need.
//!
//! [`Cluster`] is the whole contract. It never learns that language models exist: it replicates the
//! ledger's commands and hands out allowances on the ledger's accounts.
//!
//! It will never decide anything that must be right from gossip, hand a command to the log twice
//! without saying so, or answer a peer that does not hold the cluster secret.

pub mod allowance;
mod config;
mod consensus;
mod discovery;
mod error;
pub mod gossip;
pub mod rates;
pub mod seal;
mod spending;
mod start;
mod status;
pub mod upgrade;

pub use config::{Config, Founding, MakeInitCluster, Tuning};
pub use consensus::clock::agrees as clock_agrees;
pub use consensus::service::PeerService;
pub use error::{StartError, Unavailable};
pub use seal::{ClusterSecret, SecretError};
pub use status::{Check, Member, MemberState, Role, Status};

use allowance::Allowances;
use consensus::message::AskV1;
use consensus::node::Node;
use consensus::{everywhere, fresh, leave, proposals, service};
use ledger::{Command, Ledger, Outcome};
use rates::Rates;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use storage::format::v1::Bytes;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long the parts of a node are given to end at shutdown, each.
const END_WITHIN: Duration = Duration::from_secs(2);

/// A command that is in the log of more than half of the voters, and what it came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its log index.
    pub index: u64,
    /// What it came to; a denial is an outcome like any other.
    pub outcome: Outcome,
}

/// This node's place in the cluster. Cloning is cheap; all clones are one.
#[derive(Clone)]
pub struct Cluster {
    inner: Arc<Inner>,
}

struct Inner {
    node: Arc<Node>,
    config_index: watch::Receiver<u64>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.node.closing.send_replace(true);
    }
}

impl Cluster {
    /// Starts the node: opens its storage, its peer listener and gossip, and runs consensus where the
    /// node belongs to a cluster already. Founding or joining one goes on in the background; this never
    /// waits for peers.
    ///
    /// # Errors
    ///
    /// Settings that contradict one another, a data directory or a listener that cannot be used.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let running = Box::pin(start::start(config)).await?;
        let inner = Inner {
            node: running.node,
            config_index: running.config_index,
            tasks: Mutex::new(running.tasks),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The ledger as this node has applied it. Lock-free.
    pub fn ledger(&self) -> Arc<Ledger> {
        self.inner.node.view.load()
    }

    /// Log index of the last entry applied here.
    pub fn applied(&self) -> watch::Receiver<u64> {
        self.inner.node.view.applied.clone()
    }

    /// Log index of the last entry applied here that changed what a request can feel, grants aside.
    pub fn config_index(&self) -> watch::Receiver<u64> {
        self.inner.config_index.clone()
    }

    /// Waits until this node has applied `index`.
    ///
    /// # Errors
    ///
    /// [`Unavailable::NotCaughtUp`] where that takes longer than `within`.
    pub async fn wait_applied(&self, index: u64, within: Duration) -> Result<(), Unavailable> {
        match timeout(within, self.inner.node.view.wait_applied(index)).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Unavailable::Stopping("its storage is closed".to_owned())),
            Err(_) => Err(Unavailable::NotCaughtUp { index, within }),
        }
    }

    /// Puts a command into the log, through the leader. On return it is committed, and applied here
    /// unless this node lags behind for longer than the time left.
    ///
    /// # Errors
    ///
    /// [`Unavailable::NotApplied`] where it certainly was not appended, [`Unavailable::Unknown`] where it
    /// may have been.
    pub async fn propose(&self, command: Command) -> Result<Committed, Unavailable> {
        proposals::propose(&self.inner.node, command).await
    }

    /// A log index such that this node, which has applied it on return, shows every write that was
    /// acknowledged anywhere before the call.
    ///
    /// # Errors
    ///
    /// Where no leader confirmed itself in time, or this node did not catch up.
    pub async fn read_index(&self) -> Result<u64, Unavailable> {
        proposals::read_index(&self.inner.node).await
    }

    /// For how long this node may have missed what was acknowledged elsewhere, a revoked key for one:
    /// everything before has been applied here. About a second in a cluster that is well,
    /// [`Duration::MAX`] where no leader was heard of yet.
    ///
    /// A node that is cut off goes on serving what it was granted, by the keys it knows, as long as that
    /// lasts: refusing every key as soon as a leader is missing would turn each lost quorum into an outage.
    /// So a key revoked meanwhile may spend at most this node's allowance, and whoever revoked it is told
    /// which nodes did not confirm: see [`Self::applied_everywhere`]. Who wants less may watch this.
    pub fn stale_for(&self) -> Duration {
        fresh::stale_for(&self.inner.node)
    }

    /// Asks every live node whether it has applied `index`, waiting at most `within`, and shortly every
    /// member that is not heard; returns the labels of those that did not say so.
    pub async fn applied_everywhere(&self, index: u64, within: Duration) -> Vec<String> {
        everywhere::applied_everywhere(&self.inner.node, index, within).await
    }

    /// Asks another node, by its Raft id, what only its [`Config::service`] can answer; itself, too.
    /// Question and answer have at most 128 KiB.
    ///
    /// # Errors
    ///
    /// [`Unavailable::NotApplied`] where the node did not answer in time or is not known,
    /// [`Unavailable::Refused`] where it does not know the topic or the question is too long.
    pub async fn ask_peer(
        &self,
        node: u64,
        topic: &str,
        body: Vec<u8>,
        within: Duration,
    ) -> Result<Vec<u8>, Unavailable> {
        let question = AskV1 { topic: topic.to_owned(), body: Bytes(body) };
        service::ask_peer(&self.inner.node, node, question, within).await
    }

    /// This node's Raft id; zero before it has one.
    pub fn node_id(&self) -> u64 {
        self.inner.node.id()
    }

    /// How often this node's data directory was opened: rises by one at each start.
    pub fn incarnation(&self) -> u64 {
        self.inner.node.identity.incarnation()
    }

    /// The nodes this one knows.
    pub fn members(&self) -> Vec<Member> {
        self.inner.node.members()
    }

    /// How the cluster stands, seen from here.
    pub fn status(&self) -> Status {
        self.inner.node.status()
    }

    /// Fires whenever membership, leadership or readiness may have changed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.node.changes.subscribe()
    }

    /// What this node may spend ahead of need.
    pub fn allowances(&self) -> &Arc<Allowances> {
        &self.inner.node.allowances
    }

    /// Requests and tokens per minute, and requests in flight.
    pub fn rates(&self) -> &Arc<Rates> {
        &self.inner.node.rates
    }

    /// Hands leadership to `to`, or to the most caught-up voter, and returns who leads afterwards. A node
    /// that does not lead passes a wish for another leader on to the one that does.
    ///
    /// # Errors
    ///
    /// Where no other voter took over in time.
    pub async fn transfer_leader(&self, to: Option<u64>) -> Result<u64, Unavailable> {
        leave::transfer(&self.inner.node, to).await
    }

    /// Says in gossip that this node is on its way out. Idempotent.
    pub fn announce_draining(&self) {
        self.inner.node.announce_draining();
    }

    /// Hands over leadership and gives back every allowance, within the time given. Idempotent; the node
    /// goes on following until [`Self::shutdown`].
    pub async fn leave_politely(&self, within: Duration) {
        leave::leave_politely(&self.inner.node, within).await;
    }

    /// Removes a node for good: it stops voting, leaves the membership, and may never spend again.
    ///
    /// # Errors
    ///
    /// Where the cluster cannot agree, or the node is the last voter.
    pub async fn remove(&self, raft_id: u64) -> Result<(), Unavailable> {
        leave::remove(&self.inner.node, raft_id).await
    }

    /// Stops consensus, gossip and the listener, and closes the storage. Idempotent. Leadership is not
    /// handed over: see [`Self::leave_politely`].
    pub async fn shutdown(&self) {
        let node = &self.inner.node;
        node.closing.send_replace(true);
        if let Some(raft) = node.raft_to_stop()
            && let Err(error) = raft.shutdown().await
        {
            tracing::error!(%error, "consensus ended badly");
        }
        let allowances = Arc::clone(&node.allowances);
        if let Err(error) = tokio::task::spawn_blocking(move || allowances.end_journal()).await {
            tracing::error!(%error, "the journal ended badly");
        }
        node.place.lock().await.take();
        node.gossip.shutdown().await;
        let tasks =
            std::mem::take(&mut *self.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for mut task in tasks {
            if timeout(END_WITHIN, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}
