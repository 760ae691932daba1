//! Who agrees: gossip, consensus, membership, and what this node may spend ahead of need.
//!
//! [`Cluster`] is the whole contract. It never learns that language models exist: it replicates the
//! ledger's commands and hands out allowances on the ledger's accounts.
//!
//! It will never decide anything that must be right from gossip, hand a command to the log twice
//! without saying so, or answer a peer that does not hold the cluster secret.

pub mod allowance;
mod config;
mod discovery;
mod error;
pub mod gossip;
pub mod rates;
pub mod seal;
mod status;
pub mod upgrade;

pub use config::{Config, Founding, MakeInitCluster, Tuning};
pub use error::{StartError, Unavailable};
pub use seal::{ClusterSecret, SecretError};
pub use status::{Check, Member, MemberState, Role, Status};

use ledger::{Command, Ledger, Outcome};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

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
    inner: Arc<()>,
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
        let _ = config;
        todo!()
    }

    /// The ledger as this node has applied it. Lock-free.
    pub fn ledger(&self) -> Arc<Ledger> {
        todo!()
    }

    /// Log index of the last entry applied here.
    pub fn applied(&self) -> watch::Receiver<u64> {
        todo!()
    }

    /// Log index of the last entry applied here that changed what a request can feel, grants aside.
    pub fn config_index(&self) -> watch::Receiver<u64> {
        todo!()
    }

    /// Waits until this node has applied `index`.
    ///
    /// # Errors
    ///
    /// [`Unavailable::NotCaughtUp`] where that takes longer than `within`.
    pub async fn wait_applied(&self, index: u64, within: Duration) -> Result<(), Unavailable> {
        let _ = (index, within);
        todo!()
    }

    /// Puts a command into the log, through the leader, and returns once this node has applied it.
    ///
    /// # Errors
    ///
    /// [`Unavailable::NotApplied`] where it certainly was not appended, [`Unavailable::Unknown`] where it
    /// may have been.
    pub async fn propose(&self, command: Command) -> Result<Committed, Unavailable> {
        let _ = command;
        todo!()
    }

    /// A log index such that this node, which has applied it on return, shows every write that was
    /// acknowledged anywhere before the call.
    ///
    /// # Errors
    ///
    /// Where no leader confirmed itself in time, or this node did not catch up.
    pub async fn read_index(&self) -> Result<u64, Unavailable> {
        todo!()
    }

    /// Asks every live node whether it has applied `index`, waiting at most `within`; returns the labels
    /// of those that did not say so.
    pub async fn applied_everywhere(&self, index: u64, within: Duration) -> Vec<String> {
        let _ = (index, within);
        todo!()
    }

    /// The nodes this one knows.
    pub fn members(&self) -> Vec<Member> {
        todo!()
    }

    /// How the cluster stands, seen from here.
    pub fn status(&self) -> Status {
        todo!()
    }

    /// Fires whenever membership, leadership or readiness may have changed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        todo!()
    }

    /// Hands leadership to `to`, or to the most caught-up voter, and returns once it is seen there.
    /// Nothing to do where this node does not lead; the id of the leader then.
    ///
    /// # Errors
    ///
    /// Where no other voter took over in time.
    pub async fn transfer_leader(&self, to: Option<u64>) -> Result<u64, Unavailable> {
        let _ = to;
        todo!()
    }

    /// Says in gossip that this node is on its way out. Idempotent.
    pub fn announce_draining(&self) {
        todo!()
    }

    /// Hands over leadership and gives back every allowance, within the time given. Idempotent; the node
    /// goes on following until [`Self::shutdown`].
    pub async fn leave_politely(&self, within: Duration) {
        let _ = within;
        todo!()
    }

    /// Removes a node for good: it stops voting, leaves the membership, and may never spend again.
    ///
    /// # Errors
    ///
    /// Where the cluster cannot agree, or the node is the last voter.
    pub async fn remove(&self, raft_id: u64) -> Result<(), Unavailable> {
        let _ = raft_id;
        todo!()
    }

    /// Stops consensus, gossip and the listener, and closes the storage. Idempotent.
    pub async fn shutdown(&self) {
        let _ = &self.inner;
        todo!()
    }
}
