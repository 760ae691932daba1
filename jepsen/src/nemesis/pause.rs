//! SIGSTOP and SIGCONT: a node that stands still for a while and does not know it, also while a period
//! of its budgets ends.

use super::{Needs, Nemesis, Plan, Scene};
use crate::cluster::Act;
use crate::dice::Dice;

/// Shortest and longest pause, in milliseconds: from nothing anybody notices to a new leader elected and
/// the next period of most budgets begun.
const PAUSE_MS: (u64, u64) = (100, 5_000);
/// The same in a long run: until others hold the node for dead.
const LONG_PAUSE_MS: (u64, u64) = (5_000, 60_000);

/// One node, whichever.
pub(super) const ONE: Nemesis = Nemesis {
    name: "pause one",
    needs: Needs::Nothing,
    plan: |scene, dice| {
        let node = scene.anybody(dice);
        pause(scene, node, dice)
    },
};

/// The leader.
pub(super) const LEADER: Nemesis = Nemesis {
    name: "pause leader",
    needs: Needs::Nothing,
    plan: |scene, dice| pause(scene, scene.leader, dice),
};

fn pause(scene: &Scene, node: usize, dice: &mut Dice) -> Plan {
    let paused_ms = scene.lasts_ms(PAUSE_MS, LONG_PAUSE_MS, dice);
    let acts = vec![(0, Act::Pause(node)), (paused_ms, Act::Resume(node))];
    Plan::new(format!("paused {node} for {paused_ms} ms"), acts)
}
