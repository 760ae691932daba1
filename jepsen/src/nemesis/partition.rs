//! Nodes that do not hear each other, in every shape. Callers and providers are heard by all.

use super::{Needs, Nemesis, Plan, Scene};
use crate::cluster::{Act, Deaf, Packets};
use crate::dice::Dice;

/// How long a partition lasts, in milliseconds: longer than an election.
const APART_MS: (u64, u64) = (2_000, 5_000);
const LONG_APART_MS: (u64, u64) = (5_000, 60_000);
/// How long each state of a flapping connection lasts, in milliseconds: about an election timeout.
const FLAP_MS: (u64, u64) = (150, 900);

/// Two sides, as equal as can be.
pub(super) const HALVES: Nemesis = of("partition halves", |scene, dice| {
    let nodes = scene.shuffled(dice);
    let (some, others) = nodes.split_at(nodes.len() / 2);
    apart_for_a_while(scene, format!("{some:?} | {others:?}"), between(some, others), dice)
});

/// Two sides that one node alone hears, and that alone hear it.
pub(super) const BRIDGE: Nemesis = of("partition bridge", |scene, dice| {
    let nodes = scene.shuffled(dice);
    let (bridge, rest) = nodes.split_at(nodes.len().min(1));
    let (some, others) = rest.split_at(rest.len() / 2);
    let what = format!("{some:?} | {others:?}, {bridge:?} between");
    apart_for_a_while(scene, what, between(some, others), dice)
});

/// One node hears nobody, and is heard; or the other way round.
pub(super) const ONE_WAY: Nemesis = of("partition one-way", |scene, dice| {
    let node = if dice.chance(50) { scene.leader } else { scene.anybody(dice) };
    let others = without(scene, node).into_iter();
    let (what, deaf) = match dice.chance(50) {
        true => ("deaf", others.map(|other| Deaf::fully(node, other)).collect()),
        false => ("mute", others.map(|other| Deaf::fully(other, node)).collect()),
    };
    apart_for_a_while(scene, format!("{node} is {what}"), deaf, dice)
});

/// The leader alone on one side.
pub(super) const LEADER: Nemesis = of("partition leader", |scene, dice| {
    let (leader, others) = (scene.leader, without(scene, scene.leader));
    let what = format!("leader {leader} | {others:?}");
    apart_for_a_while(scene, what, between(&[leader], &others), dice)
});

/// A node whose connection comes and goes.
pub(super) const FLAPPING: Nemesis = of("partition flapping", |scene, dice| {
    let node = scene.anybody(dice);
    let deaf = between(&[node], &without(scene, node));
    let lasts_ms = scene.lasts_ms(APART_MS, LONG_APART_MS, dice);
    let mut acts = Vec::new();
    let mut at_ms = 0;
    while at_ms < lasts_ms {
        let until_ms = at_ms + dice.within(FLAP_MS.0, FLAP_MS.1);
        acts.extend(apart(&deaf, at_ms, until_ms));
        at_ms = until_ms + dice.within(FLAP_MS.0, FLAP_MS.1);
    }
    Plan::new(format!("{node} flapped for {lasts_ms} ms"), acts)
});

/// Gossip of one node is lost, consensus goes on.
pub(super) const GOSSIP: Nemesis =
    of("partition gossip", |scene, dice| one_sort(scene, Packets::Udp, dice));

/// Consensus with one node is cut, gossip goes on: all are alive to each other.
pub(super) const RAFT: Nemesis =
    of("partition raft", |scene, dice| one_sort(scene, Packets::Tcp, dice));

const fn of(name: &'static str, plan: fn(&Scene, &mut Dice) -> Plan) -> Nemesis {
    Nemesis { name, needs: Needs::Namespaces, plan }
}

fn one_sort(scene: &Scene, packets: Packets, dice: &mut Dice) -> Plan {
    let node = if dice.chance(50) { scene.leader } else { scene.anybody(dice) };
    let mut deaf = between(&[node], &without(scene, node));
    for deaf in &mut deaf {
        deaf.packets = packets;
    }
    apart_for_a_while(scene, format!("{node} without {packets:?}"), deaf, dice)
}

fn apart_for_a_while(scene: &Scene, what: String, deaf: Vec<Deaf>, dice: &mut Dice) -> Plan {
    let lasts_ms = scene.lasts_ms(APART_MS, LONG_APART_MS, dice);
    Plan::new(format!("{what} for {lasts_ms} ms"), apart(&deaf, 0, lasts_ms).collect())
}

/// Deaf from one moment to another.
fn apart(deaf: &[Deaf], from_ms: u64, until_ms: u64) -> impl Iterator<Item = (u64, Act)> {
    let set = deaf.iter().map(move |deaf| (from_ms, Act::Deafen(*deaf)));
    set.chain(deaf.iter().map(move |deaf| (until_ms, Act::Restore(*deaf))))
}

/// Both ways between any of these and any of those.
fn between(some: &[usize], others: &[usize]) -> Vec<Deaf> {
    let pairs = some.iter().flat_map(|one| others.iter().map(move |other| (*one, *other)));
    pairs.flat_map(|(one, other)| [Deaf::fully(one, other), Deaf::fully(other, one)]).collect()
}

fn without(scene: &Scene, node: usize) -> Vec<usize> {
    scene.members.iter().copied().filter(|other| *other != node).collect()
}
