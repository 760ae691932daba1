//! The power cut: nothing more reaches the disk, the process is gone, and so is what was not synced.

use super::{Needs, Nemesis, Plan, Scene};
use crate::cluster::Act;
use crate::dice::Dice;

/// How long it stays dark, in milliseconds.
const DARK_MS: (u64, u64) = (0, 2_000);
const LONG_DARK_MS: (u64, u64) = (2_000, 30_000);

/// One node, whichever.
pub(super) const ONE: Nemesis = Nemesis {
    name: "power one",
    needs: Needs::Namespaces,
    plan: |scene, dice| {
        let node = scene.anybody(dice);
        cut(scene, vec![node], dice)
    },
};

/// All nodes at once.
pub(super) const EVERYBODY: Nemesis = Nemesis {
    name: "power everybody",
    needs: Needs::Namespaces,
    plan: |scene, dice| cut(scene, scene.members.clone(), dice),
};

fn cut(scene: &Scene, nodes: Vec<usize>, dice: &mut Dice) -> Plan {
    let dark_ms = scene.lasts_ms(DARK_MS, LONG_DARK_MS, dice);
    let what = format!("power of {nodes:?} cut, dark for {dark_ms} ms");
    let starts: Vec<_> = nodes.iter().map(|node| (dark_ms, Act::Start(*node))).collect();
    let cut = (0, Act::CutPower(nodes));
    Plan::new(what, std::iter::once(cut).chain(starts).collect())
}
