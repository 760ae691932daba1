//! What a node's next life tells of those before it: the product's journals, read from the files that its
//! end left, and taken over by the ledger part by part.

use super::node::{Fate, Node};
use super::world::World;
use cluster::allowance::{Owner, Testament, forget_lives_before, nothing_left};
use ledger::command::Adopt;
use ledger::{Command, NodeId, Outcome, PastLife};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Time between two tries.
const AGAIN_AFTER: Duration = Duration::from_millis(250);

/// Whose journal it is.
pub(crate) fn owner(node: u64, incarnation: u64) -> Owner {
    Owner { cluster_id: "sim".to_owned(), node: NodeId(node), incarnation }
}

/// What is left of a journal after its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// All that was written: the process was killed.
    Whole,
    /// All that was synced, and some of the rest: power was lost.
    Synced,
    /// Nothing.
    Nothing,
}

impl Left {
    /// Ends the journal of a life in one of these ways.
    pub(crate) fn draw(world: &World, node: u64) -> Left {
        let platter = &world.slots[&node].platter;
        let (left, done) = match world.draw(|dice| dice.below(10)) {
            0..5 => (Left::Whole, Ok(0)),
            5..9 => (Left::Synced, platter.cut(world)),
            _ => (Left::Nothing, platter.lose().map(|()| 0)),
        };
        match done {
            Ok(lost) => world.note("journal", [node, left as u64, lost]),
            Err(error) => world.fail("files can be cut", error.to_string()),
        }
        left
    }
}

/// Has the ledger take over what the lives before this one spent, once this one is in it.
pub(crate) async fn adopt_past(node: Arc<Node>) {
    while !node.is_enrolled() {
        sleep(AGAIN_AFTER).await;
    }
    let past = node.ledger().nodes.get(&NodeId(node.id)).map(|record| record.past.clone());
    for past in past.unwrap_or_default() {
        for part in parts(&node, &past) {
            node.world.note("adopt", [node.id, u64::from(part.part), part.lines.len() as u64]);
            if !adopt(&node, part).await {
                return;
            }
        }
        node.seen.allowances.forget_life(past.incarnation);
    }
    let dir = &node.world.slots[&node.id].platter.dir;
    if let Err(error) = forget_lives_before(dir, node.incarnation) {
        node.world.fail("journals can be removed", error.to_string());
    }
}

/// What is to be proposed of one life, in order, as the product has it.
fn parts(node: &Node, past: &PastLife) -> Vec<Adopt> {
    let ledger = node.ledger();
    let nothing = || vec![nothing_left(NodeId(node.id), node.incarnation, past)];
    let platter = &node.world.slots[&node.id].platter;
    let owner = owner(node.id, past.incarnation);
    match Testament::read_from(&platter.dir, &owner, &**platter) {
        Ok(Some(testament)) => testament.parts(&ledger, node.incarnation),
        Ok(None) => nothing(),
        Err(error) => {
            node.world.fail("journals can be read", error.to_string());
            Vec::new()
        }
    }
}

/// Proposes a part until it is applied; whether it was taken.
async fn adopt(node: &Arc<Node>, part: Adopt) -> bool {
    loop {
        if let Fate::Applied(applied) = node.propose(Command::Adopt(part.clone())).await {
            return applied.outcome == Some(Outcome::Done);
        }
        sleep(AGAIN_AFTER).await;
    }
}
