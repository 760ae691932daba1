//! Members come and go: one joins on an empty disk and votes, one leaves politely or is removed while it
//! goes on, as one that nobody hears would.

use super::node::{Fate, Node};
use super::scene::allocate;
use super::world::World;
use ledger::command::RetireNode;
use ledger::{Command, NodeId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use storage::Peer;
use storage::openraft::ChangeMembers;
use tokio::time::{Instant, sleep, timeout};

/// How long a change of the membership is tried, and one try of it.
const CHANGED_WITHIN: Duration = Duration::from_secs(15);
const TRY_WITHIN: Duration = Duration::from_secs(3);
/// Pause between two tries.
const AGAIN_AFTER: Duration = Duration::from_millis(200);
/// How long a node that leaves politely has to give everything back.
const LEAVES_WITHIN: Duration = Duration::from_secs(3);
/// Fewest voters there are.
const VOTERS_MIN: usize = 3;

/// A node that was never there joins, or one that is there goes for good. One change at a time.
pub(crate) async fn churn(world: &Arc<World>) {
    let Ok(_only) = world.churning.try_lock() else { return };
    let spare = world.slots.keys().copied().find(|id| *id > world.allocated());
    let may_go = world.members().len() > VOTERS_MIN;
    match spare {
        Some(id) if !may_go || world.draw(|dice| dice.chance(40)) => join(world, id).await,
        Some(_) | None if may_go => {
            let members: Vec<u64> = world.members().into_iter().collect();
            let id = world.draw(|dice| *dice.pick(&members));
            if world.draw(|dice| dice.chance(50)) {
                leave(world, id).await;
            } else {
                remove(world, id).await;
            }
        }
        Some(_) | None => {}
    }
}

/// Begins on an empty disk, learns, and then votes.
async fn join(world: &Arc<World>, id: u64) {
    world.note("joins", [id, 0, 0]);
    if !propose(world, allocate(id)).await {
        return;
    }
    world.admit(id);
    Node::start(world, id);
    let peer = BTreeMap::from([(id, Peer { addr: id.to_string() })]);
    if !change(world, || ChangeMembers::AddNodes(peer.clone())).await {
        world.dismiss(id);
        Node::crash(world, id);
        return;
    }
    sleep(world.span(100, 3_000)).await;
    // Where that fails it goes on learning.
    change(world, || ChangeMembers::AddVoterIds(BTreeSet::from([id]))).await;
    world.note("joined", [id, 0, 0]);
}

/// Gives everything back, and goes once it votes no more.
async fn leave(world: &Arc<World>, id: u64) {
    world.note("leaves", [id, 0, 0]);
    if let Some(node) = world.node(id) {
        let allowances = Arc::clone(&node.seen.allowances);
        let giving = node.life.spawn(async move {
            let gave = allowances.return_everything(LEAVES_WITHIN).await;
            allowances.end_journal();
            gave
        });
        // It may be killed meanwhile.
        let gave = giving.await.unwrap_or(false);
        world.note("gave back", [id, u64::from(gave), 0]);
    }
    let is_out = out(world, id).await;
    Node::crash(world, id);
    if !is_out {
        Node::start(world, id);
    }
}

/// Is removed by an operator, does not hear of it, and goes on for a while.
async fn remove(world: &Arc<World>, id: u64) {
    world.note("removed", [id, 0, 0]);
    if out(world, id).await {
        sleep(world.span(100, 4_000)).await;
        Node::crash(world, id);
    }
}

/// Out of the voters, out of the members, and out of the ledger; false where it stays.
async fn out(world: &Arc<World>, id: u64) -> bool {
    world.dismiss(id);
    if !change(world, || ChangeMembers::RemoveVoters(BTreeSet::from([id]))).await {
        world.admit(id);
        return false;
    }
    change(world, || ChangeMembers::RemoveNodes(BTreeSet::from([id]))).await;
    propose(world, Command::RetireNode(RetireNode { node: NodeId(id) })).await;
    world.note("is out", [id, 0, 0]);
    true
}

/// Has whoever leads change the membership; gives up after a while, for the cluster may be in pieces.
async fn change(world: &Arc<World>, what: impl Fn() -> ChangeMembers<u64, Peer>) -> bool {
    let deadline = Instant::now() + CHANGED_WITHIN;
    while Instant::now() < deadline {
        if let Some(node) = leading(world) {
            let (what, changing) = (what(), Arc::clone(&node));
            let change = node.life.spawn(async move {
                let changed = changing.raft.change_membership(what, true);
                matches!(timeout(TRY_WITHIN, changed).await, Ok(Ok(_)))
            });
            if change.await.unwrap_or(false) {
                return true;
            }
        }
        sleep(AGAIN_AFTER).await;
    }
    world.note("membership not changed", [0, 0, 0]);
    false
}

fn leading(world: &World) -> Option<Arc<Node>> {
    let leads = |node: &Arc<Node>| node.leader() == Some(node.id);
    world.nodes().into_iter().find(leads)
}

/// Has any node put a command into the log; whether that went well.
async fn propose(world: &Arc<World>, command: Command) -> bool {
    let deadline = Instant::now() + CHANGED_WITHIN;
    while Instant::now() < deadline {
        let nodes = world.nodes();
        if !nodes.is_empty() {
            let node = world.draw(|dice| Arc::clone(dice.pick(&nodes)));
            if let Some(Fate::Applied(_)) = node.life_propose(command.clone()).await {
                return true;
            }
        }
        sleep(AGAIN_AFTER).await;
    }
    false
}
