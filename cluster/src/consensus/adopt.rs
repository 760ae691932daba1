//! After a crash: the ledger is told what the lives before this one spent, by their journals.

use super::node::Node;
use super::proposals;
use crate::allowance::{Owner, Testament, forget_life, forget_lives_before, nothing_left};
use ledger::command::Adopt;
use ledger::{Command, NodeId, Outcome, PastLife};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// Pause before a part that was not applied, as far as is known, is proposed again.
const AGAIN_AFTER: Duration = Duration::from_millis(250);

/// Pause before a journal that could not be read is read again.
const UNREADABLE_FOR: Duration = Duration::from_secs(5);

/// What became of telling of one life.
enum Told {
    /// The ledger has all of it.
    Whole,
    /// Its journal is there and cannot be read now, or the ledger does not take it.
    Not,
    /// This life is over itself.
    Ending,
}

/// Waits until this life is in the ledger, tells it of those before, the oldest first, and removes what each
/// left once all of it is known.
pub(crate) async fn adopt_past(node: Arc<Node>) {
    if !is_enrolled(&node).await {
        return;
    }
    let (dir, incarnation) = (node.settings.data_dir.clone(), node.identity.incarnation());
    loop {
        let mut is_all = true;
        for past in past_lives(&node) {
            match tell(&node, &past).await {
                Told::Whole => {
                    tracing::info!(
                        life = past.incarnation,
                        "what a life before this one spent is in the ledger"
                    );
                    node.allowances.forget_life(past.incarnation);
                    let dir = dir.clone();
                    remove(move || forget_life(&dir, past.incarnation)).await;
                }
                Told::Not => is_all = false,
                Told::Ending => return,
            }
        }
        if is_all {
            // Of the rest the ledger does not want to hear.
            return remove(move || forget_lives_before(&dir, incarnation)).await;
        }
        if *node.closing.borrow() {
            return;
        }
        sleep(UNREADABLE_FOR).await;
    }
}

/// Lives the ledger may be told of, the oldest first.
fn past_lives(node: &Node) -> Vec<PastLife> {
    let ledger = node.view.load();
    ledger.nodes.get(&NodeId(node.id())).map(|record| record.past.clone()).unwrap_or_default()
}

async fn remove(files: impl FnOnce() -> std::io::Result<()> + Send + 'static) {
    if let Ok(Err(error)) = spawn_blocking(files).await {
        tracing::warn!(%error, "the journal of a past life stays");
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

/// Tells the ledger what one life spent, or that there is no journal of it that can be believed.
async fn tell(node: &Arc<Node>, past: &PastLife) -> Told {
    let me = NodeId(node.id());
    let owner = Owner {
        cluster_id: node.identity.cluster_id().unwrap_or_default(),
        node: me,
        incarnation: past.incarnation,
    };
    let (dir, incarnation) = (node.settings.data_dir.clone(), node.identity.incarnation());
    let (ledger, past) = (node.view.load(), *past);
    let read = spawn_blocking(move || {
        let testament = Testament::read(&dir, &owner)?;
        let nothing = || vec![nothing_left(me, incarnation, &past)];
        Ok(testament.map_or_else(nothing, |testament| testament.parts(&ledger, incarnation)))
    });
    let read: std::io::Result<Vec<Adopt>> = read.await.unwrap_or_else(|error| Err(error.into()));
    match read {
        Ok(parts) => {
            for part in parts {
                match adopt(node, part).await {
                    Told::Whole => {}
                    other @ (Told::Not | Told::Ending) => return other,
                }
            }
            Told::Whole
        }
        // It is there, and says what was spent: whatever is in the way may pass.
        Err(error) => {
            let life = past.incarnation;
            tracing::warn!(%error, life, "the journal of a life before this one cannot be read");
            Told::Not
        }
    }
}

/// Proposes a part until it is applied.
async fn adopt(node: &Arc<Node>, part: Adopt) -> Told {
    loop {
        match proposals::propose(node, Command::Adopt(part.clone())).await {
            Ok(committed) => match committed.outcome {
                Outcome::Done => return Told::Whole,
                outcome @ (Outcome::NodeAllocated(_)
                | Outcome::Refilled(_)
                | Outcome::Denied(_)) => {
                    tracing::error!(?outcome, "what a life before this one spent is not taken");
                    return Told::Not;
                }
            },
            Err(error) => tracing::debug!(%error, "not known to the ledger yet"),
        }
        if *node.closing.borrow() {
            return Told::Ending;
        }
        sleep(AGAIN_AFTER).await;
    }
}
