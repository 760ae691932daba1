//! What all parts of one run share: time, chance, the judge, the nodes and what lies between them.

use super::broken::Break;
use super::disk::Disk;
use super::ground::Platter;
use super::judge::Judge;
use super::life::{Life, lock};
use super::net::Links;
use super::node::Node;
use super::scene::{SPARES, Scene};
use super::trace::Trace;
use crate::dice::Dice;
use ledger::UnixMillis;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// When every run begins, by the one true clock.
pub(crate) const START_MS: u64 = 1_800_000_000_000;

/// How far a good clock is away from the true one at most, in milliseconds.
pub(crate) const GOOD_CLOCK_MS: u64 = 100;

/// Why a run was stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which check objected.
    pub check: &'static str,
    /// What it saw.
    pub what: String,
    /// When, in simulated milliseconds since the start.
    pub at_ms: u64,
}

/// One run's world.
pub(crate) struct World {
    broken: Option<Break>,
    pub(crate) scene: Scene,
    pub(crate) judge: Judge,
    pub(crate) links: Links,
    pub(crate) trace: Trace,
    pub(crate) slots: BTreeMap<u64, Slot>,
    /// Nodes that belong to the cluster, or are about to.
    members: Mutex<BTreeSet<u64>>,
    /// The highest number a node was given.
    allocated: AtomicU64,
    /// Taken by whoever changes the membership.
    pub(crate) churning: tokio::sync::Mutex<()>,
    /// Callers come.
    pub(crate) is_busy: AtomicBool,
    is_over: AtomicBool,
    started: Instant,
    dice: Mutex<Dice>,
    failure: Mutex<Option<Failure>>,
    failed: Notify,
}

/// The place of a node: what outlives its processes.
pub(crate) struct Slot {
    pub(crate) disk: Arc<Disk>,
    /// The life that runs, from its first step on.
    pub(crate) life: Mutex<Option<Arc<Life>>>,
    /// Its node, once that has begun.
    pub(crate) node: Mutex<Option<Arc<Node>>>,
    /// How far this node's wall clock is ahead, in milliseconds.
    pub(crate) clock_ahead_ms: AtomicI64,
    /// Where its journals are.
    pub(crate) platter: Arc<Platter>,
    /// Time one sync of this node's disk takes at most, in milliseconds.
    pub(crate) sync_max_ms: AtomicU64,
}

impl World {
    /// The world of a seed; the nodes' journals lie in that directory.
    pub(crate) fn new(seed: u64, broken: Option<Break>, root: &Path) -> Arc<World> {
        Arc::new_cyclic(|world| World::in_circle(seed, broken, (world, root)))
    }

    fn in_circle(seed: u64, broken: Option<Break>, (world, root): (&Weak<World>, &Path)) -> World {
        let mut dice = Dice::of(seed);
        let scene = Scene::draw(&mut dice);
        let mut skews = dice.split();
        let slot = |id| {
            let drawn = i64::try_from(skews.within(0, 2 * GOOD_CLOCK_MS)).unwrap_or(0);
            let skew = drawn.saturating_sub_unsigned(GOOD_CLOCK_MS);
            let slot = Slot {
                disk: Disk::new(broken == Some(Break::FlushOff)),
                life: Mutex::new(None),
                node: Mutex::new(None),
                clock_ahead_ms: AtomicI64::new(skew),
                platter: Platter::new(Weak::clone(world), id, root),
                sync_max_ms: AtomicU64::new(4),
            };
            (id, slot)
        };
        World {
            broken,
            slots: (1..=scene.nodes + SPARES).map(slot).collect(),
            members: Mutex::new((1..=scene.nodes).collect()),
            allocated: AtomicU64::new(scene.nodes),
            churning: tokio::sync::Mutex::new(()),
            scene,
            judge: Judge::default(),
            links: Links::default(),
            trace: Trace::default(),
            is_busy: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            started: Instant::now(),
            dice: Mutex::new(dice),
            failure: Mutex::new(None),
            failed: Notify::new(),
        }
    }

    pub(crate) fn is_broken(&self, how: Break) -> bool {
        self.broken == Some(how)
    }

    /// Milliseconds since the start, by the true clock.
    pub(crate) fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The true time.
    pub(crate) fn now(&self) -> UnixMillis {
        UnixMillis(START_MS + self.elapsed_ms())
    }

    /// What a node's wall clock says.
    pub(crate) fn clock(&self, node: u64) -> UnixMillis {
        let ahead = self.slots[&node].clock_ahead_ms.load(SeqCst);
        UnixMillis(self.now().0.saturating_add_signed(ahead))
    }

    /// Draws from the run's own stream.
    pub(crate) fn draw<T>(&self, from: impl FnOnce(&mut Dice) -> T) -> T {
        from(&mut lock(&self.dice))
    }

    /// A time from `low_ms` to `high_ms`.
    pub(crate) fn span(&self, low_ms: u64, high_ms: u64) -> Duration {
        Duration::from_millis(self.draw(|dice| dice.within(low_ms, high_ms)))
    }

    /// How long a sync of this node's disk takes now.
    pub(crate) fn time_to_sync(&self, node: u64) -> Duration {
        let max_ms = self.slots[&node].sync_max_ms.load(SeqCst);
        self.span(max_ms / 4, max_ms)
    }

    /// Whether a sync of a journal fails: in some runs, now and then, until all is to be well.
    pub(crate) fn journal_fails(&self) -> bool {
        self.scene.journals_fail && self.is_striking() && self.draw(|dice| dice.chance(1))
    }

    /// Whether faults may still begin, and nodes that are down come back by themselves.
    pub(crate) fn is_striking(&self) -> bool {
        !self.is_over.load(SeqCst)
    }

    pub(crate) fn end_strikes(&self) {
        self.is_over.store(true, SeqCst);
    }

    /// Nodes that belong to the cluster, or are about to.
    pub(crate) fn members(&self) -> BTreeSet<u64> {
        lock(&self.members).clone()
    }

    pub(crate) fn admit(&self, id: u64) {
        lock(&self.members).insert(id);
        self.allocated.fetch_max(id, SeqCst);
    }

    pub(crate) fn dismiss(&self, id: u64) {
        lock(&self.members).remove(&id);
    }

    /// The highest number a node was ever given.
    pub(crate) fn allocated(&self) -> u64 {
        self.allocated.load(SeqCst)
    }

    /// Whether a node that is down comes back by itself.
    pub(crate) fn comes_back(&self, id: u64) -> bool {
        self.is_striking() && !self.is_up(id) && lock(&self.members).contains(&id)
    }

    /// The lowest and the highest index applied by the nodes whose processes run.
    pub(crate) fn applied_range(&self) -> (u64, u64) {
        let applied = self.nodes().into_iter().map(|node| node.seen.index());
        applied.fold((u64::MAX, 0), |(least, most), at| (least.min(at), most.max(at)))
    }

    /// Notes what happened.
    pub(crate) fn note(&self, what: &'static str, of: [u64; 3]) {
        self.trace.note(self.elapsed_ms(), what, of);
    }

    /// Stops the run. The first reason is kept.
    pub(crate) fn fail(&self, check: &'static str, what: String) {
        let mut failure = lock(&self.failure);
        if failure.is_none() {
            *failure = Some(Failure { check, what, at_ms: self.elapsed_ms() });
        }
        self.failed.notify_one();
    }

    /// Stops the run where `found` is an objection.
    pub(crate) fn must(&self, check: &'static str, found: Result<(), String>) {
        if let Err(what) = found {
            self.fail(check, what);
        }
    }

    pub(crate) fn failure(&self) -> Option<Failure> {
        lock(&self.failure).clone()
    }

    /// Waits until the run is stopped.
    pub(crate) async fn failed(&self) {
        self.failed.notified().await;
    }

    /// Whether a node's process runs, be it only beginning.
    pub(crate) fn is_up(&self, id: u64) -> bool {
        lock(&self.slots[&id].life).is_some()
    }

    /// The node, where its process runs and has begun.
    pub(crate) fn node(&self, id: u64) -> Option<Arc<Node>> {
        lock(&self.slots[&id].node).clone()
    }

    /// All nodes whose processes run and have begun.
    pub(crate) fn nodes(&self) -> Vec<Arc<Node>> {
        self.slots.keys().filter_map(|id| self.node(*id)).collect()
    }
}
