//! The peer listener: every route opens the seal first, then looks who is meant.

use super::client::answer_aad;
use super::message::EnvelopeV1;
use super::node::Node;
use super::refusal::{self, Reason, Refusal};
use super::route::Route;
use super::{answers, bootstrap};
use crate::seal::SealError;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use storage::format::{self, FRAME_BYTES_MAX};

/// A frame, its envelope and its seal.
const BODY_BYTES_MAX: usize = FRAME_BYTES_MAX + 4096;

/// All routes, each behind the seal.
pub(crate) fn router(node: Arc<Node>) -> Router {
    let mut router = Router::new();
    for route in Route::ALL {
        let handler = move |State(node): State<Arc<Node>>, body: Bytes| receive(node, route, body);
        router = router.route(route.path(), post(handler));
    }
    router.layer(DefaultBodyLimit::max(BODY_BYTES_MAX)).with_state(node)
}

async fn receive(node: Arc<Node>, route: Route, sealed: Bytes) -> Response {
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
