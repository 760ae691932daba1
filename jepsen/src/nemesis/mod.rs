//! What strikes the nodes: one file for each way. A nemesis only plans: what is done, and when, and what
//! undoes it. So plans can be read before they are carried out, and laid over one another.

mod churn;
mod clock;
mod kill;
mod loss;
mod partition;
mod pause;
mod power;
mod space;
mod wipe;

use crate::cluster::Act;
use crate::dice::Dice;

/// What a nemesis knows of its victims.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Nodes that run, founders first.
    pub members: Vec<usize>,
    /// Places where a node may join.
    pub spares: Vec<usize>,
    /// The leader, else anybody.
    pub leader: usize,
    /// Whether strokes may take minutes.
    pub long: bool,
}

/// What is done, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In words.
    pub what: String,
    /// Each so many milliseconds after the stroke began, in this order.
    pub acts: Vec<(u64, Act)>,
}

/// Where a nemesis can strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Anywhere.
    Nothing,
    /// Only where each node has a network and a disk of its own.
    Namespaces,
    /// Only where each node also has a clock of its own.
    Clocks,
}

/// Something that strikes.
#[derive(Clone, Copy, Debug)]
pub struct Nemesis {
    /// Begins with the name of its file.
    pub name: &'static str,
    /// What it cannot do without.
    pub needs: Needs,
    /// Plans one stroke. How hard and how long the dice say.
    pub plan: fn(&Scene, &mut Dice) -> Plan,
}

/// All of them.
pub const ALL: [Nemesis; 24] = [
    kill::ONE,
    kill::LEADER,
    kill::EVERYBODY,
    power::ONE,
    power::EVERYBODY,
    pause::ONE,
    pause::LEADER,
    partition::HALVES,
    partition::BRIDGE,
    partition::ONE_WAY,
    partition::LEADER,
    partition::FLAPPING,
    partition::GOSSIP,
    partition::RAFT,
    loss::SOME,
    loss::MUCH,
    clock::SECOND,
    clock::HOUR,
    clock::MONTH,
    clock::DRIFT,
    clock::LEADER,
    space::ONE,
    churn::JOIN_AND_LEAVE,
    wipe::ONE,
];

impl Nemesis {
    /// The name of its file.
    pub fn family(&self) -> &'static str {
        self.name.split(' ').next().unwrap_or_default()
    }

    /// Whether another stroke may be laid over it. Where a disk is lost or a member goes for good, one
    /// more fault may be one more than a majority bears, for ever.
    pub fn may_overlap(&self) -> bool {
        !matches!(self.family(), "wipe" | "churn" | "space")
    }
}

impl Scene {
    /// How long a fault lasts, in milliseconds.
    fn lasts_ms(&self, short: (u64, u64), long: (u64, u64), dice: &mut Dice) -> u64 {
        let (least, most) = if self.long && dice.chance(40) { long } else { short };
        dice.within(least, most)
    }

    /// One that runs, whichever.
    fn anybody(&self, dice: &mut Dice) -> usize {
        *dice.pick(&self.members)
    }

    /// Those that run, in an order the dice choose.
    fn shuffled(&self, dice: &mut Dice) -> Vec<usize> {
        let mut left = self.members.clone();
        let mut drawn = Vec::new();
        while !left.is_empty() {
            drawn.push(left.swap_remove(dice.below(left.len())));
        }
        drawn
    }
}

impl Plan {
    /// A plan of these acts.
    fn new(what: String, acts: Vec<(u64, Act)>) -> Plan {
        Plan { what, acts }
    }

    /// Both at once.
    pub fn with(mut self, other: Plan) -> Plan {
        self.what = format!("{}; {}", self.what, other.what);
        self.acts.extend(other.acts);
        // A stable sort: what undoes something stays behind it.
        self.acts.sort_by_key(|(at_ms, _)| *at_ms);
        self
    }
}

#[cfg(test)]
mod tests;
