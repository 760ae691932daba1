//! The node that is asked.

use super::cluster::{ClusterStatus, Id};
use crate::admin::call::{Read, Write, told};
use crate::admin::probes::Check;
use crate::admin::read_body::Query;
use crate::admin::{Admin, Answer, Problem};
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The node that is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Node {
    /// Its number; absent until it belongs to a cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// Its name for people.
    pub label: String,
    /// Program version.
    pub version: String,
    /// Process id.
    pub pid: u32,
    /// Seconds since it started.
    pub uptime_seconds: u64,
    /// Starts so far.
    pub incarnation: u64,
    /// Where callers reach it.
    pub base_url: String,
    /// Where operators reach it.
    pub admin_url: String,
    /// Whether it takes requests.
    pub ready: bool,
    /// Whether it is on its way out.
    pub draining: bool,
    /// Conditions of readiness.
    pub checks: Vec<Check>,
    /// Requests in flight, streams included.
    pub requests_in_flight: u64,
    /// Streams in flight.
    pub streams_in_flight: u64,
    /// Log index applied here.
    pub applied_index: u64,
}

/// How much of each there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counts {
    /// Keys that are not revoked.
    pub keys: usize,
    /// Budgets.
    pub budgets: usize,
    /// Providers.
    pub providers: usize,
    /// Aliases.
    pub aliases: usize,
}

/// How a credential of a provider fares on the node that is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProviderDoor {
    /// The provider.
    pub provider: String,
    /// Its credential.
    pub credential: String,
    /// It failed of late: others are asked before it.
    pub passed_over: bool,
    /// For how long from now on, in milliseconds.
    pub passed_over_for_ms: u64,
    /// Failures since the last answer.
    pub failures_in_a_row: u32,
    /// Times it began to be passed over, since the provider was set as it is.
    pub times_passed_over: u64,
}

/// All of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProviderDoors {
    /// By provider, then as the operator listed the credentials. One that nothing was asked of yet may be
    /// missing.
    pub items: Vec<ProviderDoor>,
}

/// Everything at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Status {
    /// The node that is asked.
    pub node: Node,
    /// The cluster, seen from it.
    pub cluster: ClusterStatus,
    /// How much of each there is.
    pub counts: Counts,
}

/// What a node says of itself.
pub trait Nodes {
    /// The node itself.
    fn node(&self) -> Node;

    /// How much of each there is.
    fn counts(&self) -> Counts;

    /// How providers fare on this node.
    fn doors(&self) -> Vec<ProviderDoor>;

    /// Begins to leave, as SIGTERM does.
    fn begin_drain(&self);
}

pub(in crate::admin) fn router<A: Admin>() -> Router<Arc<A>> {
    Router::new()
        .route("/status", get(status::<A>))
        .route("/nodes/self", get(node::<A>))
        .route("/nodes/self/providers", get(doors::<A>))
        .route("/nodes/self:drain", post(drain::<A>))
}

/// Shows the node, the cluster and how much of each there is.
#[utoipa::path(get, path = "/admin/v1/status", tag = "nodes", operation_id = "status", params(Read), responses(
    (status = 200, body = Status), (status = "default", body = Problem)))]
pub(in crate::admin) async fn status<A: Admin>(
    State(admin): State<Arc<A>>,
    Query(read): Query<Read>,
) -> Answer<Response> {
    let index = admin.fresh(read).await?;
    let status =
        Status { node: admin.node(), cluster: admin.cluster_status(), counts: admin.counts() };
    Ok(told(status, index))
}

/// Shows the node that is asked.
#[utoipa::path(get, path = "/admin/v1/nodes/self", tag = "nodes", operation_id = "read_node", params(Read), responses(
    (status = 200, body = Node), (status = "default", body = Problem)))]
pub(in crate::admin) async fn node<A: Admin>(
    State(admin): State<Arc<A>>,
    Query(read): Query<Read>,
) -> Answer<Response> {
    let index = admin.fresh(read).await?;
    Ok(told(admin.node(), index))
}

/// Shows which providers the node that is asked passes over for now, because they failed.
#[utoipa::path(get, path = "/admin/v1/nodes/self/providers", tag = "nodes", operation_id = "provider_doors", responses(
    (status = 200, body = ProviderDoors), (status = "default", body = Problem)))]
pub(in crate::admin) async fn doors<A: Admin>(State(admin): State<Arc<A>>) -> Answer<Response> {
    Ok(told(ProviderDoors { items: admin.doors() }, admin.applied_index()))
}

/// Begins to leave, as SIGTERM does: not ready at once, requests in flight finish, then the process ends.
#[utoipa::path(post, path = "/admin/v1/nodes/self:drain", tag = "nodes", operation_id = "drain_node", responses(
    (status = 200, body = Node), (status = "default", body = Problem)))]
pub(in crate::admin) async fn drain<A: Admin>(
    State(admin): State<Arc<A>>,
    _write: Write,
) -> Answer<Response> {
    admin.begin_drain();
    Ok(told(admin.node(), admin.applied_index()))
}
