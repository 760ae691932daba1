//! Packets lost by chance, on every connection of some nodes: of callers and providers, too.

use super::{Needs, Nemesis, Plan, Scene};
use crate::cluster::{Act, Deaf, Packets};
use crate::dice::Dice;

/// How long packets are lost, in milliseconds.
const LOSSY_MS: (u64, u64) = (2_000, 5_000);
const LONG_LOSSY_MS: (u64, u64) = (5_000, 60_000);

/// A bad line: a few in a hundred, at every node.
pub(super) const SOME: Nemesis = Nemesis {
    name: "loss some",
    needs: Needs::Namespaces,
    plan: |scene, dice| {
        let percent = dice.within(1, 5);
        lossy(scene, &scene.members, percent, dice)
    },
};

/// A broken line: a third, at one node.
pub(super) const MUCH: Nemesis = Nemesis {
    name: "loss much",
    needs: Needs::Namespaces,
    plan: |scene, dice| {
        let node = scene.anybody(dice);
        let percent = dice.within(20, 40);
        lossy(scene, &[node], percent, dice)
    },
};

fn lossy(scene: &Scene, nodes: &[usize], percent: u64, dice: &mut Dice) -> Plan {
    let lasts_ms = scene.lasts_ms(LOSSY_MS, LONG_LOSSY_MS, dice);
    // Both ends of the range fit.
    let percent = u8::try_from(percent).unwrap_or(u8::MAX);
    let deaf = |node: &usize| Deaf { node: *node, to: None, packets: Packets::All, percent };
    let set = nodes.iter().map(|node| (0, Act::Deafen(deaf(node))));
    let lifted = nodes.iter().map(|node| (lasts_ms, Act::Restore(deaf(node))));
    let what = format!("{nodes:?} lose {percent} % for {lasts_ms} ms");
    Plan::new(what, set.chain(lifted).collect())
}
