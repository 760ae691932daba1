//! The disk of one node is full. It must stop, whatever it was about to say; it comes back once there is
//! room again.

use super::{Needs, Nemesis, Plan};
use crate::cluster::Act;

/// How long there is no room once the node has stopped, in milliseconds.
const FULL_MS: (u64, u64) = (500, 2_000);
const LONG_FULL_MS: (u64, u64) = (2_000, 30_000);

/// One node, the leader as often as not.
pub(super) const ONE: Nemesis = Nemesis {
    name: "space one",
    needs: Needs::Namespaces,
    plan: |scene, dice| {
        let node = if dice.chance(50) { scene.leader } else { scene.anybody(dice) };
        let full_ms = scene.lasts_ms(FULL_MS, LONG_FULL_MS, dice);
        let acts =
            vec![(0, Act::Fill(node)), (0, Act::AwaitStop(node)), (full_ms, Act::Free(node))];
        Plan::new(format!("disk of {node} full for {full_ms} ms and more"), acts)
    },
};
