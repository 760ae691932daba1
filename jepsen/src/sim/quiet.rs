//! After the faults: everything heals, everything settles, and what is left is explained.

use super::judge::Beyond;
use super::life::lock;
use super::load::{self, Ended, Who};
use super::net::Weather;
use super::node::{Fate, Node};
use super::provider::{Attempt, Ending, Model, Tells};
use super::world::World;
use cluster::allowance::{Charge, PurseBooks};
use ledger::command::EnrolNode;
use ledger::view::{accounts_of, admissible, key_by_hash};
use ledger::{Command, Lane, NodeId};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Ends all faults and all requests, and judges what is left.
pub(crate) async fn rest(world: &Arc<World>) {
    heal(world).await;
    // A change of the membership that has begun comes to its end.
    drop(world.churning.lock().await);
    all_up(world);
    if !writes(world).await || !settles(world).await {
        return;
    }
    world.note("settled all", [0, 0, 0]);
    agree(world);
    explain(world);
    admits(world).await;
    world.note("admitted all", [0, 0, 0]);
    if !settles(world).await || !returns(world).await {
        return;
    }
    agree(world);
    explain(world);
    world.must("usage is counted once", usage_adds_up(world));
}

/// The rows of usage cost what living nodes settled, and no more beside than what those that are gone may
/// have spent.
fn usage_adds_up(world: &World) -> Result<(), String> {
    let Some(first) = world.nodes().into_iter().next() else { return Ok(()) };
    let counted: i64 = first.ledger().usage.values().map(|sums| sums.cost_nano_usd).sum();
    let lives: Vec<_> = world.nodes().iter().map(|node| node.life_id()).collect();
    let costs = world.judge.money.costs();
    let (living, gone): (Vec<_>, Vec<_>) = costs.iter().partition(|(life, _)| lives.contains(life));
    let settled: i64 = living.iter().map(|(_, cost)| cost.settled).sum();
    let most: i64 = settled + gone.iter().map(|(_, cost)| cost.most).sum::<i64>();
    if (settled..=most).contains(&counted) {
        return Ok(());
    }
    Err(format!("{counted} is counted, {settled} to {most} were spent"))
}

async fn heal(world: &Arc<World>) {
    world.is_busy.store(false, SeqCst);
    world.end_strikes();
    world.links.heal();
    world.links.set_weather(Weather::FAIR);
    for slot in world.slots.values() {
        slot.clock_ahead_ms.store(0, SeqCst);
        slot.sync_max_ms.store(4, SeqCst);
        if let Some(life) = &*lock(&slot.life) {
            life.resume();
        }
    }
    all_up(world);
    world.note("healed", [0, 0, 0]);
}

/// All members run, and nobody else does.
fn all_up(world: &Arc<World>) {
    let members = world.members();
    for id in world.slots.keys() {
        match (members.contains(id), world.is_up(*id)) {
            (true, false) => Node::start(world, *id),
            (true, true) | (false, false) => {}
            (false, true) => Node::crash(world, *id),
        }
    }
}

/// Waits until `done`; false, and an objection, where that takes too long.
async fn within(
    world: &Arc<World>,
    check: &'static str,
    most: Duration,
    mut done: impl FnMut() -> Result<(), String>,
) -> bool {
    let deadline = Instant::now() + most;
    loop {
        let Err(lacking) = done() else { return true };
        if Instant::now() > deadline {
            world.fail(check, lacking);
            return false;
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Every node gets a write through, and all apply what was acknowledged.
async fn writes(world: &Arc<World>) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    for id in world.members() {
        loop {
            if let Some(node) = world.node(id) {
                let (owner, incarnation) = node.life_id();
                let write = Command::EnrolNode(EnrolNode { id: owner, incarnation });
                if let Some(Fate::Applied(_)) = node.life_propose(write).await {
                    break;
                }
            }
            if Instant::now() > deadline {
                world.fail("a write goes through once all is well", format!("not on node {id}"));
                return false;
            }
            sleep(LOOK_EVERY).await;
        }
    }
    let acked = world.judge.last_acked();
    within(world, "what was acknowledged is applied everywhere", Duration::from_secs(10), || {
        let behind = world.nodes().into_iter().find(|node| node.seen.index() < acked);
        behind.map_or(Ok(()), |node| Err(format!("node {} is behind {acked}", node.id)))
    })
    .await
}

/// All requests end, and all nodes have reported everything.
async fn settles(world: &Arc<World>) -> bool {
    let most = Duration::from_secs(40);
    within(world, "everything settles once all is well", most, || {
        for node in world.nodes() {
            let in_flight = node.in_flight.load(SeqCst);
            if in_flight > 0 {
                return Err(format!("node {} has {in_flight} requests", node.id));
            }
            node.seen.allowances.report();
            let open = |books: &PurseBooks| {
                let said = books.unreported == 0 && is_reported(&node, books);
                books.held != 0 || books.waiting != 0 || !said
            };
            if let Some(books) = node.seen.allowances.snapshot().into_iter().find(open) {
                let lane = lane_of(&node, &books);
                return Err(format!("node {}: {books:?} of {lane:?}", node.id));
            }
        }
        let (least, most) = world.applied_range();
        if least == most { Ok(()) } else { Err(format!("applied from {least} to {most}")) }
    })
    .await
}

/// The lane of a purse, as its node has it; none where the period is closed.
fn lane_of(node: &Node, books: &PurseBooks) -> Option<Lane> {
    let ledger = node.ledger();
    let period = ledger.accounts.get(&books.account)?.periods.get(&books.period)?;
    let (id, incarnation) = node.life_id();
    Some(period.lane(id, incarnation))
}

/// Whether the ledger has all a purse has to say. Of a closed period there is nothing to say.
fn is_reported(node: &Node, books: &PurseBooks) -> bool {
    let Some(lane) = lane_of(node, books) else { return true };
    lane.reported + lane.debt >= books.settled && lane.returned >= books.returned
}

/// All nodes hold the same ledger, and it breaks no invariant.
fn agree(world: &World) {
    for node in world.nodes() {
        let ledger = node.ledger();
        let compared = world.judge.compare(ledger.applied_index, &ledger);
        world.must("one ledger per index", compared);
        world.must("the ledger's invariants", ledger::invariant::check(&ledger));
    }
}

/// What each lane says is what its node settled, and covers what the provider billed; what is
/// outstanding is in a purse, or was a life's that is over.
fn explain(world: &World) {
    let Some(first) = world.nodes().into_iter().next() else { return };
    let ledger = first.ledger();
    for (account, books) in &ledger.accounts {
        for (number, period) in &books.periods {
            let sum = world.judge.money.sum(*account, *number);
            // What was spent beyond all grants is known to the life that did, and to its journal.
            let strict = world.judge.money.beyond(*account, *number) == Beyond::Nothing;
            let lives = world.judge.money.lives(*account, *number);
            let told = strict
                || lives.iter().all(|life| purse_of(world, *life, (*account, *number)).is_some());
            let beyond = if strict { sum.beyond } else { period.debt };
            if told && sum.billed > period.committed() + period.written_off + beyond {
                let what = format!("{account} period {number}: {sum:?} of {period:?}");
                world.fail("the books cover every bill", what);
            }
            for ((id, incarnation), lane) in &period.lanes {
                let tally = world.judge.money.tally(*account, *number, (*id, *incarnation));
                let say = |what: &str| {
                    let life = (id.0, incarnation);
                    format!("{account} period {number} life {life:?}: {what}: {lane:?} {tally:?}")
                };
                let Some(purse) = purse_of(world, (*id, *incarnation), (*account, *number)) else {
                    // Suspense: it may have been spent, and no more than that was, but for what was let
                    // through beyond all grants and is told by no journal.
                    let beyond = world.judge.money.beyond(*account, *number);
                    let alone = beyond.of_a_life().unwrap_or(i64::MAX);
                    let granted = lane.granted - lane.returned + lane.written_off;
                    let covered = granted.saturating_add(tally.beyond).saturating_add(alone);
                    if tally.billed > covered {
                        world.fail("suspense covers the bills", say("billed more than granted"));
                    }
                    continue;
                };
                let told =
                    lane.reported <= tally.settled && tally.settled <= lane.reported + lane.debt;
                if !told {
                    world.fail("settled exactly once", say("reported other than settled"));
                }
                if tally.billed > tally.settled {
                    world.fail("settled exactly once", say("billed more than settled"));
                }
                if !explains(purse.as_ref(), lane.outstanding()) {
                    world.fail("nothing outstanding is unexplained", say(&format!("{purse:?}")));
                }
            }
        }
    }
}

/// Whether what is outstanding lies in the purse, to the unit. Only a node that owes what no pool could pay
/// may differ, by that much: it pays it out of grants, and what is not open yet may be more.
fn explains(purse: Option<&PurseBooks>, outstanding: i64) -> bool {
    let (available, owed) = purse.map_or((0, 0), |purse| (purse.available, purse.owed));
    (available - owed..=available + owed).contains(&outstanding)
}

/// The purse of a life that lives; none inside where it was forgotten.
fn purse_of(
    world: &World,
    life: (NodeId, u64),
    (account, period): (ledger::AccountId, u64),
) -> Option<Option<PurseBooks>> {
    let node = world.nodes().into_iter().find(|node| node.life_id() == life)?;
    let all = node.seen.allowances.snapshot();
    Some(all.into_iter().find(|books| (books.account, books.period) == (account, period)))
}

/// A request that every account on its path can pay is admitted, on every node; one of a revoked key
/// is not.
async fn admits(world: &Arc<World>) {
    let attempt = Attempt {
        model: Model::Plain,
        input_tokens: 1,
        input_tokens_max: 1,
        pieces_max: 0,
        pieces: 0,
        first_ms: 5,
        piece_ms: 1,
        ending: Ending::Answered,
        tells: Tells::AtLast,
        token_bytes: 1,
        is_cut: false,
        drains: false,
    };
    for node in world.nodes() {
        for key in 1..=u8::try_from(world.scene.keys.len()).unwrap_or(u8::MAX) {
            let deadline = Instant::now() + Duration::from_secs(8);
            loop {
                let affordable = is_affordable(&node, key, &attempt.worst());
                let serving = Arc::clone(&node);
                let served = node
                    .life
                    .spawn(async move {
                        load::serve(&serving, Who { key, session: None }, &[attempt]).await
                    })
                    .await;
                let Ok(ended) = served else { return };
                match (affordable, ended) {
                    (_, Ended::Settled) | (false, Ended::Short(_) | Ended::Unknown) => break,
                    (true, Ended::Short(_) | Ended::Unknown) if Instant::now() > deadline => {
                        let what = format!("node {} key {key}: {ended:?}", node.id);
                        let there = whose(world, &node, ended);
                        world.fail("what can be paid is admitted", format!("{what}: {there}"));
                        return;
                    }
                    (true, Ended::Short(_) | Ended::Unknown) => sleep(LOOK_EVERY).await,
                }
            }
        }
    }
}

/// Where the money is that a request was short of, for whoever looks into it.
fn whose(world: &World, node: &Node, ended: Ended) -> String {
    let Ended::Short(short) = ended else { return String::new() };
    let ledger = node.ledger();
    let period = ledger.accounts.get(&short.account).and_then(|account| account.present());
    let purses = world.nodes().into_iter().flat_map(|node| {
        let all = node.seen.allowances.snapshot();
        all.into_iter().map(move |books| (node.id, books))
    });
    let of_it: Vec<_> = purses.filter(|(_, books)| books.account == short.account).collect();
    format!("{period:?} {of_it:?}")
}

/// Whether the key may be used and every account on its path has as much in pool and living purses.
fn is_affordable(node: &Node, key: u8, worst: &Charge) -> bool {
    let ledger = node.ledger();
    let Some(known) = key_by_hash(&ledger, &super::scene::hash_of(key)) else { return false };
    let now = node.world.clock(node.id);
    if admissible(known, now).is_err() {
        return false;
    }
    let purses: Vec<_> =
        node.world.nodes().iter().flat_map(|node| node.seen.allowances.snapshot()).collect();
    accounts_of(&ledger, known).iter().all(|terms| {
        let account = ledger.accounts.get(&terms.account);
        let living =
            |((id, life), _): &(&(NodeId, u64), &ledger::Lane)| ledger.is_present(*id, *life);
        let out = |period: &ledger::Period| -> i64 {
            period.lanes.iter().filter(living).map(|(_, lane)| lane.outstanding()).sum()
        };
        // At a period's very end it may be either.
        let over = terms.ends_at.is_some_and(|end| end.0 < now.0 + 1_000);
        let asked = worst.of(terms.unit);
        let there = account.map_or(0, |it| it.pool() + it.present().map_or(0, out));
        // What bills beyond their holds left owing is paid first.
        let of_it = purses.iter().filter(|books| books.account == terms.account);
        let there = there - of_it.map(|books| books.owed).sum::<i64>();
        !over && asked <= terms.limit && there >= asked
    })
}

/// Every node gives everything back.
async fn returns(world: &Arc<World>) -> bool {
    for node in world.nodes() {
        let most = Duration::from_secs(15);
        world.note("returns", [node.id, 0, 0]);
        if !node.seen.allowances.return_everything(most).await {
            let left: Vec<PurseBooks> = node.seen.allowances.snapshot();
            world.fail("a node can give everything back", format!("node {}: {left:?}", node.id));
            return false;
        }
        let ledger = node.ledger();
        let (id, life) = node.life_id();
        let all = ledger.accounts.values().flat_map(|account| account.periods.values());
        let out: i64 = all.map(|period| period.lane(id, life).outstanding()).sum();
        if out != 0 {
            world.fail("who gave everything back has nothing", format!("node {}: {out}", node.id));
        }
    }
    let most = Duration::from_secs(10);
    within(world, "all apply the same once all is well", most, || {
        let (least, most) = world.applied_range();
        if least == most { Ok(()) } else { Err(format!("applied from {least} to {most}")) }
    })
    .await
}
