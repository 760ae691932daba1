//! SIGKILL, and a restart from the disk: at once, while others still count the node among the living,
//! or seconds later.

use super::{Needs, Nemesis, Plan, Scene};
use crate::cluster::Act;
use crate::dice::Dice;

/// How long a node stays dead where it is not started at once, in milliseconds: without an election
/// and with several.
const DEAD_MS: (u64, u64) = (100, 3_000);
/// The same in a long run: until what it was granted is in suspense.
const LONG_DEAD_MS: (u64, u64) = (3_000, 60_000);

/// One node, whichever.
pub(super) const ONE: Nemesis = Nemesis {
    name: "kill one",
    needs: Needs::Nothing,
    plan: |scene, dice| {
        let node = scene.anybody(dice);
        kill(scene, &[node], dice)
    },
};

/// The leader.
pub(super) const LEADER: Nemesis = Nemesis {
    name: "kill leader",
    needs: Needs::Nothing,
    plan: |scene, dice| kill(scene, &[scene.leader], dice),
};

/// All nodes at once.
pub(super) const EVERYBODY: Nemesis = Nemesis {
    name: "kill everybody",
    needs: Needs::Nothing,
    plan: |scene, dice| kill(scene, &scene.members, dice),
};

fn kill(scene: &Scene, nodes: &[usize], dice: &mut Dice) -> Plan {
    let at_once = dice.chance(40);
    let dead_ms = if at_once { 0 } else { scene.lasts_ms(DEAD_MS, LONG_DEAD_MS, dice) };
    let killed = nodes.iter().map(|node| (0, Act::Kill(*node)));
    let started = nodes.iter().map(|node| (dead_ms, Act::Start(*node)));
    Plan::new(format!("killed {nodes:?}, dead for {dead_ms} ms"), killed.chain(started).collect())
}
