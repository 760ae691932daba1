//! How a call to the cluster can fail.

use std::net::SocketAddr;
use std::time::Duration;

/// Why the cluster could not answer a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// Certainly not applied; asking again later may work.
    #[error("no leader could be reached within {} ms: {why}", .within.as_millis())]
    NotApplied {
        /// How long was tried.
        within: Duration,
        /// The last obstacle met.
        why: String,
    },
    /// The command was handed over and the answer was lost.
    #[error("the write may or may not have been applied: {0}")]
    Unknown(String),
    /// This node has not applied the index in time.
    #[error("log index {index} was not applied here within {} ms", .within.as_millis())]
    NotCaughtUp {
        /// The index waited for.
        index: u64,
        /// How long.
        within: Duration,
    },
    /// The node belongs to no cluster yet.
    #[error("this node belongs to no cluster yet: {0}")]
    NotJoined(String),
    /// The command can never be taken.
    #[error("the command is not acceptable: {0}")]
    Refused(String),
    /// Certainly not applied, for want of room on a disk; deleting works, and so does spending.
    #[error("no configuration is taken until there is room: {0}")]
    NoRoom(String),
    /// The node stops, or its consensus has stopped.
    #[error("this node is stopping: {0}")]
    Stopping(String),
}

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting contradicts another.
    #[error("{0}")]
    Config(String),
    /// The data directory cannot be used.
    #[error("the data directory cannot be used: {0}")]
    Storage(String),
    /// A listener cannot be opened.
    #[error("cannot listen on {addr} for {what}: {why}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What for.
        what: &'static str,
        /// What the system said.
        why: String,
    },
    /// Gossip did not start.
    #[error("gossip did not start: {0}")]
    Gossip(String),
    /// Consensus did not start.
    #[error("consensus did not start: {0}")]
    Consensus(String),
}
