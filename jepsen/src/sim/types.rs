//! Consensus as simulated: the product's commands and settings on the simulation's runtime.

use super::runtime::SimRuntime;
use ledger::Ledger;
use std::sync::Arc;
use storage::openraft::{self, EntryPayload};
use storage::{Applied, Peer, Proposal};

openraft::declare_raft_types!(
    /// The product's types on the simulation's runtime.
    pub(crate) SimConfig:
        D = Proposal,
        R = Applied,
        NodeId = u64,
        Node = Peer,
        AsyncRuntime = SimRuntime,
);

pub(crate) type LogId = openraft::alias::LogIdOf<SimConfig>;
pub(crate) type Vote = openraft::alias::VoteOf<SimConfig>;
pub(crate) type RaftEntry = openraft::alias::EntryOf<SimConfig>;
pub(crate) type StoredMembership = openraft::alias::StoredMembershipOf<SimConfig>;
pub(crate) type SnapshotMeta = openraft::alias::SnapshotMetaOf<SimConfig>;
pub(crate) type Snapshot = openraft::alias::SnapshotOf<SimConfig, Arc<Ledger>>;
pub(crate) type Raft = openraft::Raft<SimConfig, super::machine::Machine>;

/// The proposal inside an entry, if it carries one.
pub(crate) fn proposal_of(entry: &RaftEntry) -> Option<&Proposal> {
    match &entry.payload {
        EntryPayload::Normal(proposal) => Some(proposal),
        EntryPayload::Blank | EntryPayload::Membership(_) => None,
    }
}
