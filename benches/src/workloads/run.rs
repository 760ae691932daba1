//! One run of one workload.

use super::dice::{Dice, rising};
use super::log::{self, Log};
use super::node::{NODES, Node};
use super::plan::{Faults, MEDIAN_COST, MEDIAN_SECONDS, Plan, SECONDS_SIGMA, SIGMA};
use super::truth::Truth;
use cluster::allowance::Charge;
use ledger::command::PutBudget;
use ledger::{AccountId, Budget, BudgetWindow, Command, NanoUsd, Unit, UsageSums, Window};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// Shares of the traffic.
const WEIGHTS: [f64; NODES] = [50.0, 25.0, 15.0, 8.0, 2.0];
/// How long a request waits for money.
const WITHIN: Duration = Duration::from_millis(250);
/// Until the others notice that a node is silent.
const NOTICED: Duration = Duration::from_secs(2);
/// After the last arrival: all requests have ended, all nodes have reported.
const SETTLED: Duration = Duration::from_secs(120);
/// Below this part of a budget a refusal is its end, not a fault.
const END_OF_BUDGET: i64 = 100;

/// What a run came to.
pub(crate) struct Came {
    pub(crate) asked: u64,
    /// Admitted without asking anybody.
    pub(crate) local: u64,
    /// Admitted after a wait.
    pub(crate) slow: u64,
    pub(crate) waited_ms: f64,
    /// Refused though the provider knew of enough, and of at least a hundredth of the budget.
    pub(crate) affordable: u64,
    /// Of these, where the node could ask, and enough was not frozen at nodes that nobody could reach.
    pub(crate) unexplained: u64,
    pub(crate) refills: u64,
    /// Nano-USD billed beyond limits.
    pub(crate) overspent: i64,
    /// Part of the limits that was left of those budgets that more was asked of.
    pub(crate) stranded: f64,
    /// Part of the limits that was charged for requests in flight at a crash, beyond their cost: it is
    /// among what is stranded.
    pub(crate) charged: f64,
    /// What is stranded had one ledger known everything at once.
    pub(crate) stranded_ideally: f64,
}

/// Everything the tasks of a run share.
struct World {
    log: Arc<Log>,
    truth: Truth,
    /// What one ledger that knows everything at once would have admitted.
    ideal: Truth,
    accounts: Vec<AccountId>,
    nodes: RefCell<Vec<Rc<Node>>>,
    /// Nodes that callers do not reach.
    down: RefCell<[bool; NODES]>,
    /// Lives that nobody can reach any more.
    lost: RefCell<Vec<Rc<Node>>>,
    wanted: RefCell<Vec<i64>>,
    /// Charged beyond their cost for requests whose node crashed: nobody knows more than their holds.
    crashed: RefCell<Vec<i64>>,
    tally: Tally,
    disk: tempfile::TempDir,
}

#[derive(Default)]
struct Tally {
    asked: Cell<u64>,
    local: Cell<u64>,
    slow: Cell<u64>,
    waited_ms: Cell<f64>,
    affordable: Cell<u64>,
    unexplained: Cell<u64>,
}

fn count(cell: &Cell<u64>) {
    cell.set(cell.get() + 1);
}

/// One request, as the world means it.
#[derive(Clone)]
struct Request {
    key: usize,
    cost: i64,
    worst: i64,
    takes: Duration,
}

/// Runs a workload to its end.
pub(crate) async fn run(plan: &Plan, seed: u64) -> Came {
    log::restart_clock();
    let world = Rc::new(World::new(plan));
    let faults = tokio::task::spawn_local(strike(Rc::clone(&world), plan.faults));
    arrive(&world, plan, Dice::new(seed)).await;
    sleep(SETTLED).await;
    faults.abort();
    world.came()
}

impl World {
    fn new(plan: &Plan) -> World {
        let log = Log::new();
        let (truth, ideal) = (Truth::default(), Truth::default());
        let disk = tempfile::tempdir().expect("a directory for journals");
        let start = |at| Rc::new(Node::start(&log, &format!("node-{at}"), 1, disk.path()));
        let nodes: Vec<Rc<Node>> = (0..NODES).map(start).collect();
        let limit = plan.limit.map_or(NanoUsd::LIMIT_MAX.0 / 1_000, |limit| limit as i64);
        let accounts = (0..plan.keys).map(|key| {
            truth.open(limit);
            ideal.open(limit);
            budget(&log, key, limit)
        });
        let accounts = accounts.collect();
        let world = World {
            log,
            truth,
            ideal,
            accounts,
            nodes: RefCell::new(nodes),
            down: RefCell::new([false; NODES]),
            lost: RefCell::default(),
            wanted: RefCell::new(vec![0; plan.keys]),
            crashed: RefCell::new(vec![0; plan.keys]),
            tally: Tally::default(),
            disk,
        };
        world.tell_who_is_heard();
        world
    }

    fn node(&self, at: usize) -> Rc<Node> {
        Rc::clone(&self.nodes.borrow()[at])
    }

    /// Tells every node which lives are heard: those that are neither lost nor cut off.
    fn tell_who_is_heard(&self) {
        let down = *self.down.borrow();
        let nodes = self.nodes.borrow();
        let heard: Vec<_> = nodes
            .iter()
            .zip(down)
            .filter(|(node, down)| !down && !node.link.is_cut.load(SeqCst))
            .map(|(node, _)| (node.id, node.life))
            .collect();
        nodes.iter().for_each(|node| node.allowances.set_heard(heard.iter().copied()));
    }

    /// Granted to lives that cannot be reached, and not told of.
    fn frozen(&self, account: AccountId) -> i64 {
        let ledger = self.log.ledger();
        let out = |node: &Rc<Node>| node.outstanding(&ledger, account);
        let lost: i64 = self.lost.borrow().iter().map(out).sum();
        let nodes = self.nodes.borrow();
        let cut = nodes.iter().filter(|node| node.link.is_cut.load(SeqCst));
        lost + cut.map(out).sum::<i64>()
    }

    /// Charged for requests of crashed lives beyond what the provider billed, once the next life has told.
    fn charged(&self, key: usize) -> i64 {
        let told = !self.down.borrow().contains(&true);
        if told { self.crashed.borrow()[key] } else { 0 }
    }

    fn came(&self) -> Came {
        let (left, limits) = self.truth.left_of(&self.wanted.borrow());
        let (left_ideally, _) = self.ideal.left_of(&self.wanted.borrow());
        let charged: i64 = (0..self.accounts.len()).map(|key| self.charged(key)).sum();
        let tally = &self.tally;
        Came {
            asked: tally.asked.get(),
            local: tally.local.get(),
            slow: tally.slow.get(),
            waited_ms: tally.waited_ms.get(),
            affordable: tally.affordable.get(),
            unexplained: tally.unexplained.get(),
            refills: self.log.refills.load(SeqCst),
            overspent: self.truth.overspent(),
            stranded: left as f64 / (limits as f64).max(1.0),
            charged: charged as f64 / (limits as f64).max(1.0),
            stranded_ideally: left_ideally as f64 / (limits as f64).max(1.0),
        }
    }
}

fn budget(log: &Log, key: usize, limit: i64) -> AccountId {
    let name = format!("budget-{key}");
    let budget = Budget {
        name: name.clone(),
        unit: Unit::NanoUsd,
        windows: vec![BudgetWindow { window: Window::Never, limit }],
        managed_by: "api:bench".to_owned(),
        ..Budget::default()
    };
    log.apply(Command::PutBudget(PutBudget { budget, if_index: None, periods: Vec::new() }));
    AccountId { budget: log.ledger().budgets[&name].handle, window: 0 }
}

/// Lets requests arrive, at the nodes that callers reach.
async fn arrive(world: &Rc<World>, plan: &Plan, mut dice: Dice) {
    let keys = rising((1..=plan.keys).map(|rank| (rank as f64).powf(-plan.zipf)));
    let started = Instant::now();
    let mut at = 0.0;
    loop {
        at += dice.gap(plan.per_second);
        if at > plan.seconds {
            return;
        }
        sleep_until(started + Duration::from_secs_f64(at)).await;
        let down = *world.down.borrow();
        let reached = rising(WEIGHTS.iter().zip(down).map(|(w, down)| if down { 0.0 } else { *w }));
        let node = world.node(dice.pick(&reached));
        let cost = dice.lognormal(MEDIAN_COST, SIGMA);
        let request = Request {
            key: dice.pick(&keys),
            cost: cost as i64,
            worst: (cost * dice.between(plan.hold.0, plan.hold.1)).ceil() as i64,
            takes: Duration::from_secs_f64(dice.lognormal(MEDIAN_SECONDS, SECONDS_SIGMA)),
        };
        tokio::task::spawn_local(serve(Rc::clone(world), node, request));
    }
}

/// One request from its arrival to its settlement. The provider bills it whatever becomes of the node.
async fn serve(world: Rc<World>, node: Rc<Node>, request: Request) {
    let Request { key, cost, worst, takes } = request;
    count(&world.tally.asked);
    world.wanted.borrow_mut()[key] += cost;
    if world.ideal.free(key) >= worst {
        tokio::task::spawn_local(serve_ideally(Rc::clone(&world), request.clone()));
    }
    let path = node.path(&world.log.ledger(), key, &world.accounts[key..=key]);
    let charge = Charge { nano_usd: worst, tokens: 0, requests: 1 };
    let hold = match node.allowances.try_hold(&path, &charge, log::now()) {
        Ok(hold) => {
            count(&world.tally.local);
            hold
        }
        Err(_) => {
            let asked_at = Instant::now();
            match node.allowances.hold(&path, &charge, log::now(), WITHIN).await {
                Ok(hold) => {
                    count(&world.tally.slow);
                    let waited_ms = asked_at.elapsed().as_secs_f64() * 1e3;
                    world.tally.waited_ms.set(world.tally.waited_ms.get() + waited_ms);
                    hold
                }
                Err(_) => return refused(&world, &node, key, worst),
            }
        }
    };
    world.truth.begin(key, worst);
    sleep(takes).await;
    world.truth.end(key, worst, cost);
    if node.is_dead.get() {
        // The provider has billed it, and nobody is there to settle it.
        world.crashed.borrow_mut()[key] += worst - cost;
        std::mem::forget(hold);
        return;
    }
    let actual = Charge { nano_usd: cost, tokens: 0, requests: 1 };
    hold.settle(&actual, &UsageSums { requests: 1, cost_nano_usd: cost, ..UsageSums::default() });
}

/// The same request as one ledger that knows everything at once admits it.
async fn serve_ideally(world: Rc<World>, request: Request) {
    let Request { key, cost, worst, takes } = request;
    world.ideal.begin(key, worst);
    sleep(takes).await;
    world.ideal.end(key, worst, cost);
}

fn refused(world: &World, node: &Node, key: usize, worst: i64) {
    let free = world.truth.free(key);
    if free < worst || free < world.truth.limit(key) / END_OF_BUDGET {
        return;
    }
    count(&world.tally.affordable);
    let alone = node.link.is_cut.load(SeqCst) || *world.log.leaderless.borrow();
    if !alone && free - world.frozen(world.accounts[key]) - world.charged(key) >= worst {
        count(&world.tally.unexplained);
    }
}

/// What goes wrong, and when.
async fn strike(world: Rc<World>, faults: Faults) {
    match faults {
        Faults::None => {}
        Faults::Some => {
            sleep(Duration::from_secs(20)).await;
            crash(&world, 1).await;
            sleep(Duration::from_secs(8)).await;
            world.node(2).link.set_cut(true);
            sleep(NOTICED).await;
            world.tell_who_is_heard();
            leave_leaderless(&world).await;
            sleep(Duration::from_secs(18)).await;
            restart(&world, 1);
            sleep(Duration::from_secs(20)).await;
            world.node(2).link.set_cut(false);
            world.tell_who_is_heard();
            leave_leaderless(&world).await;
        }
        Faults::Lost => {
            sleep(Duration::from_secs(40)).await;
            crash(&world, 1).await;
        }
    }
}

async fn crash(world: &World, at: usize) {
    let node = world.node(at);
    node.crash();
    world.down.borrow_mut()[at] = true;
    world.lost.borrow_mut().push(node);
    sleep(NOTICED).await;
    world.tell_who_is_heard();
}

fn restart(world: &World, at: usize) {
    let life = world.node(at).life + 1;
    let node = Rc::new(Node::start(&world.log, &format!("node-{at}"), life, world.disk.path()));
    world.nodes.borrow_mut()[at] = node;
    world.down.borrow_mut()[at] = false;
    world.tell_who_is_heard();
}

async fn leave_leaderless(world: &World) {
    world.log.leaderless.send_replace(true);
    sleep(Duration::from_millis(1_500)).await;
    world.log.leaderless.send_replace(false);
}
