//! What a node does again and again: enrols, and where it leads, keeps the calendar.

use super::broken::Break;
use super::net::{Answer, Ask};
use super::node::{Fate, Node};
use futures_util::future::join_all;
use ledger::command::{EnrolNode, WriteOff};
use ledger::view::due;
use ledger::{Command, Ledger, NodeId, Word};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Time between two rounds.
const ROUND: Duration = Duration::from_millis(200);
/// How long a voter is given to say what time it is.
const CLOCK_WITHIN: Duration = Duration::from_millis(500);
/// A past period is closed so long after its end. Shorter than in the product, so that it happens.
const CLOSE_AFTER_MS: u64 = 12_000;
/// The mistake of taking back by time what a silent node was granted: after so long.
const TTL: Duration = Duration::from_secs(2);

/// Enrols, and cares for the cluster where the node leads, again and again.
pub(crate) async fn serve(node: Arc<Node>) {
    let mut silent = Silent::default();
    loop {
        sleep(ROUND).await;
        enrol(&node).await;
        if node.leader() == Some(node.id) {
            roll(&node).await;
            if node.world.is_broken(Break::ReclaimByTtl) {
                silent.reclaim(&node).await;
            }
        }
    }
}

/// Begins this life in the ledger, once its node is known there.
async fn enrol(node: &Arc<Node>) {
    let (id, incarnation) = node.life_id();
    let present = node.ledger().nodes.get(&id).map(|record| record.incarnation);
    if present.is_some_and(|present| present < incarnation) {
        node.propose(Command::EnrolNode(EnrolNode { id, incarnation })).await;
    }
}

/// Opens what is due and closes what is long past, where this node's clock is right.
async fn roll(node: &Arc<Node>) {
    let (ledger, now) = (node.ledger(), node.world.clock(node.id));
    let due = due(&ledger, now, CLOSE_AFTER_MS);
    if due.is_empty() {
        return;
    }
    if !node.world.is_broken(Break::OneClock) && !own_clock_is_right(node).await {
        node.world.note("clock refused", [node.id, due.len() as u64, 0]);
        return;
    }
    for command in due {
        if !matches!(node.propose(command).await, Fate::Applied(_)) {
            return;
        }
    }
}

/// Asks the voters for the time, as the product's leader does.
async fn own_clock_is_right(node: &Arc<Node>) -> bool {
    let world = &node.world;
    let voters = node.voters();
    let others: Vec<u64> = voters.iter().copied().filter(|id| *id != node.id).collect();
    let asked = others.iter().map(|id| async {
        let before_ms = world.clock(node.id).0;
        let answer = world.ask((node.id, *id), Ask::Clock, CLOCK_WITHIN).await?;
        let half_way_ms = before_ms.midpoint(world.clock(node.id).0);
        match answer {
            Answer::Clock(at) => i64::try_from(at.0).ok()?.checked_sub_unsigned(half_way_ms),
            Answer::Append(_) | Answer::Vote(_) | Answer::Installed(_) | Answer::Proposed(_) => {
                None
            }
        }
    });
    let offsets: Vec<i64> = join_all(asked).await.into_iter().flatten().collect();
    cluster::clock_agrees(&offsets, voters.len())
}

/// The mistake of a leader that takes silence for death: since when each node is silent.
#[derive(Default)]
struct Silent(BTreeMap<u64, Instant>);

impl Silent {
    async fn reclaim(&mut self, node: &Arc<Node>) {
        let world = &node.world;
        for id in node.voters().into_iter().filter(|id| *id != node.id) {
            if world.ask((node.id, id), Ask::Clock, CLOCK_WITHIN).await.is_some() {
                self.0.remove(&id);
                continue;
            }
            let since = *self.0.entry(id).or_insert_with(Instant::now);
            if since.elapsed() > TTL {
                take_back(node, NodeId(id)).await;
            }
        }
    }
}

async fn take_back(node: &Arc<Node>, id: NodeId) {
    let present = node.ledger().nodes.get(&id).map_or(0, |record| record.incarnation);
    let incarnation = present + 1;
    node.propose(Command::EnrolNode(EnrolNode { id, incarnation })).await;
    for write_off in write_offs(&node.ledger(), id) {
        node.propose(Command::WriteOff(write_off)).await;
    }
}

fn write_offs(ledger: &Ledger, node: NodeId) -> Vec<WriteOff> {
    let mut all = Vec::new();
    for (account, books) in &ledger.accounts {
        let lanes = books.present().into_iter().flat_map(|period| period.lanes.keys());
        for (_, incarnation) in lanes.filter(|(owner, _)| *owner == node) {
            let (account, period, incarnation) = (*account, books.period, *incarnation);
            let word = Word { actor: "api:sim".to_owned(), ..Word::default() };
            all.push(WriteOff { account, period, node, incarnation, amount: i64::MAX, word });
        }
    }
    all
}
