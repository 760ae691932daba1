//! The types consensus runs on, and how it is set.

use ledger::{Command, Outcome, UnixMillis};
use openraft::{Config, EntryPayload, SnapshotPolicy, StepDownPolicy};
use std::fmt;

openraft::declare_raft_types!(
    /// What consensus carries: ledger commands out, their outcomes back.
    pub TypeConfig:
        D = Proposal,
        R = Applied,
        NodeId = u64,
        Node = Peer,
);

/// The Raft handle over this storage.
pub type Raft = openraft::Raft<TypeConfig, crate::Machine>;
/// Who led a term: (term, node).
pub type LeaderId = openraft::alias::LeaderIdOf<TypeConfig>;
/// Place of an entry: leader and index.
pub type LogId = openraft::alias::LogIdOf<TypeConfig>;
/// A vote.
pub type Vote = openraft::alias::VoteOf<TypeConfig>;
/// An entry of the log.
pub type RaftEntry = openraft::alias::EntryOf<TypeConfig>;
/// Voters and learners.
pub type Membership = openraft::Membership<u64, Peer>;
/// A membership and the entry that set it.
pub type StoredMembership = openraft::alias::StoredMembershipOf<TypeConfig>;
/// What a snapshot covers.
pub type SnapshotMeta = openraft::alias::SnapshotMetaOf<TypeConfig>;
/// A snapshot: what it covers, and its file.
pub type RaftSnapshot = openraft::alias::SnapshotOf<TypeConfig, crate::SnapshotFile>;

/// A command on its way into the log, with the proposer's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// When it was proposed, by the proposer's clock.
    pub at: UnixMillis,
    /// What to do.
    pub command: Command,
}

/// A command too large for one record of the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("command takes {bytes} bytes in the log, at most {max} fit")]
pub struct TooLarge {
    /// Its size.
    pub bytes: usize,
    /// The most that fits.
    pub max: usize,
}

impl Proposal {
    /// Refuses a command that does not fit one record of the log.
    ///
    /// To be asked before proposing: the log itself can only stop the node on one that got that far.
    ///
    /// # Errors
    /// The size and the limit.
    pub fn check(&self) -> Result<(), TooLarge> {
        crate::format::check_command(&self.command)
    }
}

impl fmt::Display for Proposal {
    /// Its kind only: commands carry hashes and sealed secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", crate::format::command_name(&self.command))
    }
}

/// What an entry came to, once applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Log index.
    pub index: u64,
    /// What the command came to. `None` for entries of consensus itself (blank, membership).
    pub outcome: Option<Outcome>,
}

/// How to reach a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// `host:port` of its peer listener.
    pub addr: String,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.addr)
    }
}

/// How consensus is set, on every node alike.
///
/// Leader restore is off because it loses acknowledged writes: a leader that replicated ahead of its
/// own disk and was killed would take up its old term with a shorter log and give one log id to two
/// payloads. Pre-vote keeps a node that was cut off from deposing a healthy leader on its return. Log
/// reversion is never allowed: a follower whose log shrank has lost its disk.
#[must_use]
pub fn raft_config() -> Config {
    let election_timeout_max = 800;
    Config {
        cluster_name: "bursar".to_owned(),
        heartbeat_interval: 100,
        election_timeout_min: 400,
        election_timeout_max,
        install_snapshot_timeout: 30_000,
        // A record has up to 64 KiB: so many travel in one message that a slow follower can take in time.
        max_payload_entries: 64,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(20_000),
        max_in_snapshot_log_to_keep: 5_000,
        purge_batch_size: 512,
        removed_leader_step_down: StepDownPolicy::After(150),
        quorum_loss_probe_interval: Some(2 * election_timeout_max),
        enable_pre_vote: Some(true),
        enable_leader_restore: Some(false),
        allow_log_reversion: None,
        ..Config::default()
    }
}

/// The command inside an entry, if it carries one.
pub(crate) fn proposal_of(entry: &RaftEntry) -> Option<&Proposal> {
    match &entry.payload {
        EntryPayload::Normal(proposal) => Some(proposal),
        EntryPayload::Blank | EntryPayload::Membership(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_that_safety_rests_on_are_set_and_valid() {
        let config = raft_config().validate().unwrap();
        assert_eq!(config.enable_leader_restore, Some(false));
        assert_eq!(config.enable_pre_vote, Some(true));
        assert_eq!(config.allow_log_reversion, None);
    }
}
