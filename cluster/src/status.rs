//! How the cluster looks from one node: for status pages, readiness and the routing of operators' calls.

/// What a member does in consensus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Proposes and replicates.
    Leader,
    /// Votes and keeps the log.
    Voter,
    /// Keeps the log and does not vote.
    Learner,
    /// Heard of in gossip, or in the ledger, and not in the present membership.
    Unknown,
}

/// Whether a member is heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberState {
    /// Heard in gossip lately, or it is this node.
    Live,
    /// Not heard lately.
    Silent,
    /// Live, and on its way out.
    Draining,
}

/// One node as this one knows it. All but `raft_id`, `uuid` and `role` is hearsay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its Raft id.
    pub raft_id: u64,
    /// Identity of its data directory.
    pub uuid: String,
    /// Its name for people.
    pub label: String,
    /// What it does in consensus.
    pub role: Role,
    /// Whether it is heard of.
    pub state: MemberState,
    /// `host:port` of its peer listener.
    pub peer_addr: String,
    /// Where clients reach it; empty where unknown.
    pub base_url: String,
    /// Where operators reach it; empty where unknown.
    pub admin_url: String,
    /// Its program version; empty where unknown.
    pub version: String,
    /// Log index of the last entry it said it applied.
    pub applied_index: u64,
    /// Its present life: rises by one at each start.
    pub incarnation: u64,
}

/// One condition of readiness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// `joined`, `caught_up`, `allowances_askable` or `not_draining`.
    pub name: &'static str,
    /// Whether it holds.
    pub ok: bool,
    /// What is so, or what is missing, for people.
    pub say: String,
}

/// How the cluster stands, seen from this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Empty until the node belongs to a cluster.
    pub cluster_id: String,
    /// Name given by the configuration.
    pub cluster_name: String,
    /// The replicated version of the cluster's formats; zero until it is founded.
    pub cluster_version: u32,
    /// This node's Raft id, once it has one.
    pub raft_id: Option<u64>,
    /// Identity of this node's data directory.
    pub uuid: String,
    /// This node's present life.
    pub incarnation: u64,
    /// What the node is waiting for or doing, for people.
    pub phase: String,
    /// Present term.
    pub term: u64,
    /// Raft id of the leader this node follows.
    pub leader: Option<u64>,
    /// Log index known to be committed.
    pub committed: u64,
    /// Log index applied here.
    pub applied: u64,
    /// Last log index here.
    pub last_log: u64,
    /// Conditions of readiness; the node is ready when all hold.
    pub checks: Vec<Check>,
    /// Raft ids of the voters.
    pub voters: Vec<u64>,
    /// Raft ids of the learners.
    pub learners: Vec<u64>,
    /// A leader is known and more than half of the voters are live.
    pub quorum_ok: bool,
    /// Disks an acknowledged write is on at least: it survives the loss of one less than that.
    pub write_copies: usize,
    /// What an operator should know: one voter only, another cluster of the same name, and the like.
    pub warnings: Vec<String>,
}

impl Status {
    /// Whether every check holds.
    pub fn ready(&self) -> bool {
        self.checks.iter().all(|check| check.ok)
    }
}
