//! The cluster: who is in it, who leads, who leaves.

use crate::admin::call::{Listed, Read, Write, told};
use crate::admin::probes::Check;
use crate::admin::read_body::{Body, Query};
use crate::admin::{Admin, Answer, Problem};
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{delete, get, post};
use serde::{Deserialize, Serialize, Serializer};
use std::sync::Arc;
use utoipa::ToSchema;

/// Number of a node. Text in JSON: it may have more digits than a double holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, example = "5764607523034234881")]
pub struct Id(pub u64);

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// What a member does in consensus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Proposes and replicates.
    Leader,
    /// Votes and keeps the log.
    Voter,
    /// Keeps the log and does not vote.
    Learner,
    /// Heard of, and not in the present membership.
    Unknown,
}

/// Whether a member is heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MemberState {
    /// Heard lately.
    Live,
    /// Not heard lately.
    Silent,
    /// Live, and on its way out.
    Draining,
}

/// One node, as the node that was asked knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Member {
    /// Its number: what DELETE and transfer-leader take.
    pub id: Id,
    /// Its name for people.
    pub label: String,
    /// What it does in consensus.
    pub role: Role,
    /// Whether it is heard of.
    pub state: MemberState,
    /// `host:port` of its peer listener.
    pub peer_addr: String,
    /// Where callers reach it.
    pub base_url: String,
    /// Where operators reach it.
    pub admin_url: String,
    /// Program version.
    pub version: String,
    /// Log index it said it applied.
    pub applied_index: u64,
    /// Starts so far.
    pub incarnation: u64,
    /// Identity of its data directory.
    pub uuid: String,
}

/// How the cluster stands, seen from the node that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ClusterStatus {
    /// Empty until the node belongs to a cluster.
    pub cluster_id: String,
    /// Name given by the configuration.
    pub cluster_name: String,
    /// The node that was asked; absent until it has a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_id: Option<Id>,
    /// What the node is doing or waiting for.
    pub phase: String,
    /// Present term.
    pub term: u64,
    /// Who leads; absent: nobody, or it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leader: Option<Id>,
    /// A leader is known and more than half of the voters are live.
    pub quorum_ok: bool,
    /// Numbers of the voters.
    pub voters: Vec<Id>,
    /// Numbers of the learners.
    pub learners: Vec<Id>,
    /// Log index known to be committed.
    pub committed_index: u64,
    /// Log index applied here.
    pub applied_index: u64,
    /// Last log index here.
    pub last_log_index: u64,
    /// Copies on voters' disks that an acknowledged write has.
    pub write_copies: usize,
    /// Conditions of readiness.
    pub checks: Vec<Check>,
    /// What an operator should know.
    pub warnings: Vec<String>,
}

/// To whom leadership goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TransferLeader {
    /// Number or label of a voter. Absent: whoever is most caught up.
    pub to: Option<String>,
}

/// Who leads now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Leader {
    /// Number of the leader.
    pub leader: Id,
}

/// Who was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Removed {
    /// Number of the node.
    pub removed: Id,
}

/// What a node does for the cluster.
pub trait ClusterAdmin {
    /// How the cluster stands.
    fn cluster_status(&self) -> ClusterStatus;

    /// The nodes, by number.
    fn members(&self) -> Vec<Member>;

    /// Hands leadership over.
    fn transfer_leader(&self, to: TransferLeader) -> impl Future<Output = Answer<Leader>> + Send;

    /// Removes a node for good, by number or label.
    fn remove_member(&self, member: String) -> impl Future<Output = Answer<Removed>> + Send;
}

pub(in crate::admin) fn router<A: Admin>() -> Router<Arc<A>> {
    Router::new()
        .route("/cluster", get(status::<A>))
        .route("/cluster/members", get(members::<A>))
        .route("/cluster/members/{member}", delete(remove::<A>))
        .route("/cluster:transfer-leader", post(transfer_leader::<A>))
}

/// Shows how the cluster stands, seen from this node.
#[utoipa::path(get, path = "/admin/v1/cluster", tag = "cluster", operation_id = "cluster_status", params(Read), responses(
    (status = 200, body = ClusterStatus), (status = "default", body = Problem)))]
pub(in crate::admin) async fn status<A: Admin>(
    State(admin): State<Arc<A>>,
    Query(read): Query<Read>,
) -> Answer<Response> {
    let index = admin.fresh(read).await?;
    Ok(told(admin.cluster_status(), index))
}

/// Lists the nodes.
#[utoipa::path(get, path = "/admin/v1/cluster/members", tag = "cluster", operation_id = "list_members", params(Read), responses(
    (status = 200, body = Listed<Member>), (status = "default", body = Problem)))]
pub(in crate::admin) async fn members<A: Admin>(
    State(admin): State<Arc<A>>,
    Query(read): Query<Read>,
) -> Answer<Response> {
    let index = admin.fresh(read).await?;
    let items = admin.members();
    Ok(told(Listed { items, next_cursor: None }, index))
}

/// Removes a node for good, by number or label. What it was granted stays counted as spent.
#[utoipa::path(delete, path = "/admin/v1/cluster/members/{member}", tag = "cluster", operation_id = "remove_member",
    params(("member" = String, Path,)), responses(
    (status = 200, body = Removed), (status = "default", body = Problem)))]
pub(in crate::admin) async fn remove<A: Admin>(
    State(admin): State<Arc<A>>,
    Path(member): Path<String>,
    _write: Write,
) -> Answer<Response> {
    let removed = admin.remove_member(member).await?;
    Ok(told(removed, admin.applied_index()))
}

/// Hands leadership to another voter.
#[utoipa::path(post, path = "/admin/v1/cluster:transfer-leader", tag = "cluster", operation_id = "transfer_leader", request_body = TransferLeader,
    responses((status = 200, body = Leader), (status = "default", body = Problem)))]
pub(in crate::admin) async fn transfer_leader<A: Admin>(
    State(admin): State<Arc<A>>,
    _write: Write,
    Body(to): Body<TransferLeader>,
) -> Answer<Response> {
    let leader = admin.transfer_leader(to).await?;
    Ok(told(leader, admin.applied_index()))
}
