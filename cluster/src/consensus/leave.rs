//! Handing over and going: leadership, allowances, membership.

use super::client::CallError;
use super::message::{IndexV1, OperateV1};
use super::node::Node;
use super::refusal::{Reason, Refusal};
use super::route::Route;
use super::sightings::lag;
use super::{autopilot, membership, proposals};
use crate::Unavailable;
use ledger::command::RetireNode;
use ledger::{Command, Denial, NodeId, Outcome};
use openraft::async_runtime::watch::WatchReceiver;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use storage::Raft;
use tokio::time::{Instant, timeout_at};

/// How long one voter is given to take over.
const TAKE_OVER_WITHIN: Duration = Duration::from_secs(2);
/// How many voters are tried.
const TRIES: usize = 3;
/// How long the leader tries to change the membership, and how often it looks.
const REMOVE_WITHIN: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// How long an operator's word to another node may take.
const OPERATE_WITHIN: Duration = Duration::from_secs(15);

/// Hands leadership over; see [`crate::Cluster::transfer_leader`].
pub(crate) async fn transfer(node: &Arc<Node>, to: Option<u64>) -> Result<u64, Unavailable> {
    let raft = node.raft().map_err(not_joined)?;
    let leader = node.leader();
    if leader != Some(node.id()) {
        return match (leader, to) {
            (Some(leader), Some(to)) if leader == to => Ok(leader),
            (_, to) => operate(node, OperateV1::TRANSFER, to.unwrap_or(0)).await,
        };
    }
    if to == Some(node.id()) {
        return Ok(node.id());
    }
    let able = await_heirs(node, raft, to).await;
    if able.is_empty() {
        return Err(Unavailable::Refused(
            "no other voter could take over: the last one stays".to_owned(),
        ));
    }
    for heir in able.into_iter().take(TRIES) {
        let asked = raft.trigger().transfer_leader(heir).await;
        asked.map_err(|fatal| Unavailable::Stopping(fatal.to_string()))?;
        if let Some(leader) = another_leads(node).await {
            return Ok(leader);
        }
    }
    Err(Unavailable::NotApplied {
        within: TAKE_OVER_WITHIN,
        why: "no other voter took over".to_owned(),
    })
}

/// Voters that could take over. A leader of late does not know yet how far the others have come, and
/// gossip may have missed one for a moment: that is waited for.
async fn await_heirs(node: &Node, raft: &Raft, to: Option<u64>) -> Vec<u64> {
    let deadline = Instant::now() + TAKE_OVER_WITHIN;
    let mut changes = node.changes.subscribe();
    loop {
        let able = heirs(node, raft, to);
        let voters = node.membership().membership().voter_ids().count();
        if !able.is_empty() || voters < 2 || !node.leads() || Instant::now() > deadline {
            return able;
        }
        let _ = timeout_at(Instant::now() + LOOK_AGAIN, changes.changed()).await;
    }
}

/// Voters that could take over, the most caught up first.
fn heirs(node: &Node, raft: &Raft, to: Option<u64>) -> Vec<u64> {
    let roster = membership::roster(node, raft);
    let metrics = raft.metrics().borrow_watched().clone();
    let mut able: Vec<_> = roster
        .nodes
        .iter()
        .filter(|other| other.voter && other.live && other.id != node.id())
        .filter(|other| to.map_or(!other.draining, |to| other.id == to))
        .filter_map(|other| Some((lag(&metrics, other.id)?, other.id)))
        .collect();
    able.sort_unstable();
    able.into_iter().map(|(_, id)| id).collect()
}

async fn another_leads(node: &Node) -> Option<u64> {
    let until = Instant::now() + TAKE_OVER_WITHIN;
    let mut changes = node.changes.subscribe();
    let another = async {
        loop {
            if let Some(leader) = node.leader().filter(|leader| *leader != node.id()) {
                return Some(leader);
            }
            changes.changed().await.ok()?;
        }
    };
    timeout_at(until, another).await.ok().flatten()
}

/// Hands everything over; see [`crate::Cluster::leave_politely`].
pub(crate) async fn leave_politely(node: &Arc<Node>, within: Duration) {
    let deadline = Instant::now() + within;
    node.announce_draining();
    if node.leads() {
        match timeout_at(deadline, transfer(node, None)).await {
            Ok(Ok(leader)) => tracing::info!(leader, "leadership handed over"),
            Ok(Err(error)) => tracing::info!(%error, "leadership was not handed over"),
            Err(_) => tracing::warn!("leadership was not handed over in time"),
        }
    }
    let left = deadline.saturating_duration_since(Instant::now());
    if !node.allowances.return_everything(left).await {
        tracing::warn!("not every allowance went back in time: what did not is in suspense");
    }
}

/// Removes a node for good; see [`crate::Cluster::remove`].
pub(crate) async fn remove(node: &Arc<Node>, raft_id: u64) -> Result<(), Unavailable> {
    node.raft().map_err(not_joined)?;
    let deadline = Instant::now() + REMOVE_WITHIN;
    loop {
        let removed = if node.leader() == Some(raft_id) {
            // Nobody removes itself: another leads first.
            transfer(node, None).await.map(|_| false)
        } else if node.leads() {
            remove_here(node, raft_id).await.map(|()| true).map_err(told)
        } else {
            operate(node, OperateV1::REMOVE, raft_id).await.map(|_| true)
        };
        match removed {
            Ok(true) => return Ok(()),
            // Leadership went on its way in between: nothing was done, or nothing more than once.
            Ok(false) | Err(Unavailable::NotApplied { .. }) if Instant::now() < deadline => {
                let mut changes = node.changes.subscribe();
                let _ = timeout_at(Instant::now() + LOOK_AGAIN, changes.changed()).await;
            }
            Ok(false) => {
                let why = "the node to remove leads again and again".to_owned();
                return Err(Unavailable::NotApplied { within: REMOVE_WITHIN, why });
            }
            Err(error) => return Err(error),
        }
    }
}

fn told(refusal: Refusal) -> Unavailable {
    if refusal.reason == Reason::Refused {
        Unavailable::Refused(refusal.say)
    } else {
        Unavailable::Unknown(refusal.say)
    }
}

/// Removes a node for good, on the leader.
pub(super) async fn remove_here(node: &Arc<Node>, raft_id: u64) -> Result<(), Refusal> {
    let deadline = Instant::now() + REMOVE_WITHIN;
    let mut changes = node.changes.subscribe();
    while node.membership().membership().get_node(&raft_id).is_some() {
        match let_go(node, raft_id).await {
            Err(refusal) if refusal.reason == Reason::Refused || Instant::now() > deadline => {
                return Err(refusal);
            }
            // Somebody else changed the membership in between, or it is not shown yet: look again.
            Ok(()) | Err(_) => {
                let look_again = deadline.min(Instant::now() + LOOK_AGAIN);
                let _ = timeout_at(look_again, changes.changed()).await;
            }
        }
    }
    let retire = Command::RetireNode(RetireNode { node: NodeId(raft_id) });
    let retired = proposals::propose(node, retire).await;
    match retired.map_err(|error| Refusal::new(Reason::Unknown, error.to_string()))?.outcome {
        Outcome::Denied(Denial::NotFound(..)) => {
            let say = format!("no node has the id {raft_id}");
            Err(Refusal::new(Reason::Refused, say))
        }
        Outcome::Done | Outcome::NodeAllocated(_) | Outcome::Refilled(_) | Outcome::Denied(_) => {
            Ok(())
        }
    }
}

/// One step: out of the voters, or out of the membership.
async fn let_go(node: &Arc<Node>, raft_id: u64) -> Result<(), Refusal> {
    let raft = node.raft()?;
    let stored = node.membership();
    if !stored.membership().voter_ids().any(|voter| voter == raft_id) {
        return membership::remove_nodes(raft, &stored, BTreeSet::from([raft_id])).await;
    }
    let roster = membership::roster(node, raft);
    let rest = autopilot::without(&roster, raft_id, &node.settings.tuning);
    if rest.is_empty() || raft_id == node.id() {
        let say = "nobody else could vote: the last voter stays";
        return Err(Refusal::new(Reason::Refused, say));
    }
    membership::set_voters(raft, &stored, rest).await
}

/// Passes an operator's word on to the leader; returns the leader afterwards.
async fn operate(node: &Node, what: u16, raft_id: u64) -> Result<u64, Unavailable> {
    let Some(leader) = node.leader().filter(|leader| *leader != node.id()) else {
        return Err(Unavailable::NotApplied {
            within: Duration::ZERO,
            why: "no leader is known".to_owned(),
        });
    };
    let question = OperateV1 { what, raft_id };
    let to = node.member(leader);
    let asked = node.client.ask(Route::Operate, &to, &question, OPERATE_WITHIN);
    match asked.await {
        Ok(IndexV1 { index }) => Ok(index),
        Err(CallError::Refused(refusal)) => Err(match refusal.reason {
            Reason::Refused => Unavailable::Refused(refusal.say),
            Reason::NotLeader => {
                Unavailable::NotApplied { within: OPERATE_WITHIN, why: refusal.say }
            }
            // It may have got half of the way; asking again goes on from there.
            Reason::WrongCluster
            | Reason::WrongReceiver
            | Reason::NotReady
            | Reason::Unknown
            | Reason::Malformed
            | Reason::NoRoom
            | Reason::Other(_) => Unavailable::Unknown(refusal.say),
        }),
        Err(error @ (CallError::Unreachable { .. } | CallError::Stranger { .. })) => {
            Err(Unavailable::NotApplied { within: OPERATE_WITHIN, why: error.to_string() })
        }
        Err(error @ CallError::Lost { .. }) => Err(Unavailable::Unknown(error.to_string())),
    }
}

/// Answers a node that passes an operator's word on. Not passed on again.
pub(super) async fn operate_here(node: &Arc<Node>, asked: OperateV1) -> Result<IndexV1, Refusal> {
    node.raft()?;
    if !node.leads() {
        return Err(Refusal::not_leader(node.leader()));
    }
    match asked.what {
        // Nobody removes itself: whoever asked has another lead first.
        OperateV1::REMOVE if asked.raft_id == node.id() => Err(Refusal::not_leader(None)),
        OperateV1::REMOVE => {
            remove_here(node, asked.raft_id).await?;
            Ok(IndexV1 { index: node.id() })
        }
        OperateV1::TRANSFER => {
            let to = (asked.raft_id != 0).then_some(asked.raft_id);
            let leader = transfer(node, to).await;
            let index = leader.map_err(|error| Refusal::new(Reason::Refused, error.to_string()))?;
            Ok(IndexV1 { index })
        }
        other => {
            let say = format!("this program does not know operation {other}");
            Err(Refusal::new(Reason::Refused, say))
        }
    }
}

fn not_joined(refusal: Refusal) -> Unavailable {
    Unavailable::NotJoined(refusal.say)
}
