//! After a crash: the ledger is told what the life before this one spent, by its journal.

use super::node::Node;
use super::proposals;
use crate::allowance::{Owner, Testament, forget_lives_before};
use ledger::command::Adopt;
use ledger::{Command, NodeId, Outcome};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// Pause before a part that was not applied, as far as is known, is proposed again.
const AGAIN_AFTER: Duration = Duration::from_millis(250);

/// Pause before a journal that could not be read is read again.
const UNREADABLE_FOR: Duration = Duration::from_secs(5);

/// Waits until this life is in the ledger, tells it of the one before, once, and removes what that left.
pub(crate) async fn adopt_past(node: Arc<Node>) {
    if !is_enrolled(&node).await {
        return;
    }
    let incarnation = node.identity.incarnation();
    let Some(parts) = parts(&node).await else {
        return;
    };
    for part in parts {
        let number = part.part;
        if !adopt(&node, part).await {
            return;
        }
        tracing::info!(part = number, "what the life before this one spent is in the ledger");
    }
    let dir = node.settings.data_dir.clone();
    let removed = spawn_blocking(move || forget_lives_before(&dir, incarnation)).await;
    if let Ok(Err(error)) = removed {
        tracing::warn!(%error, "the journals of past lives stay");
    }
}

async fn is_enrolled(node: &Node) -> bool {
    let mut changes = node.changes.subscribe();
    let mut closing = node.closing.subscribe();
    while !node.enrolled.load(Ordering::Acquire) {
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return false },
            _ = closing.wait_for(|closing| *closing) => return false,
        }
    }
    true
}

/// What is to be proposed, in order. Nothing where there is no journal that can be believed, and nothing
/// twice: the ledger counts the parts it has. `None` where the node ends before it could be read.
async fn parts(node: &Arc<Node>) -> Option<Vec<Adopt>> {
    let ledger = node.view.load();
    let me = NodeId(node.id());
    let Some(past) = ledger.nodes.get(&me).and_then(|record| record.past) else {
        return Some(Vec::new());
    };
    let owner = Owner {
        cluster_id: node.identity.cluster_id().unwrap_or_default(),
        node: me,
        incarnation: past.incarnation,
    };
    let (dir, incarnation) = (node.settings.data_dir.clone(), node.identity.incarnation());
    let is_new = |part: &Adopt| part.part >= past.adopted_parts;
    loop {
        let (dir, owner, ledger) = (dir.clone(), owner.clone(), Arc::clone(&ledger));
        let read = spawn_blocking(move || {
            let testament = Testament::read(&dir, &owner)?;
            Ok(testament.map_or_else(Vec::new, |testament| testament.parts(&ledger, incarnation)))
        });
        let read: std::io::Result<Vec<Adopt>> =
            read.await.unwrap_or_else(|error| Err(error.into()));
        match read {
            Ok(parts) => return Some(parts.into_iter().filter(is_new).collect()),
            // It is there, and says what was spent: whatever is in the way may pass.
            Err(error) => {
                tracing::warn!(%error, "the journal of the life before this one cannot be read");
            }
        }
        if *node.closing.borrow() {
            return None;
        }
        sleep(UNREADABLE_FOR).await;
    }
}

/// Proposes a part until it is applied; whether it was.
async fn adopt(node: &Arc<Node>, part: Adopt) -> bool {
    loop {
        match proposals::propose(node, Command::Adopt(part.clone())).await {
            Ok(committed) => match committed.outcome {
                Outcome::Done => return true,
                outcome @ (Outcome::NodeAllocated(_)
                | Outcome::Refilled(_)
                | Outcome::Denied(_)) => {
                    tracing::error!(?outcome, "what the life before this one spent is not taken");
                    return false;
                }
            },
            Err(error) => tracing::debug!(%error, "not known to the ledger yet"),
        }
        if *node.closing.borrow() {
            return false;
        }
        sleep(AGAIN_AFTER).await;
    }
}
