//! What a node does again and again: says how it is, enrols, and, where it leads, cares for the cluster.

use super::clock::Calendar;
use super::node::Node;
use super::{disk, membership, proposals};
use crate::gossip::{Heard, said};
use ledger::command::{AllocateNode, EnrolNode};
use ledger::{Command, Denial, NodeId, Outcome};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Whoever gossip has not heard so long after the start is silent.
const ALL_HEARD_WITHIN: Duration = Duration::from_secs(5);
/// Time between two rounds.
const ROUND: Duration = Duration::from_millis(200);
/// Rounds between two looks at the disk.
const DISK_ROUNDS: u64 = 25;

/// Keeps the address book, and what depends on who is heard, in step with gossip.
pub(crate) async fn follow_gossip(node: Arc<Node>) {
    let mut heard = node.gossip.changes();
    let mut closing = node.closing.subscribe();
    let all_heard_at = Instant::now() + ALL_HEARD_WITHIN;
    loop {
        let all_heard = Instant::now() >= all_heard_at;
        node.refresh_book();
        count_on(&node, all_heard);
        node.touch();
        tokio::select! {
            changed = heard.changed() => if changed.is_err() { return },
            () = sleep_until(all_heard_at), if !all_heard => {}
            _ = closing.wait_for(|closing| *closing) => return,
        }
    }
}

/// Tells allowances and rates how many nodes share, and once all had the time to be heard, which.
fn count_on(node: &Node, all_heard: bool) {
    let live: Vec<Heard> = node.heard_members().into_iter().filter(|other| other.live).collect();
    let nodes = live.len() + 1;
    node.allowances.set_active_nodes(u32::try_from(nodes).unwrap_or(u32::MAX));
    if all_heard {
        let life = |other: &Heard| Some((NodeId(other.raft_id?), other.incarnation));
        node.allowances.set_heard(live.iter().filter_map(life));
    }
    let members = node.membership().membership().nodes().count();
    node.rates.set_nodes(nodes as u64, members as u64);
}

/// Says how the node is, again and again.
pub(crate) async fn speak(node: Arc<Node>) {
    let mut said = Said::default();
    let mut round = 0_u64;
    let mut rounds = Rounds::new(&node);
    while rounds.next().await {
        said.say(&node);
        if round.is_multiple_of(DISK_ROUNDS) {
            disk::look(&node).await;
        }
        round += 1;
    }
}

/// Enrols, and cares for the cluster where the node leads, again and again.
pub(crate) async fn serve(node: Arc<Node>) {
    let mut rounds = Rounds::new(&node);
    let mut may_enrol = true;
    let mut calendar = Calendar::default();
    while rounds.next().await {
        if node.raft().is_err() {
            continue;
        }
        if node.leads() {
            lead(&node, &mut calendar).await;
        }
        if may_enrol && !node.enrolled.load(Ordering::Relaxed) {
            may_enrol = enrol(&node).await;
        }
    }
}

struct Rounds {
    closing: watch::Receiver<bool>,
    ticks: tokio::time::Interval,
}

impl Rounds {
    fn new(node: &Node) -> Rounds {
        let mut ticks = tokio::time::interval(ROUND);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        Rounds { closing: node.closing.subscribe(), ticks }
    }

    /// Waits for the next round; false when the node stops.
    async fn next(&mut self) -> bool {
        tokio::select! {
            _ = self.ticks.tick() => true,
            _ = self.closing.wait_for(|closing| *closing) => false,
        }
    }
}

/// What was said in gossip, so that it is not said again.
#[derive(Default)]
struct Said {
    applied: u64,
    ready: bool,
}

impl Said {
    fn say(&mut self, node: &Node) {
        let applied = node.view.applied_index();
        if applied != self.applied {
            node.gossip.say(said::APPLIED, &applied.to_string());
            self.applied = applied;
        }
        let ready = node.checks().iter().all(|check| check.ok);
        if ready != self.ready {
            node.gossip.say(said::READY, if ready { said::YES } else { said::NO });
            self.ready = ready;
            node.touch();
        }
    }
}

async fn lead(node: &Arc<Node>, calendar: &mut Calendar) {
    if node.view.load().cluster_id.is_empty() {
        return name_cluster(node).await;
    }
    membership::tend(node).await;
    calendar.roll(node).await;
}

/// The first entry of a new cluster's log. The ledger denies a second one.
async fn name_cluster(node: &Arc<Node>) {
    let Some(cluster_id) = node.identity.cluster_id() else {
        return;
    };
    let init = (node.settings.init_cluster)(&cluster_id);
    match proposals::propose(node, Command::InitCluster(init)).await {
        Ok(_) => tracing::info!(cluster_id, "cluster founded"),
        Err(error) => tracing::warn!(%error, "the cluster was not named yet"),
    }
}

/// Begins this life of the node in the ledger: until then it may not spend. False: it never will.
async fn enrol(node: &Arc<Node>) -> bool {
    let (id, incarnation) = (NodeId(node.id()), node.identity.incarnation());
    let waits = node.leader().is_none() || node.view.load().cluster_id.is_empty();
    if waits || !is_allocated(node, id).await {
        return true;
    }
    let command = Command::EnrolNode(EnrolNode { id, incarnation });
    let committed = match proposals::propose(node, command).await {
        Ok(committed) => committed,
        Err(error) => {
            tracing::debug!(%error, "not enrolled yet");
            return true;
        }
    };
    if let Outcome::Denied(denial) = &committed.outcome {
        node.set_phase(denied(denial, incarnation));
        return !matches!(denial, Denial::StaleIncarnation { .. });
    }
    // Applied here, so everything before it is, too.
    if node.view.applied_index() >= committed.index {
        node.enrolled.store(true, Ordering::Release);
        node.set_phase("member");
        node.touch();
    }
    true
}

/// Joiners' ids come from the ledger; founders bring theirs.
async fn is_allocated(node: &Arc<Node>, id: NodeId) -> bool {
    if node.view.load().nodes.contains_key(&id) {
        return true;
    }
    let allocate = Command::AllocateNode(AllocateNode {
        uuid: node.identity.node_uuid(),
        label: node.settings.label.clone(),
        id: Some(id),
    });
    let allocated = proposals::propose(node, allocate).await;
    allocated.inspect_err(|error| tracing::debug!(%error, "not known to the ledger yet")).is_ok()
}

fn denied(denial: &Denial, incarnation: u64) -> String {
    match denial {
        Denial::StaleIncarnation { present } if *present == ledger::NodeRecord::RETIRED => {
            "this node was removed from the cluster for good: wipe its data directory".to_owned()
        }
        other => format!("the ledger does not take life {incarnation} of this node: {other:?}"),
    }
}
