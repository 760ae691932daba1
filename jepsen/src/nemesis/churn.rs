//! The membership changes: a node joins on an empty disk, and an operator removes one for good.

use super::{Needs, Nemesis, Plan};
use crate::cluster::Act;

/// How long a newcomer stays, in milliseconds: until it has been granted something.
const STAY_MS: (u64, u64) = (1_000, 3_000);
const LONG_STAY_MS: (u64, u64) = (10_000, 60_000);

/// A newcomer comes. Then it is removed, or a member is in whose place it stays until that one has
/// come back as somebody new.
pub(super) const JOIN_AND_LEAVE: Nemesis = Nemesis {
    name: "churn join and leave",
    needs: Needs::Namespaces,
    plan: |scene, dice| {
        let Some(newcomer) = scene.spares.first().copied() else {
            return Plan::new("no room for a newcomer".to_owned(), Vec::new());
        };
        let stay_ms = scene.lasts_ms(STAY_MS, LONG_STAY_MS, dice);
        let leaver = if dice.chance(50) { newcomer } else { scene.anybody(dice) };
        let mut acts = vec![(0, Act::Start(newcomer)), (0, Act::AwaitReady(newcomer))];
        acts.extend([(stay_ms, Act::Remove(leaver)), (stay_ms, Act::Wipe(leaver))]);
        if leaver != newcomer {
            acts.extend([(stay_ms, Act::Start(leaver)), (stay_ms, Act::AwaitReady(leaver))]);
            acts.extend([(stay_ms, Act::Remove(newcomer)), (stay_ms, Act::Wipe(newcomer))]);
        }
        acts.push((stay_ms, Act::AwaitVoters));
        Plan::new(format!("{newcomer} joined, {leaver} removed after {stay_ms} ms"), acts)
    },
};
