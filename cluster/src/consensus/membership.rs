//! The leader's care for the membership: looks, decides, changes one thing at a time.

use super::autopilot::{self, Roster, Step};
use super::leave;
use super::node::Node;
use super::refusal::{Reason, Refusal};
use super::sightings::Scene;
use openraft::ChangeMembers;
use openraft::async_runtime::watch::WatchReceiver;
use openraft::raft::Precondition;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use storage::{Peer, Raft, StoredMembership};
use tokio::time::{Instant, timeout};

/// How long one change may take before the leader looks anew.
const CHANGE_WITHIN: Duration = Duration::from_secs(5);

/// Takes one step towards the membership there should be, if there is one to take.
pub(super) async fn tend(node: &Arc<Node>) {
    let Ok(raft) = node.raft() else {
        return;
    };
    let stored = node.membership();
    let Some(step) = autopilot::next(&roster(node, raft), &node.settings.tuning) else {
        return;
    };
    let (voters, why) = match step {
        Step::FinishJoint => (last_config(&stored), "a change was left half done"),
        Step::SetVoters { voters, why } => (voters, why),
        Step::Forget { node: old } => {
            tracing::info!(old, "another node has taken its place: it is removed for good");
            if let Err(refusal) = leave::remove_here(node, old).await {
                tracing::warn!(%refusal, "not removed; the next look tries again");
            }
            return;
        }
    };
    tracing::info!(?voters, why, "setting the voters");
    if let Err(refusal) = set_voters(raft, &stored, voters).await {
        tracing::warn!(%refusal, "the voters were not set; the next look tries again");
    }
}

/// The members as this leader sees them now.
pub(super) fn roster(node: &Node, raft: &Raft) -> Roster {
    let metrics = raft.metrics().borrow_watched().clone();
    let scene = Scene {
        metrics: &metrics,
        heard: &node.heard_members(),
        ledger: &node.view.load(),
        draining: node.is_draining(),
    };
    let mut sightings = node.sightings.lock().unwrap_or_else(PoisonError::into_inner);
    sightings.observe(&scene, Instant::now())
}

/// Makes exactly these the voters, unless the membership is another one by now. The others stay.
pub(super) async fn set_voters(
    raft: &Raft,
    stored: &StoredMembership,
    voters: BTreeSet<u64>,
) -> Result<(), Refusal> {
    change(raft, stored, ChangeMembers::ReplaceAllVoters(voters)).await
}

/// Lets members go that do not vote.
pub(super) async fn remove_nodes(
    raft: &Raft,
    stored: &StoredMembership,
    nodes: BTreeSet<u64>,
) -> Result<(), Refusal> {
    change(raft, stored, ChangeMembers::RemoveNodes(nodes)).await
}

async fn change(
    raft: &Raft,
    stored: &StoredMembership,
    change: ChangeMembers<u64, Peer>,
) -> Result<(), Refusal> {
    let unchanged = Precondition::LastMembershipLogId { last_membership_log_id: *stored.log_id() };
    let changed = raft.change_membership_if(change, true, [unchanged]);
    match timeout(CHANGE_WITHIN, changed).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Refusal::new(Reason::NotReady, error.to_string())),
        Err(_) => {
            let say = "the change of the membership was not agreed on in time";
            Err(Refusal::new(Reason::Unknown, say))
        }
    }
}

fn last_config(stored: &StoredMembership) -> BTreeSet<u64> {
    stored.membership().get_joint_config().last().cloned().unwrap_or_default()
}
