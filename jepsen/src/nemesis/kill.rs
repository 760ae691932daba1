//! SIGKILL, and a restart from the disk: at once, while others still count the node among the living,
//! or seconds later.

use anyhow::Result;

use super::{Nemesis, Stroke, last, leader_or_any};
use crate::cluster::Cluster;
use crate::dice::Dice;

/// Longest time a node stays dead, in milliseconds.
const DEAD_MAX_MS: u64 = 3_000;

/// One node, whichever.
pub(super) const ONE: Nemesis = Nemesis {
    name: "kill one",
    strike: |cluster, dice| {
        Box::pin(async move {
            let node = dice.below(cluster.size());
            kill(cluster, &[node], dice).await
        })
    },
};

/// The leader.
pub(super) const LEADER: Nemesis = Nemesis {
    name: "kill leader",
    strike: |cluster, dice| {
        Box::pin(async move {
            let leader = leader_or_any(cluster, dice).await;
            kill(cluster, &[leader], dice).await
        })
    },
};

/// All nodes at once.
pub(super) const EVERYBODY: Nemesis = Nemesis {
    name: "kill everybody",
    strike: |cluster, dice| -> Stroke<'_> {
        Box::pin(async move {
            let all: Vec<usize> = (0..cluster.size()).collect();
            kill(cluster, &all, dice).await
        })
    },
};

async fn kill(cluster: &mut Cluster, nodes: &[usize], dice: &mut Dice) -> Result<String> {
    for node in nodes {
        cluster.kill(*node).await?;
    }
    let dead_ms = if dice.chance(50) { 0 } else { dice.within(100, DEAD_MAX_MS) };
    last(dead_ms).await;
    for node in nodes {
        cluster.restart(*node)?;
    }
    Ok(format!("killed {nodes:?}, dead for {dead_ms} ms"))
}
