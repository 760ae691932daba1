//! Joining a cluster that exists: an id from its log, then a place among the learners.

use super::bootstrap::on_disk;
use super::client::{CallError, To};
use super::message::{JoinV1, JoinedV1};
use super::node::Node;
use super::proposals;
use super::refusal::{Reason, Refusal};
use super::route::Route;
use crate::gossip::Heard;
use crate::upgrade::Formats;
use ledger::command::AllocateNode;
use ledger::{Command, NodeId, Outcome};
use openraft::errors::{ChangeMembershipError, ClientWriteError, RaftError};
use std::sync::Arc;
use std::time::Duration;
use storage::{Peer, TypeConfig};

/// How long one member is given to let a node in.
const JOIN_WITHIN: Duration = Duration::from_secs(6);
/// How long the leader waits for another change of the membership to finish, and how often it looks.
const CHANGE_TRIES: u32 = 20;
const CHANGE_PAUSE: Duration = Duration::from_millis(50);

/// Asks the members heard, one after another, to be let in.
pub(super) async fn join(node: &Arc<Node>, cluster_id: &str, heard: &[Heard]) {
    let ours = heard.iter().filter(|other| other.cluster_id.as_deref() == Some(cluster_id));
    for other in ours.filter(|other| other.live) {
        let Some(addr) = other.peer_addr.clone() else {
            continue;
        };
        let to = To { raft_id: 0, uuid: other.uuid.clone(), addr };
        node.set_phase(format!("asks to join cluster {cluster_id}"));
        match ask(node, &to).await {
            Ok(joined) if joined.cluster_id == cluster_id => match take(node, &joined).await {
                Ok(()) => return,
                Err(refusal) => node.set_phase(format!("could not join: {refusal}")),
            },
            Ok(joined) => node.set_phase(format!(
                "{} says it is of cluster {cluster_id} and let this node into {}",
                to.addr, joined.cluster_id
            )),
            Err(error) => node.set_phase(format!("not let in yet: {error}")),
        }
    }
}

async fn ask(node: &Node, to: &To) -> Result<JoinedV1, CallError> {
    let question = JoinV1 {
        uuid: node.identity.node_uuid(),
        label: node.settings.label.clone(),
        peer_addr: node.settings.peer_addr.clone(),
        version_min: Formats::OURS.min,
        version_max: Formats::OURS.max,
    };
    node.client.ask(Route::Join, to, &question, JOIN_WITHIN).await
}

/// Writes the place down and begins. The id first: until the cluster is set, asking again gives it again.
async fn take(node: &Arc<Node>, joined: &JoinedV1) -> Result<(), Refusal> {
    let mut place = node.place.lock().await;
    if let Some(promise) = node.identity.boot_promise() {
        let say = format!("promised to found cluster {} in the meantime", promise.cluster_id);
        return Err(Refusal::new(Reason::NotReady, say));
    }
    let identity = &node.identity;
    identity.set_raft_id(joined.raft_id).map_err(|error| on_disk(&error))?;
    let name = &node.settings.cluster_name;
    identity.set_cluster_name(name).map_err(|error| on_disk(&error))?;
    identity.set_cluster_id(&joined.cluster_id).map_err(|error| on_disk(&error))?;
    node.run_consensus(&mut place).await
}

/// Answers a node that wants to join; a node that does not lead passes it on, once.
pub(super) async fn admit(
    node: &Arc<Node>,
    from_uuid: &str,
    asked: JoinV1,
) -> Result<JoinedV1, Refusal> {
    node.raft()?;
    if node.leads() {
        return admit_here(node, asked).await;
    }
    let leader = node.leader().filter(|_| from_uuid == asked.uuid);
    let Some(leader) = leader else {
        return Err(Refusal::not_leader(None));
    };
    let to = node.member(leader);
    let passed_on = node.client.ask(Route::Join, &to, &asked, JOIN_WITHIN);
    passed_on.await.map_err(|error| Refusal::new(Reason::NotReady, error.to_string()))
}

async fn admit_here(node: &Arc<Node>, asked: JoinV1) -> Result<JoinedV1, Refusal> {
    let ledger = node.view.load();
    if ledger.cluster_id.is_empty() {
        return Err(Refusal::new(Reason::NotReady, "the cluster is not named yet"));
    }
    let formats = Formats { min: asked.version_min, max: asked.version_max };
    if !formats.read(ledger.cluster_version) {
        let say = format!(
            "this cluster works under version {}, the program that wants to join under {} to {}",
            ledger.cluster_version, formats.min, formats.max
        );
        return Err(Refusal::new(Reason::Refused, say));
    }
    let id = allocate(node, &asked).await?;
    let ledger = node.view.load();
    if ledger.nodes.get(&NodeId(id)).is_some_and(ledger::NodeRecord::is_retired) {
        let say = format!("node {} was removed for good: wipe its data directory", asked.uuid);
        return Err(Refusal::new(Reason::Refused, say));
    }
    add_learner(node, id, asked.peer_addr).await?;
    Ok(JoinedV1 { raft_id: id, cluster_id: ledger.cluster_id.clone() })
}

async fn allocate(node: &Arc<Node>, asked: &JoinV1) -> Result<u64, Refusal> {
    let command = AllocateNode { uuid: asked.uuid.clone(), label: asked.label.clone(), id: None };
    let committed = proposals::propose(node, Command::AllocateNode(command)).await;
    let committed = committed.map_err(|error| Refusal::new(Reason::NotReady, error.to_string()))?;
    match committed.outcome {
        Outcome::NodeAllocated(id) => Ok(id.0),
        Outcome::Done | Outcome::Refilled(_) | Outcome::Denied(_) => {
            let say = format!("the ledger gave no id: {:?}", committed.outcome);
            Err(Refusal::new(Reason::Refused, say))
        }
    }
}

/// Adds the node unless it is a member already; waits while another change is under way.
async fn add_learner(node: &Node, id: u64, addr: String) -> Result<(), Refusal> {
    let raft = node.raft()?;
    for _ in 0..CHANGE_TRIES {
        if node.membership().membership().get_node(&id).is_some() {
            return Ok(());
        }
        match raft.add_learner(id, Peer { addr: addr.clone() }, false).await {
            Ok(_) => return Ok(()),
            Err(error) if in_progress(&error) => tokio::time::sleep(CHANGE_PAUSE).await,
            Err(error) => return Err(Refusal::new(Reason::NotReady, error.to_string())),
        }
    }
    Err(Refusal::new(Reason::NotReady, "another change of the membership is under way"))
}

/// Whether another change of the membership stands in the way of this one.
pub(super) fn in_progress(error: &RaftError<TypeConfig, ClientWriteError<TypeConfig>>) -> bool {
    matches!(
        error,
        RaftError::APIError(ClientWriteError::ChangeMembershipError(
            ChangeMembershipError::InProgress(_)
        ))
    )
}
