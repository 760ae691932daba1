//! Strokes, one after another or over one another, for as long as a run takes.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::{Instant, sleep, sleep_until};

use super::judge::Slow;
use super::shun::Shun;
use crate::cluster::{Act, Cluster, Effect, Wrong};
use crate::dice::Dice;
use crate::history::History;
use crate::nemesis::{Nemesis, Plan, Scene};

/// Shortest and longest quiet time between two strokes, in milliseconds.
const QUIET_MS: (u64, u64) = (300, 1_500);
/// Of a hundred strokes in a long run so many have another one laid over them.
const OVERLAPPING_PERCENT: usize = 35;

/// How long after it was set right a clock may still be wrong: the node looks once a second.
const SEEN_WITHIN_NS: u64 = 2_500_000_000;

/// A stroke, once it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Struck {
    /// Of which nemesis.
    pub name: String,
    /// What was done, in words.
    pub what: String,
    /// When it began, in nanoseconds since the run began.
    pub from_ns: u64,
    /// When all nodes were ready again.
    pub healed_ns: u64,
    /// What shows that it was felt. Of a few sorts nothing shows but the plan itself.
    pub felt: Vec<String>,
    /// What should have been felt, and was not.
    pub unnoticed: Vec<String>,
}

/// What strokes are made of.
pub struct Rage<'a> {
    /// Victims.
    pub cluster: &'a mut Cluster,
    /// Who may strike.
    pub of: &'a [Nemesis],
    /// Who has to know which nodes are there.
    pub shun: Arc<Shun>,
    /// The clock of the run.
    pub history: Arc<History>,
    /// Whether strokes may last minutes and overlap.
    pub long: bool,
    /// When the clock of which node was behind.
    pub slow: Vec<Slow>,
}

impl Rage<'_> {
    /// Strikes with each nemesis once, in an order the dice choose, and then with any, until the time is
    /// over.
    ///
    /// # Errors
    ///
    /// A stroke could not be carried out, or the cluster did not recover.
    pub async fn until(&mut self, over: Instant, dice: &mut Dice) -> Result<Vec<Struck>> {
        let mut once = self.of.to_vec();
        let mut done = Vec::new();
        while Instant::now() < over || !once.is_empty() {
            sleep(Duration::from_millis(dice.within(QUIET_MS.0, QUIET_MS.1))).await;
            let nemesis = match once.is_empty() {
                true => *dice.pick(self.of),
                false => once.swap_remove(dice.below(once.len())),
            };
            done.push(self.strike(nemesis, dice).await?);
        }
        Ok(done)
    }

    async fn strike(&mut self, nemesis: Nemesis, dice: &mut Dice) -> Result<Struck> {
        let scene = self.scene(dice).await;
        let mut plan = (nemesis.plan)(&scene, dice);
        let mut name = nemesis.name.to_owned();
        if self.long && dice.chance(OVERLAPPING_PERCENT) {
            let other = dice.pick(self.of);
            if nemesis.may_overlap() && other.may_overlap() {
                plan = plan.with((other.plan)(&scene, dice));
                name = format!("{name} + {}", other.name);
            }
        }
        let from_ns = self.history.now_ns();
        let carried_out = self.carry_out(&plan).await;
        let (felt, unnoticed) = carried_out.with_context(|| format!("{name}: {}", plan.what))?;
        let healed = self.cluster.heal().await;
        healed.with_context(|| format!("no recovery from {name}: {}", plan.what))?;
        self.shun.there_are(&self.cluster.members());
        let healed_ns = self.history.now_ns();
        Ok(Struck { name, what: plan.what, from_ns, healed_ns, felt, unnoticed })
    }

    fn note_clock(&mut self, node: usize, wrong: Wrong) {
        let now_ns = self.history.now_ns();
        if wrong.ahead_s < 0 || wrong.faster_permille < 0 {
            self.slow.push(Slow { node, from_ns: now_ns, until_ns: u64::MAX });
        } else if let Some(slow) = self.slow.iter_mut().rfind(|slow| slow.node == node) {
            slow.until_ns = slow.until_ns.min(now_ns + SEEN_WITHIN_NS);
        }
    }

    async fn scene(&self, dice: &mut Dice) -> Scene {
        let members = self.cluster.members();
        let spares = (0..self.cluster.size()).filter(|node| !members.contains(node)).collect();
        let leader = self.cluster.leader().await.unwrap_or_else(|| *dice.pick(&members));
        Scene { members, spares, leader, long: self.long }
    }

    async fn carry_out(&mut self, plan: &Plan) -> Result<(Vec<String>, Vec<String>)> {
        let (mut felt, mut unnoticed) = (Vec::new(), Vec::new());
        let began = Instant::now();
        for (at_ms, act) in &plan.acts {
            sleep_until(began + Duration::from_millis(*at_ms)).await;
            if let Act::Clock(node, wrong) = act {
                self.note_clock(*node, *wrong);
            }
            match self.cluster.act(act).await.with_context(|| format!("{act:?}"))? {
                Effect::Done => {}
                Effect::Felt(say) => felt.push(say),
                Effect::Unnoticed(say) => unnoticed.push(say),
            }
            self.shun.there_are(&self.cluster.members());
        }
        Ok((felt, unnoticed))
    }
}
