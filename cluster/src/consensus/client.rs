//! Asking peers: sealed frames over HTTP/2, a connection for each kind of traffic.

use super::message::{AnswerV1, EnvelopeV1};
use super::refusal::{self, Refusal};
use super::route::Route;
use crate::seal::Sealer;
use std::sync::Arc;
use std::time::Duration;
use storage::Identity;
use storage::format::v1::Bytes;
use storage::format::{self, Body, FRAME_BYTES_MAX};

/// A connection that waits for nothing but its own kind of traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Entries.
    Replication,
    /// Heartbeats, votes.
    Heartbeat,
    /// Snapshots.
    Snapshot,
    /// Everything else.
    Control,
}

/// How a message goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub(crate) lane: Lane,
    pub(crate) route: Route,
    /// How long its answer is waited for.
    pub(crate) within: Duration,
}

/// Whom to ask. One of `raft_id` and `uuid` may be unknown: zero, empty.
#[derive(Clone, Debug)]
pub(crate) struct To {
    pub(crate) raft_id: u64,
    pub(crate) uuid: String,
    pub(crate) addr: String,
}

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// It was never sent.
    #[error("{addr} cannot be reached: {why}")]
    Unreachable { addr: String, why: String },
    /// It was sent, and what came of it is not known.
    #[error("{addr} did not answer: {why}")]
    Lost { addr: String, why: String },
    /// What one of the two seals, the other does not take: their secrets differ, or their clocks do.
    #[error(
        "{addr} takes no message of this node: it holds another cluster secret, or their clocks are minutes apart: {why}"
    )]
    Stranger { addr: String, why: String },
    /// The peer says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl CallError {
    /// Whether the peer certainly did not do what it was asked.
    pub(crate) fn certainly_not_done(&self) -> bool {
        match self {
            CallError::Unreachable { .. } | CallError::Stranger { .. } => true,
            CallError::Lost { .. } => false,
            CallError::Refused(refusal) => refusal.reason != super::refusal::Reason::Unknown,
        }
    }
}

/// Asks peers. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct PeerClient {
    cluster_name: Arc<str>,
    identity: Identity,
    sealer: Arc<Sealer>,
    lanes: [reqwest::Client; 4],
}

impl PeerClient {
    /// # Errors
    ///
    /// Where the system gives no HTTP client.
    pub(crate) fn new(
        cluster_name: &str,
        identity: Identity,
        sealer: Arc<Sealer>,
    ) -> Result<PeerClient, reqwest::Error> {
        Ok(PeerClient {
            cluster_name: cluster_name.into(),
            identity,
            sealer,
            lanes: [connection()?, connection()?, connection()?, connection()?],
        })
    }

    /// Sends a message and waits for its answer.
    pub(crate) async fn ask<Q: Body, A: Body>(
        &self,
        route: Route,
        to: &To,
        question: &Q,
        within: Duration,
    ) -> Result<A, CallError> {
        let message = format::encode(question).map_err(Refusal::from)?;
        let answer = self.call(Way { lane: Lane::Control, route, within }, to, message).await?;
        Ok(format::decode(&answer).map_err(Refusal::from)?)
    }

    /// Sends a frame and waits for the frame that answers it.
    pub(crate) async fn call(
        &self,
        way: Way,
        to: &To,
        message: Vec<u8>,
    ) -> Result<Vec<u8>, CallError> {
        let Way { lane, route, within } = way;
        let envelope = self.envelope(to, message);
        let frame = format::encode(&envelope).map_err(Refusal::from)?;
        let sealed = self.sealer.seal(route.path().as_bytes(), &frame);
        let answer_to = answer_aad(route, &sealed);
        let sent = self.lanes[lane as usize]
            .post(format!("http://{}{}", to.addr, route.path()))
            .timeout(within)
            .body(sealed)
            .send()
            .await;
        let response = sent.map_err(|error| unanswered(&to.addr, &error))?;
        let (addr, why) = (to.addr.clone(), response.status().to_string());
        match response.status() {
            status if status.is_success() => {}
            reqwest::StatusCode::FORBIDDEN => return Err(CallError::Stranger { addr, why }),
            // Whoever says so may have done what it was asked first.
            _other => return Err(CallError::Lost { addr, why }),
        }
        let sealed = read(response, &to.addr).await?;
        // The peer took the request, so it holds the secret; an answer that does not open was changed
        // on its way, and what came of the request is not known.
        let lost = |why: String| CallError::Lost { addr: to.addr.clone(), why };
        let opened = self.sealer.open(&answer_to, &sealed);
        let frame = opened.map_err(|error| lost(error.to_string()))?;
        let answer: AnswerV1 = format::decode(&frame).map_err(|error| lost(error.to_string()))?;
        Ok(refusal::result(answer)?)
    }

    fn envelope(&self, to: &To, message: Vec<u8>) -> EnvelopeV1 {
        EnvelopeV1 {
            cluster_name: self.cluster_name.to_string(),
            cluster_id: self.identity.cluster_id().unwrap_or_default(),
            from_uuid: self.identity.node_uuid(),
            from_raft: self.identity.raft_id().unwrap_or(0),
            to_uuid: to.uuid.clone(),
            to_raft: to.raft_id,
            message: Bytes(message),
        }
    }
}

/// What an answer is bound to: the route, and the one request it answers by its nonce.
pub(crate) fn answer_aad(route: Route, request: &[u8]) -> Vec<u8> {
    let mut aad = b"answer to ".to_vec();
    aad.extend_from_slice(route.path().as_bytes());
    aad.extend_from_slice(blake3::hash(&request[..request.len().min(64)]).as_bytes());
    aad
}

fn connection() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .http2_prior_knowledge()
        .http2_initial_stream_window_size(4 * 1024 * 1024)
        .http2_initial_connection_window_size(8 * 1024 * 1024)
        .http2_keep_alive_interval(Duration::from_secs(1))
        .http2_keep_alive_timeout(Duration::from_secs(2))
        .http2_keep_alive_while_idle(true)
        .connect_timeout(Duration::from_secs(1))
        .build()
}

fn unanswered(addr: &str, error: &reqwest::Error) -> CallError {
    let addr = addr.to_owned();
    let mut why = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        why = cause.to_string();
        source = cause.source();
    }
    if error.is_connect() || error.is_builder() {
        CallError::Unreachable { addr, why }
    } else {
        CallError::Lost { addr, why }
    }
}

/// Reads an answer, at most as long as a frame with its seal can be: it may come from anybody.
async fn read(mut response: reqwest::Response, addr: &str) -> Result<Vec<u8>, CallError> {
    let mut bytes = Vec::new();
    loop {
        let chunk = response.chunk().await.map_err(|error| unanswered(addr, &error))?;
        let Some(chunk) = chunk else {
            return Ok(bytes);
        };
        bytes.extend_from_slice(&chunk);
        if bytes.len() > FRAME_BYTES_MAX + 1024 {
            return Err(CallError::Lost {
                addr: addr.to_owned(),
                why: "its answer is too long".to_owned(),
            });
        }
    }
}
