//! Mirrors of consensus' own types, so that a new version of it cannot change our bytes.

use super::{Bytes, body};
use crate::format::{FormatError, Kind};
use crate::types::{self, LeaderId, Peer};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A log id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireLogId {
    /// Term of the leader that wrote the entry.
    pub term: u64,
    /// That leader.
    pub node: u64,
    /// Index.
    pub index: u64,
}
body!(WireLogId, LOG_ID);

/// A vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireVote {
    /// Term.
    pub term: u64,
    /// For whom.
    pub node: u64,
    /// A quorum granted it.
    pub committed: bool,
}
body!(WireVote, VOTE);

/// One member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireMember {
    /// Raft id.
    pub id: u64,
    /// `host:port` of its peer listener.
    pub addr: String,
}

/// A membership: one set of voters, or two while it changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireMembership {
    /// Sets of voters.
    pub configs: Vec<Vec<u64>>,
    /// Voters and learners, by id.
    pub members: Vec<WireMember>,
}
body!(WireMembership, MEMBERSHIP);

/// A membership and the entry that set it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireStoredMembership {
    /// The entry.
    pub log_id: Option<WireLogId>,
    /// The membership.
    pub membership: WireMembership,
}

/// The entry a new leader begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireBlank {}
body!(WireBlank, BLANK);

/// An entry at its place in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireEntry {
    /// Place.
    pub log_id: WireLogId,
    /// Proposer's clock, milliseconds since 1970; zero where no one proposed.
    pub at_ms: u64,
    /// Frame of a command, a membership or a blank.
    pub payload: Bytes,
}
body!(WireEntry, ENTRY);

/// One slot of the watermark file: what is known to be on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatermarkV1 {
    /// Rises by one with each write.
    pub seq: u64,
    /// The log reaches at least this far.
    pub last: Option<WireLogId>,
    /// The vote is at least this.
    pub vote: Option<WireVote>,
}
body!(WatermarkV1, WATERMARK);

impl From<&types::LogId> for WireLogId {
    fn from(id: &types::LogId) -> Self {
        WireLogId { term: id.leader_id.term, node: id.leader_id.node_id, index: id.index }
    }
}

impl From<WireLogId> for types::LogId {
    fn from(id: WireLogId) -> Self {
        let leader_id = LeaderId { term: id.term, node_id: id.node };
        types::LogId { leader_id, index: id.index }
    }
}

impl From<&types::Vote> for WireVote {
    fn from(vote: &types::Vote) -> Self {
        WireVote {
            term: vote.leader_id.term,
            node: vote.leader_id.node_id,
            committed: vote.committed,
        }
    }
}

impl From<WireVote> for types::Vote {
    fn from(vote: WireVote) -> Self {
        let leader_id = LeaderId { term: vote.term, node_id: vote.node };
        types::Vote { leader_id, committed: vote.committed }
    }
}

impl From<&types::Membership> for WireMembership {
    fn from(membership: &types::Membership) -> Self {
        let configs = membership.get_joint_config();
        let member = |(id, peer): (&u64, &Peer)| WireMember { id: *id, addr: peer.addr.clone() };
        WireMembership {
            configs: configs.iter().map(|set| set.iter().copied().collect()).collect(),
            members: membership.nodes().map(member).collect(),
        }
    }
}

impl TryFrom<WireMembership> for types::Membership {
    type Error = FormatError;

    /// A set of voters must not be empty and each voter must be a member.
    fn try_from(wire: WireMembership) -> Result<Self, FormatError> {
        let configs: Vec<BTreeSet<u64>> =
            wire.configs.into_iter().map(BTreeSet::from_iter).collect();
        let members = wire.members.into_iter();
        let nodes: BTreeMap<u64, Peer> =
            members.map(|member| (member.id, Peer { addr: member.addr })).collect();
        types::Membership::new(configs, nodes).map_err(|error| FormatError::Malformed {
            kind: Kind::MEMBERSHIP,
            reason: error.to_string(),
        })
    }
}

impl From<&types::StoredMembership> for WireStoredMembership {
    fn from(stored: &types::StoredMembership) -> Self {
        WireStoredMembership {
            log_id: stored.log_id().as_ref().map(WireLogId::from),
            membership: stored.membership().into(),
        }
    }
}

impl TryFrom<WireStoredMembership> for types::StoredMembership {
    type Error = FormatError;

    fn try_from(wire: WireStoredMembership) -> Result<Self, FormatError> {
        let membership = wire.membership.try_into()?;
        Ok(types::StoredMembership::new(wire.log_id.map(Into::into), membership))
    }
}
