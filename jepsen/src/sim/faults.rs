//! What strikes the cluster: every fault begins, lasts, and ends by itself; several overlap.

use super::churn::churn;
use super::net::Weather;
use super::node::{Fate, Node};
use super::scene::put_budget;
use super::world::{GOOD_CLOCK_MS, World};
use ledger::command::{IncreaseBudget, RevokeKey, TransferBudget};
use ledger::{AccountId, Command, UnixMillis, Word};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use tokio::time::sleep;

/// Strikes until the scene's faults are spent, and returns once the last has begun.
pub(crate) async fn strike(world: &Arc<World>) {
    for _ in 0..world.scene.faults {
        sleep(world.span(200, 4_000)).await;
        let striking = Arc::clone(world);
        tokio::spawn(async move { one(&striking).await });
    }
    sleep(world.span(500, 4_000)).await;
}

async fn one(world: &Arc<World>) {
    let kind = world.draw(|dice| dice.below(23));
    world.note("fault", [kind as u64, 0, 0]);
    match kind {
        0 | 1 => down(world, vec![any(world)]).await,
        2 | 3 => down(world, vec![leader(world)]).await,
        4 | 5 => dull_leader_down(world).await,
        6 | 7 => down(world, some(world, world.members().len())).await,
        8 | 9 => pause(world).await,
        10..=13 => part(world).await,
        14 => storm(world).await,
        15 => slow_disk(world).await,
        16 | 17 => bad_clock(world).await,
        18..=20 => churn(world).await,
        _ => operate(world).await,
    }
}

fn any(world: &World) -> u64 {
    let members: Vec<u64> = world.members().into_iter().collect();
    world.draw(|dice| *dice.pick(&members))
}

/// One who takes itself for the leader, or anybody.
fn leader(world: &World) -> u64 {
    let leads = |node: &Arc<Node>| node.leader() == Some(node.id);
    world.nodes().into_iter().find(leads).map_or_else(|| any(world), |node| node.id)
}

/// One to `most` nodes.
fn some(world: &World, most: usize) -> Vec<u64> {
    let mut nodes: Vec<u64> = world.members().into_iter().collect();
    world.draw(|dice| {
        let keep = 1 + dice.below(most);
        while nodes.len() > keep {
            let at = dice.below(nodes.len());
            nodes.remove(at);
        }
    });
    nodes
}

/// Power lost on all of them at one moment; each comes back in its own time.
async fn down(world: &Arc<World>, nodes: Vec<u64>) {
    let running = |id: &u64| world.is_up(*id);
    let nodes: Vec<u64> = nodes.into_iter().filter(running).collect();
    for id in &nodes {
        Node::crash(world, *id);
    }
    for id in nodes {
        let coming = Arc::clone(world);
        let quick = world.draw(|dice| dice.chance(50));
        let away = if quick { world.span(5, 250) } else { world.span(500, 9_000) };
        tokio::spawn(async move {
            sleep(away).await;
            if coming.comes_back(id) {
                Node::start(&coming, id);
            }
        });
    }
}

/// A leader whose disk lags behind its followers' loses power, and is back before anybody misses it.
async fn dull_leader_down(world: &Arc<World>) {
    let id = leader(world);
    let slot = &world.slots[&id];
    slot.sync_max_ms.store(1_000, SeqCst);
    sleep(world.span(50, 900)).await;
    if world.is_striking() && world.is_up(id) {
        Node::crash(world, id);
        sleep(world.span(5, 200)).await;
        if world.comes_back(id) {
            Node::start(world, id);
        }
    }
    slot.sync_max_ms.store(4, SeqCst);
}

async fn pause(world: &Arc<World>) {
    let id = if world.draw(|dice| dice.chance(30)) { leader(world) } else { any(world) };
    let Some(node) = world.node(id) else { return };
    node.life.pause();
    world.note("paused", [id, 0, 0]);
    sleep(world.span(100, 12_000)).await;
    node.life.resume();
    world.note("resumed", [id, 0, 0]);
}

/// A partition: halves, one alone, the leader alone, one way only, a bridge; steady or flapping.
async fn part(world: &Arc<World>) {
    let cut = draw_cut(world);
    world.note("cut", [cut.len() as u64, 0, 0]);
    let flaps = if world.draw(|dice| dice.chance(20)) { 4 } else { 1 };
    for _ in 0..flaps {
        if !world.is_striking() {
            return;
        }
        world.links.cut(&cut);
        sleep(world.span(200, 9_000 / flaps)).await;
        world.links.mend(&cut);
        sleep(world.span(50, 400)).await;
    }
}

fn draw_cut(world: &World) -> BTreeSet<(u64, u64)> {
    let all: Vec<u64> = world.members().into_iter().collect();
    let side: Vec<u64> = match world.draw(|dice| dice.below(4)) {
        0 => vec![any(world)],
        1 => vec![leader(world)],
        _ => some(world, all.len() - 1),
    };
    let bridge = world.draw(|dice| dice.chance(20)).then(|| any(world));
    let one_way = world.draw(|dice| dice.below(5));
    let mut cut = BTreeSet::new();
    for a in side.iter().filter(|id| Some(**id) != bridge) {
        for b in all.iter().filter(|id| !side.contains(id) && Some(**id) != bridge) {
            if one_way != 0 {
                cut.insert((*a, *b));
            }
            if one_way != 1 {
                cut.insert((*b, *a));
            }
        }
    }
    cut
}

async fn storm(world: &Arc<World>) {
    let weather = world.draw(|dice| Weather {
        lost: dice.below(40),
        doubled: dice.below(30),
        late: dice.below(50),
        late_ms: dice.within(10, 2_500),
    });
    world.links.set_weather(weather);
    sleep(world.span(500, 8_000)).await;
    world.links.set_weather(Weather::FAIR);
}

async fn slow_disk(world: &Arc<World>) {
    let id = any(world);
    let slot = &world.slots[&id];
    slot.sync_max_ms.store(world.draw(|dice| dice.within(20, 600)), SeqCst);
    sleep(world.span(500, 8_000)).await;
    slot.sync_max_ms.store(4, SeqCst);
}

/// One node's wall clock jumps, by a second or by an hour, and back again later. Never two at a time: the
/// median of a quorum of three clocks stands only one bad one.
async fn bad_clock(world: &Arc<World>) {
    let ahead = |id: &u64| world.slots[id].clock_ahead_ms.load(SeqCst);
    if world.slots.keys().any(|id| ahead(id).unsigned_abs() > GOOD_CLOCK_MS) {
        return;
    }
    let id = if world.draw(|dice| dice.chance(60)) { leader(world) } else { any(world) };
    let (jump, forward) = world.draw(|dice| {
        let most = if dice.chance(50) { 15_000 } else { 3_600_000 };
        (dice.within(500, most), dice.chance(65))
    });
    let jump = i64::try_from(jump).unwrap_or(0);
    let clock = &world.slots[&id].clock_ahead_ms;
    clock.store(if forward { jump } else { -jump }, SeqCst);
    world.note("clock", [id, jump as u64, u64::from(forward)]);
    sleep(world.span(1_000, 15_000)).await;
    clock.store(0, SeqCst);
}

/// An operator changes a limit, raises one for a while, moves money, or revokes a key.
async fn operate(world: &Arc<World>) {
    let Some(node) = world.node(any(world)) else { return };
    let command = match world.draw(|dice| dice.below(10)) {
        0..3 => return revoke(world, &node).await,
        3..5 => raise(world, &node),
        5..7 => transfer(world, &node),
        _ => Some(limit(world, &node)),
    };
    if let Some(command) = command {
        node.life_propose(command).await;
    }
}

/// Another limit, lower or higher than the one the run began with.
fn limit(world: &World, node: &Node) -> Command {
    let (at, percent) =
        world.draw(|dice| (dice.below(world.scene.budgets.len()), dice.within(20, 250)));
    let percent = i64::try_from(percent).unwrap_or(100);
    let mut budget = world.scene.budgets[at].clone();
    budget.windows.iter_mut().for_each(|window| window.limit = window.limit * percent / 100);
    put_budget(&budget, world.clock(node.id))
}

/// One of the accounts there are, as a node knows them.
fn account(world: &World, node: &Node) -> Option<(AccountId, i64)> {
    let ledger = node.ledger();
    let all: Vec<_> = ledger.accounts.iter().map(|(id, account)| (*id, account.limit())).collect();
    (!all.is_empty()).then(|| world.draw(|dice| *dice.pick(&all)))
}

fn word() -> Word {
    Word { actor: "api:sim".to_owned(), ..Word::default() }
}

fn raise(world: &World, node: &Node) -> Option<Command> {
    let (account, limit) = account(world, node)?;
    let lasts_ms = world.draw(|dice| dice.within(500, 15_000));
    let until = UnixMillis(world.clock(node.id).0 + lasts_ms);
    let raise = IncreaseBudget { account, amount: limit / 4 + 1, until, word: word() };
    Some(Command::IncreaseBudget(raise))
}

fn transfer(world: &World, node: &Node) -> Option<Command> {
    let ((from, limit), (to, _)) = (account(world, node)?, account(world, node)?);
    let transfer = TransferBudget { from, to, amount: limit / 8 + 1, word: word() };
    Some(Command::TransferBudget(transfer))
}

async fn revoke(world: &Arc<World>, node: &Arc<Node>) {
    let at = world.draw(|dice| dice.below(world.scene.keys.len()));
    // The last key stays, so that there is always something to do.
    let Some((name, _)) = world.scene.keys[..world.scene.keys.len() - 1].get(at) else { return };
    let command = Command::RevokeKey(RevokeKey { name: (*name).to_owned(), if_index: None });
    if let Some(Fate::Applied(applied)) = node.life_propose(command).await {
        let key = u8::try_from(at + 1).unwrap_or(u8::MAX);
        world.judge.revoked(key, applied.index);
    }
}
