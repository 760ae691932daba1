//! The wall clock of one node jumps, ahead or back, or goes too fast or too slow. One node of three or
//! five: what a majority takes the time to be, it is.

use super::{Needs, Nemesis, Plan, Scene};
use crate::cluster::{Act, Wrong};
use crate::dice::Dice;

/// How long a clock is wrong, in milliseconds. It takes a second until the node sees it.
const WRONG_MS: (u64, u64) = (3_000, 5_000);
const LONG_WRONG_MS: (u64, u64) = (5_000, 60_000);

/// By about a second: near the most that is forgiven.
pub(super) const SECOND: Nemesis = of("clock second", |scene, dice| {
    let node = scene.anybody(dice);
    jump(scene, node, dice.within(1, 3), dice)
});

/// By minutes to hours.
pub(super) const HOUR: Nemesis = of("clock hour", |scene, dice| {
    let node = scene.anybody(dice);
    jump(scene, node, dice.within(60, 3 * 3_600), dice)
});

/// By days to a month.
pub(super) const MONTH: Nemesis = of("clock month", |scene, dice| {
    let node = scene.anybody(dice);
    jump(scene, node, dice.within(86_400, 31 * 86_400), dice)
});

/// Some thousandths too fast or too slow.
pub(super) const DRIFT: Nemesis = of("clock drift", |scene, dice| {
    let node = scene.anybody(dice);
    let permille = signed(dice.within(1, 100), dice);
    wrong(scene, node, Wrong { ahead_s: 0, faster_permille: permille }, dice)
});

/// The leader's, by an hour ahead: it is the leader who opens periods.
pub(super) const LEADER: Nemesis = of("clock leader", |scene, dice| {
    wrong(scene, scene.leader, Wrong { ahead_s: 3_600, faster_permille: 0 }, dice)
});

const fn of(name: &'static str, plan: fn(&Scene, &mut Dice) -> Plan) -> Nemesis {
    Nemesis { name, needs: Needs::Clocks, plan }
}

fn jump(scene: &Scene, node: usize, by_s: u64, dice: &mut Dice) -> Plan {
    let ahead_s = signed(by_s, dice);
    wrong(scene, node, Wrong { ahead_s, faster_permille: 0 }, dice)
}

fn wrong(scene: &Scene, node: usize, wrong: Wrong, dice: &mut Dice) -> Plan {
    let lasts_ms = scene.lasts_ms(WRONG_MS, LONG_WRONG_MS, dice);
    let acts = vec![(0, Act::Clock(node, wrong)), (lasts_ms, Act::Clock(node, Wrong::default()))];
    let Wrong { ahead_s, faster_permille } = wrong;
    let what = format!("clock of {node} by {ahead_s:+} s and {faster_permille:+} permille");
    Plan::new(format!("{what} for {lasts_ms} ms"), acts)
}

fn signed(amount: u64, dice: &mut Dice) -> i64 {
    let amount = i64::try_from(amount).unwrap_or(i64::MAX);
    if dice.chance(50) { amount } else { -amount }
}
