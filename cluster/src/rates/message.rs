//! What nodes and leader say to each other about rates. Plain structs for the peer transport; none of
//! it is logged.

use serde::{Deserialize, Serialize};

/// How long a share may be used after it was asked for, in milliseconds.
pub const SHARE_MS: u64 = 5_000;

/// What a node used and wants, once a second or when a share runs out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateReport {
    /// Raft id of the node.
    pub node: u64,
    /// Rises with each report of a node's life.
    pub seq: u64,
    /// One line per limit in use.
    pub lines: Vec<RateLine>,
}

/// One limit in a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLine {
    /// Whose limit: a virtual key's public id.
    pub scope: String,
    /// Which: see [`super::Dimension::code`].
    pub dimension: u8,
    /// The limit, as this node's ledger says.
    pub limit: u64,
    /// Used: in the present minute, or in flight.
    pub used: u64,
    /// Would use next.
    pub wanted: u64,
    /// Sequence of the report whose answer brought the share in use now; zero where none did.
    pub share_seq: u64,
}

/// The leader's answer: one share per line of the report, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateShares {
    /// The report this answers.
    pub seq: u64,
    /// The shares; empty where the leader is too new to hand any out. They hold for [`SHARE_MS`] from
    /// when the report was sent.
    pub shares: Vec<u64>,
}
