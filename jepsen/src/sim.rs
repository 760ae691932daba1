//! Whole clusters in one thread, in simulated time, replayed from one number.
//!
//! Real are the ledger's `apply`, the allowances with their purses, holds, settlements and refills, the
//! reader of a provider's stream and the table of what an attempt is charged however it ended, the
//! journal with its files and what the next life tells of them, the decision whose clock opens a period,
//! and consensus itself with the product's settings. Simulated are
//! the network between the nodes, which loses, doubles, delays, overtakes and tears; their disks, which
//! lose what was not synced when power goes; their wall clocks; the callers, who leave in the middle of
//! answers; and the provider, which fails before and after it bills and keeps its own books.
//!
//! [`run`] plays the run of one seed: a cluster is formed, callers come, faults strike and overlap, all
//! of it heals, and at the end everything must have settled. A judge looks on all the while, and the
//! first objection ends the run. The same seed gives the same run, event by event: [`Report::hash`].
//!
//! What is judged after each event: what the provider billed, may yet bill, and what is held, against the
//! limit of each period, or of all that count where the window rolls; each purse against its grant; each
//! entry against what was written and applied under its log id and index anywhere; periods against the true
//! time; the ledger's own invariants on what an entry touched. Every few entries: the whole ledger, and its
//! likeness on all nodes. At the end: that every node gets a write through and has applied all that was
//! acknowledged; that everything is reported, once, as it was settled; that each bill is covered and nothing
//! outstanding is unexplained; that what can be paid is admitted; that all can be given back; and that the
//! rows of usage cost what was spent.
//!
//! Not simulated: gossip, rates, and who decides on the membership: it is changed as an operator would.

mod answer;
mod broken;
mod churn;
mod disk;
mod duties;
mod faults;
mod ground;
mod journal;
mod judge;
mod life;
mod load;
mod log;
mod machine;
mod net;
mod node;
mod provider;
mod quiet;
mod runtime;
mod scene;
mod trace;
mod types;
mod watch;
mod world;

pub use broken::Break;
pub use world::Failure;

use life::lock;
use node::{Fate, Node};
use runtime::SimRuntime;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use storage::Peer;
use storage::openraft::AsyncRuntime;
use tempfile::TempDir;
use tokio::time::{sleep, timeout};
use world::World;

/// Longest a run may take, in simulated time.
const LONGEST: Duration = Duration::from_secs(300);
/// Time the nodes get to begin and to elect their first leader.
const FORMED_WITHIN: Duration = Duration::from_secs(20);

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Report {
    /// The run's name.
    pub seed: u64,
    /// The first objection, if there was one.
    pub failure: Option<Failure>,
    /// All that happened, as one number.
    pub hash: u64,
    /// How much happened.
    pub events: u64,
    /// How often what happened.
    pub counts: BTreeMap<&'static str, u64>,
    /// What the provider billed in all, in the units of the accounts.
    pub billed: i64,
    /// Entries of the log that were acknowledged.
    pub acked: u64,
    /// How long it took, in simulated milliseconds.
    pub took_ms: u64,
    /// What happened last, a line each; empty where nobody objected.
    pub last: String,
}

/// Plays the run of a seed, with one mistake put in or none.
#[must_use]
pub fn run(seed: u64, broken: Option<Break>) -> Report {
    let files = in_memory();
    SimRuntime::new(1).block_on(async {
        let world = World::new(seed, broken, files.path());
        let played = async {
            tokio::select! {
                biased;
                () = world.failed() => {}
                () = watch_lives(&world) => {}
                () = story(&world) => {}
            }
        };
        if timeout(LONGEST, played).await.is_err() {
            world.fail("a run ends", format!("not within {LONGEST:?}"));
        }
        report(seed, &world)
    })
}

/// A directory for the nodes' journals, in memory where there is such a place.
fn in_memory() -> TempDir {
    let made = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    made.expect("a run has room for some small files")
}

async fn story(world: &Arc<World>) {
    if !form(world).await {
        world.fail("a cluster forms", format!("not within {FORMED_WITHIN:?}"));
        return;
    }
    world.is_busy.store(true, SeqCst);
    faults::strike(world).await;
    quiet::rest(world).await;
}

/// Objects to a task that panicked, whoever's it was.
async fn watch_lives(world: &Arc<World>) {
    loop {
        if let Some(node) = world.nodes().into_iter().find(|node| node.life.has_panicked()) {
            world.fail("no task panics", format!("one of node {} did", node.id));
            return;
        }
        sleep(Duration::from_millis(250)).await;
    }
}

/// Forms the cluster and writes what the scene begins with.
async fn form(world: &Arc<World>) -> bool {
    for id in world.members() {
        Node::start(world, id);
    }
    let formed = async {
        while world.nodes().len() < world.members().len() {
            sleep(Duration::from_millis(10)).await;
        }
        let Some(first) = world.node(1) else { return };
        let peer = |id: u64| (id, Peer { addr: id.to_string() });
        let members: BTreeMap<u64, Peer> = world.members().into_iter().map(peer).collect();
        let founder = Arc::clone(&first);
        first.life.spawn(async move { founder.raft().initialize(members).await }).await.ok();
        for command in world.scene.commands(world.now()) {
            while !matches!(first.life_propose(command.clone()).await, Some(Fate::Applied(_))) {
                sleep(Duration::from_millis(50)).await;
            }
        }
    };
    timeout(FORMED_WITHIN, formed).await.is_ok()
}

fn report(seed: u64, world: &World) -> Report {
    let (hash, events) = world.trace.hash();
    let failure = world.failure();
    let report = Report {
        seed,
        hash,
        events,
        counts: world.trace.counts(),
        billed: world.judge.money.billed_in_all(),
        acked: world.judge.last_acked(),
        took_ms: world.elapsed_ms(),
        last: failure.as_ref().map(|_| world.trace.last()).unwrap_or_default(),
        failure,
    };
    for slot in world.slots.values() {
        // A node and its world hold each other.
        if let Some(life) = lock(&slot.life).take() {
            life.kill();
        }
        drop(lock(&slot.node).take());
    }
    report
}
