//! What a node's next life tells of the one before it: the product's journal, read from the files that its
//! end left, and taken over by the ledger part by part.

use super::node::{Fate, Node};
use super::world::World;
use cluster::allowance::{Owner, Testament, forget_lives_before};
use ledger::command::Adopt;
use ledger::{Command, NodeId, Outcome};
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

/// Has the ledger take over what the life before this one spent, once this one is in it.
pub(crate) async fn adopt_past(node: Arc<Node>) {
    while !node.is_enrolled() {
        sleep(AGAIN_AFTER).await;
    }
    for part in parts(&node) {
        node.world.note("adopt", [node.id, u64::from(part.part), part.lines.len() as u64]);
        if !adopt(&node, part).await {
            return;
        }
    }
    let dir = &node.world.slots[&node.id].platter.dir;
    if let Err(error) = forget_lives_before(dir, node.incarnation) {
        node.world.fail("journals can be removed", error.to_string());
    }
}

/// What is to be proposed, in order, as the product has it; none of it twice.
fn parts(node: &Node) -> Vec<Adopt> {
    let ledger = node.ledger();
    let Some(past) = ledger.nodes.get(&NodeId(node.id)).and_then(|record| record.past) else {
        return Vec::new();
    };
    let platter = &node.world.slots[&node.id].platter;
    let owner = owner(node.id, past.incarnation);
    let parts = match Testament::read_from(&platter.dir, &owner, &**platter) {
        Ok(Some(testament)) => testament.parts(&ledger, node.incarnation),
        Ok(None) => Vec::new(),
        Err(error) => {
            node.world.fail("journals can be read", error.to_string());
            Vec::new()
        }
    };
    parts.into_iter().filter(|part| part.part >= past.adopted_parts).collect()
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
