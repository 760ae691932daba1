//! SIGSTOP and SIGCONT: a node that stands still for a while and does not know it.

use anyhow::Result;

use super::{Nemesis, last, leader_or_any};
use crate::cluster::Cluster;
use crate::dice::Dice;

/// Shortest and longest pause, in milliseconds: from nothing anybody notices to a new leader elected.
const PAUSE_MS: (u64, u64) = (100, 3_000);

/// One node, whichever.
pub(super) const ONE: Nemesis = Nemesis {
    name: "pause one",
    strike: |cluster, dice| {
        Box::pin(async move {
            let node = dice.below(cluster.size());
            pause(cluster, node, dice).await
        })
    },
};

/// The leader.
pub(super) const LEADER: Nemesis = Nemesis {
    name: "pause leader",
    strike: |cluster, dice| {
        Box::pin(async move {
            let leader = leader_or_any(cluster, dice).await;
            pause(cluster, leader, dice).await
        })
    },
};

async fn pause(cluster: &mut Cluster, node: usize, dice: &mut Dice) -> Result<String> {
    let paused_ms = dice.within(PAUSE_MS.0, PAUSE_MS.1);
    cluster.pause(node)?;
    last(paused_ms).await;
    cluster.resume(node)?;
    Ok(format!("paused {node} for {paused_ms} ms"))
}
