//! What nodes ask one another on behalf of whoever runs them: the cluster only carries it.

use super::client::CallError;
use super::message::{AskV1, ToldV1};
use super::node::Node;
use super::refusal::{Reason, Refusal};
use super::route::Route;
use crate::Unavailable;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use storage::format::v1::Bytes;

/// Answers what peers ask; see [`crate::Config::service`].
pub trait PeerService: Send + Sync {
    /// The answer, or `None` to a topic it does not know. At most 128 KiB go either way. The peer holds
    /// the cluster's secret; it may ask the same thing twice.
    fn answer(&self, topic: &str, body: Vec<u8>) -> BoxFuture<'_, Option<Vec<u8>>>;
}

/// Most bytes of a question or an answer: half of what a small message may have.
const BODY_BYTES_MAX: usize = Route::SMALL_BYTES_MAX / 2;

/// Asks a node; see [`crate::Cluster::ask_peer`].
pub(crate) async fn ask_peer(
    node: &Arc<Node>,
    raft_id: u64,
    question: AskV1,
    within: Duration,
) -> Result<Vec<u8>, Unavailable> {
    node.raft().map_err(|refusal| Unavailable::NotJoined(refusal.say))?;
    if raft_id == node.id() {
        let told = tokio::time::timeout(within, answer_here(node, question)).await;
        let late = |_| Unavailable::NotApplied { within, why: "no answer in time".to_owned() };
        let told = told.map_err(late)?;
        return told.map(|told| told.body.0).map_err(|no| Unavailable::Refused(no.say));
    }
    if question.body.0.len() > BODY_BYTES_MAX {
        return Err(Unavailable::Refused(too_long("question", question.body.0.len())));
    }
    let to = node.member(raft_id);
    if to.addr.is_empty() {
        return Err(Unavailable::NotApplied {
            within,
            why: format!("no node has the id {raft_id}"),
        });
    }
    let told: Result<ToldV1, _> = node.client.ask(Route::Service, &to, &question, within).await;
    told.map(|told| told.body.0).map_err(|error| match error {
        CallError::Refused(refusal) => match refusal.reason {
            Reason::Refused | Reason::Malformed => Unavailable::Refused(refusal.say),
            Reason::WrongCluster
            | Reason::WrongReceiver
            | Reason::NotReady
            | Reason::NotLeader
            | Reason::Unknown
            | Reason::NoRoom
            | Reason::Other(_) => Unavailable::NotApplied { within, why: refusal.say },
        },
        // Asking does nothing, so a lost answer is no answer.
        other @ (CallError::Unreachable { .. }
        | CallError::Lost { .. }
        | CallError::Stranger { .. }) => Unavailable::NotApplied { within, why: other.to_string() },
    })
}

/// Answers a peer.
pub(super) async fn answer_here(node: &Node, asked: AskV1) -> Result<ToldV1, Refusal> {
    let service = node.service.as_ref();
    let no_service = || Refusal::new(Reason::Refused, "this node answers no questions of peers");
    let service = service.ok_or_else(no_service)?;
    let Some(body) = service.answer(&asked.topic, asked.body.0).await else {
        let say = format!("this node does not know topic {:?}", asked.topic);
        return Err(Refusal::new(Reason::Refused, say));
    };
    if body.len() > BODY_BYTES_MAX {
        return Err(Refusal::new(Reason::Refused, too_long("answer", body.len())));
    }
    Ok(ToldV1 { body: Bytes(body) })
}

fn too_long(what: &str, bytes: usize) -> String {
    format!("the {what} has {bytes} bytes, at most {BODY_BYTES_MAX} are carried")
}
