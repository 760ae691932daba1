//! A node loses its disk and comes back under its label as somebody new: the ids and the money of the old
//! one are not its own.

use super::{Needs, Nemesis, Plan, Scene};
use crate::cluster::Act;
use crate::dice::Dice;

/// How long the node is away, in milliseconds.
const AWAY_MS: (u64, u64) = (0, 2_000);
const LONG_AWAY_MS: (u64, u64) = (2_000, 30_000);

/// One node, whichever.
pub(super) const ONE: Nemesis = Nemesis { name: "wipe one", needs: Needs::Namespaces, plan: wipe };

fn wipe(scene: &Scene, dice: &mut Dice) -> Plan {
    let node = scene.anybody(dice);
    let away_ms = scene.lasts_ms(AWAY_MS, LONG_AWAY_MS, dice);
    let acts = vec![
        (0, Act::Wipe(node)),
        (away_ms, Act::Start(node)),
        (away_ms, Act::AwaitReady(node)),
        (away_ms, Act::AwaitVoters),
    ];
    Plan::new(format!("disk of {node} lost, away for {away_ms} ms"), acts)
}
