//! What a node does not do while its disk is nearly full.

use super::leave;
use super::node::Node;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use storage::Space;

/// Looks at the disk: a node that is short of room takes no configuration, and one that has next to
/// none neither leads nor stands for election.
pub(super) async fn look(node: &Arc<Node>) {
    let space = match node.space.space() {
        Ok(space) => space,
        Err(error) => {
            tracing::warn!(%error, "the disk does not say how much room there is");
            return;
        }
    };
    node.short_of_disk.store(space != Space::Plenty, Ordering::Relaxed);
    let Ok(raft) = node.raft() else {
        return;
    };
    let voters = node.membership().membership().voter_ids().count();
    let stands = stands(space, voters);
    raft.runtime_config().elect(stands);
    if !stands && node.leads() {
        tracing::error!("the disk is nearly full: leadership goes to another node");
        if let Err(error) = leave::transfer(node, None).await {
            tracing::error!(%error, "nobody took over");
        }
    }
}

/// Whether a node with so much room stands for election. The only voter always does: nobody else
/// could, and what makes room must be written, too.
fn stands(space: Space, voters: usize) -> bool {
    space != Space::Critical || voters <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_without_room_leaves_leading_to_others_where_there_are_others() {
        let cases = [Space::Plenty, Space::Low, Space::Critical].map(|space| stands(space, 3));
        assert_eq!(cases, [true, true, false]);
        assert!(stands(Space::Critical, 1));
    }
}
