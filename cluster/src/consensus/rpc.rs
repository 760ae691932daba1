//! The peer listener: every route opens the seal first, then looks who is meant.

use super::client::answer_aad;
use super::message::EnvelopeV1;
use super::node::Node;
use super::refusal::{self, Reason, Refusal};
use super::route::Route;
use super::{answers, bootstrap};
use crate::seal::SealError;
use axum::Router;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use storage::format;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

/// How long a request may take to arrive. Short in tests, which wait for it.
const ARRIVES_WITHIN: Duration = Duration::from_millis(if cfg!(test) { 1_000 } else { 10_000 });
/// Room for all large requests that are being read or answered, in KiB: four of the largest.
const LARGE_KIB_MAX: u32 = 4 * 33 * 1024;

/// Room for large requests: a stranger may send any, and is known as one only once all of it is read.
pub(crate) struct Intake(Semaphore);

impl Default for Intake {
    fn default() -> Intake {
        Intake(Semaphore::new(LARGE_KIB_MAX as usize))
    }
}

impl Intake {
    #[cfg(test)]
    fn room_kib(&self) -> usize {
        self.0.available_permits()
    }

    /// Reads a request, as long as its route allows. The permit goes with it.
    async fn read(
        &self,
        route: Route,
        body: Body,
    ) -> Result<(Bytes, Option<SemaphorePermit<'_>>), StatusCode> {
        let bytes_max = route.request_bytes_max();
        let stated = body.size_hint().upper().and_then(|bytes| usize::try_from(bytes).ok());
        let at_most = stated.unwrap_or(bytes_max);
        if at_most > bytes_max {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let arrive = async {
            // Heartbeats, votes and the like need no room, so nobody can keep them waiting for it.
            let room = if at_most > Route::SMALL_BYTES_MAX {
                let kib = u32::try_from(at_most / 1024 + 1).unwrap_or(LARGE_KIB_MAX);
                let room = self.0.acquire_many(kib.min(LARGE_KIB_MAX)).await;
                Some(room.map_err(|_closed| StatusCode::SERVICE_UNAVAILABLE)?)
            } else {
                None
            };
            let read = to_bytes(body, at_most).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
            Ok((read, room))
        };
        timeout(ARRIVES_WITHIN, arrive).await.unwrap_or(Err(StatusCode::REQUEST_TIMEOUT))
    }
}

/// All routes, each behind the seal.
pub(crate) fn router(node: Arc<Node>) -> Router {
    let mut router = Router::new();
    for route in Route::ALL {
        let handler = move |State(node): State<Arc<Node>>, body: Body| receive(node, route, body);
        router = router.route(route.path(), post(handler));
    }
    router.with_state(node)
}

async fn receive(node: Arc<Node>, route: Route, body: Body) -> Response {
    let (sealed, _room) = match node.intake.read(route, body).await {
        Ok(read) => read,
        Err(status) => return status.into_response(),
    };
    let opened = match open(&node, route, &sealed) {
        Ok(opened) => opened,
        Err(error) => {
            let count = node.refused.fetch_add(1, Ordering::Relaxed) + 1;
            // Anybody can send anything: told ever more seldom, so that it cannot fill the log.
            if count.is_power_of_two() {
                tracing::warn!(route = route.path(), %error, count, "peer request refused");
            }
            return StatusCode::FORBIDDEN.into_response();
        }
    };
    let result = match format::decode::<EnvelopeV1>(&opened) {
        Ok(envelope) => admit(&node, route, envelope).await,
        Err(error) => Err(error.into()),
    };
    let answer = refusal::answer(result);
    match format::encode(&answer) {
        Ok(frame) => node.sealer.seal(&answer_aad(route, &sealed), &frame).into_response(),
        Err(error) => {
            tracing::error!(route = route.path(), %error, "an answer does not fit a frame");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn open(node: &Node, route: Route, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
    let aad = route.path().as_bytes();
    if route.once_only() {
        node.sealer.open_once(aad, sealed, &node.replays)
    } else {
        node.sealer.open(aad, sealed)
    }
}

async fn admit(node: &Arc<Node>, route: Route, envelope: EnvelopeV1) -> Result<Vec<u8>, Refusal> {
    if *node.closing.borrow() {
        return Err(Refusal::new(Reason::NotReady, "this node is stopping"));
    }
    if route.of_consensus() {
        bootstrap::begin_if_promised(node, &envelope).await;
    }
    check_cluster(node, route, &envelope)?;
    check_receiver(node, &envelope)?;
    answers::answer(node, route, envelope).await
}

fn check_cluster(node: &Node, route: Route, envelope: &EnvelopeV1) -> Result<(), Refusal> {
    let wrong = |say: String| Err(Refusal::new(Reason::WrongCluster, say));
    let name = &node.settings.cluster_name;
    if envelope.cluster_name != *name {
        return wrong(format!("this is cluster {name}, not {}", envelope.cluster_name));
    }
    let own = node.identity.cluster_id().unwrap_or_default();
    let before_joining = own.is_empty() || envelope.cluster_id.is_empty();
    if before_joining && route.before_joining() || own == envelope.cluster_id && !own.is_empty() {
        return Ok(());
    }
    if own.is_empty() {
        return Err(Refusal::new(Reason::NotReady, node.phase()));
    }
    wrong(format!("this node belongs to cluster {own}, not {}", envelope.cluster_id))
}

fn check_receiver(node: &Node, envelope: &EnvelopeV1) -> Result<(), Refusal> {
    let uuid = node.identity.node_uuid();
    let named = envelope.to_raft != 0 || !envelope.to_uuid.is_empty();
    let right_id = envelope.to_raft == 0 || envelope.to_raft == node.id();
    let right_uuid = envelope.to_uuid.is_empty() || envelope.to_uuid == uuid;
    if named && right_id && right_uuid {
        return Ok(());
    }
    let say = format!(
        "this is node {uuid} with id {}, not {} with id {}",
        node.id(),
        envelope.to_uuid,
        envelope.to_raft
    );
    Err(Refusal::new(Reason::WrongReceiver, say))
}

#[cfg(test)]
mod tests;
