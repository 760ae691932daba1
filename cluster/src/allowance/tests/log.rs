//! A log in memory, nodes that follow it, and the truth as the provider sees it.

use crate::allowance::{
    Allowances, Charge, Owner, Path, Propose, PurseTerms, Short, Testament, forget_lives_before,
};
use futures_util::future::BoxFuture;
use ledger::command::{AllocateNode, EnrolNode, PutBudget, Refill};
use ledger::{
    AccountId, Budget, BudgetWindow, Change, Command, Entry, Ledger, Mode, NodeId, Outcome, Unit,
    UnixMillis, UsageKey, UsageSums, Window, WithoutQuorum,
};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// When the tests begin, by every node's clock.
pub(in crate::allowance) const START: UnixMillis = UnixMillis(1_800_000_000_000);
/// How long a request waits for money.
pub(in crate::allowance) const WITHIN: Duration = Duration::from_millis(250);

/// Small, seeded, good enough to choose among faults (xorshift64*).
#[derive(Clone, Debug)]
pub(in crate::allowance) struct Dice(u64);

impl Dice {
    pub(in crate::allowance) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(in crate::allowance) fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % n
    }

    pub(in crate::allowance) fn amount(&mut self, from: i64, to: i64) -> i64 {
        let width = u64::try_from(to - from).unwrap();
        from + i64::try_from(self.below(width.max(1))).unwrap()
    }
}

/// What goes wrong with proposals, in percent.
#[derive(Clone, Copy, Default)]
pub(in crate::allowance) struct Faults {
    pub(super) lost: u64,
    /// Applied up to half a second later, though the proposer was told nothing.
    pub(super) late: u64,
    pub(super) doubled: u64,
    /// The fault the tests must be able to see: nodes believe to be granted twice what they are.
    pub(super) forged: bool,
}

type Applied = (Arc<Ledger>, Vec<Change>);

struct State {
    ledger: Arc<Ledger>,
    index: u64,
    dice: Dice,
    followers: Vec<mpsc::UnboundedSender<Applied>>,
}

/// The log and the ledger it makes.
pub(in crate::allowance) struct Log {
    state: Mutex<State>,
    pub(super) faults: Faults,
    pub(super) is_cut: AtomicBool,
    /// While it is shut proposals wait before they reach the log.
    pub(super) gate: watch::Sender<bool>,
}

impl Log {
    pub(in crate::allowance) fn new(seed: u64, faults: Faults) -> Arc<Log> {
        let state = State {
            ledger: Arc::new(Ledger::default()),
            index: 0,
            dice: Dice::new(seed),
            followers: Vec::new(),
        };
        let is_cut = AtomicBool::new(false);
        Arc::new(Log { state: Mutex::new(state), faults, is_cut, gate: watch::Sender::new(false) })
    }

    pub(in crate::allowance) fn ledger(&self) -> Arc<Ledger> {
        Arc::clone(&self.state.lock().unwrap().ledger)
    }

    /// Applies and tells all followers; the ledger's own invariants must hold.
    pub(in crate::allowance) fn apply(&self, command: Command) -> Outcome {
        let mut state = self.state.lock().unwrap();
        state.index += 1;
        let entry = Entry { index: state.index, at: START, command };
        let mut ledger = Ledger::clone(&state.ledger);
        let (outcome, changes) = ledger::apply(&mut ledger, &entry);
        ledger.applied_index = entry.index;
        ledger::invariant::check(&ledger).unwrap();
        state.ledger = Arc::new(ledger);
        let applied = (Arc::clone(&state.ledger), changes);
        state.followers.retain(|follower| follower.send(applied.clone()).is_ok());
        outcome
    }

    fn follow(&self) -> mpsc::UnboundedReceiver<Applied> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut state = self.state.lock().unwrap();
        sender.send((Arc::clone(&state.ledger), Vec::new())).unwrap();
        state.followers.push(sender);
        receiver
    }

    fn roll(&self, n: u64) -> u64 {
        self.state.lock().unwrap().dice.below(n)
    }

    /// Makes a budget with one window and returns its account.
    pub(in crate::allowance) fn budget(&self, budget: Budget) -> AccountId {
        let name = budget.name.clone();
        let done = self.apply(Command::PutBudget(put(budget)));
        assert_eq!(done, Outcome::Done);
        AccountId { budget: self.ledger().budgets[&name].handle, window: 0 }
    }
}

/// The command that makes a budget, or changes one.
pub(in crate::allowance) fn put(budget: Budget) -> PutBudget {
    PutBudget { budget, if_index: None, periods: Vec::new() }
}

/// A hard money budget that never starts anew.
pub(in crate::allowance) fn budget(name: &str, limit: i64) -> Budget {
    Budget {
        name: name.to_owned(),
        handle: 0,
        unit: Unit::NanoUsd,
        windows: vec![BudgetWindow { window: Window::Never, limit }],
        managed_by: "api:test".to_owned(),
        created_at: START,
        ..Budget::default()
    }
}

/// A node's way to the log.
struct Wire(Arc<Log>);

impl Propose for Wire {
    fn propose(&self, refill: Refill) -> BoxFuture<'_, Option<Outcome>> {
        let log = Arc::clone(&self.0);
        Box::pin(async move {
            sleep(Duration::from_millis(1 + log.roll(6))).await;
            log.gate.subscribe().wait_for(|shut| !*shut).await.ok()?;
            if log.is_cut.load(SeqCst) {
                return None;
            }
            let fate = log.roll(100);
            let Faults { lost, late, doubled, .. } = log.faults;
            if fate < lost {
                return None;
            }
            if fate < lost + late {
                tokio::spawn(apply_later(log, refill));
                return None;
            }
            let outcome = log.apply(Command::Refill(refill.clone()));
            if fate < lost + late + doubled {
                tokio::spawn(apply_later(log, refill));
            }
            Some(outcome)
        })
    }
}

async fn apply_later(log: Arc<Log>, refill: Refill) {
    sleep(Duration::from_millis(20 + log.roll(500))).await;
    log.apply(Command::Refill(refill));
}

/// One life of a node.
pub(in crate::allowance) struct Node {
    pub(super) allowances: Arc<Allowances>,
    pub(super) id: NodeId,
    tasks: Vec<JoinHandle<()>>,
}

impl Node {
    /// Starts a life of a node and enrols it.
    pub(in crate::allowance) fn start(log: &Arc<Log>, label: &str, incarnation: u64) -> Node {
        let node = Node::start_unenrolled(log, label, incarnation);
        let enrol = EnrolNode { id: node.id, incarnation };
        assert_eq!(log.apply(Command::EnrolNode(enrol)), Outcome::Done);
        node
    }

    pub(in crate::allowance) fn start_unenrolled(
        log: &Arc<Log>,
        label: &str,
        incarnation: u64,
    ) -> Node {
        Node::start_with(log, label, incarnation, None)
    }

    /// Starts a life with a journal in that data directory, enrols it, and has it tell what the life
    /// before it spent.
    pub(in crate::allowance) fn start_in(
        log: &Arc<Log>,
        dir: &std::path::Path,
        incarnation: u64,
    ) -> Node {
        let node = Node::start_mute(log, dir, incarnation);
        let enrol = EnrolNode { id: node.id, incarnation };
        assert_eq!(log.apply(Command::EnrolNode(enrol)), Outcome::Done);
        for past in log.ledger().nodes[&node.id].past.clone() {
            let testament = Testament::read(dir, &owner(node.id, past.incarnation)).unwrap();
            let parts = testament.map(|testament| testament.parts(&log.ledger(), incarnation));
            for part in parts.unwrap_or_default() {
                assert_eq!(log.apply(Command::Adopt(part)), Outcome::Done);
            }
            node.allowances.forget_life(past.incarnation);
        }
        forget_lives_before(dir, incarnation).unwrap();
        node
    }

    /// Starts a life with a journal that is not enrolled and tells of none before it.
    pub(in crate::allowance) fn start_mute(
        log: &Arc<Log>,
        dir: &std::path::Path,
        incarnation: u64,
    ) -> Node {
        Node::start_with(log, "a", incarnation, Some(dir))
    }

    fn start_with(
        log: &Arc<Log>,
        label: &str,
        incarnation: u64,
        dir: Option<&std::path::Path>,
    ) -> Node {
        let allocate = AllocateNode { uuid: label.to_owned(), label: label.to_owned(), id: None };
        let Outcome::NodeAllocated(id) = log.apply(Command::AllocateNode(allocate)) else {
            panic!("no id");
        };
        let allowances = Allowances::new();
        if let Some(dir) = dir {
            allowances.begin_journal(dir, owner(id, incarnation)).unwrap();
        }
        allowances.identify(id, incarnation);
        allowances.set_active_nodes(3);
        let tasks = vec![
            tokio::spawn(follow(Arc::clone(&allowances), log.follow(), Arc::clone(log))),
            tokio::spawn(Arc::clone(&allowances).run(Arc::new(Wire(Arc::clone(log))))),
            tokio::spawn(Arc::clone(&allowances).keep_journal()),
        ];
        Node { allowances, id, tasks }
    }

    /// Ends it without a word.
    pub(in crate::allowance) fn crash(&self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }

    /// A path over these accounts as the ledger has them now.
    pub(in crate::allowance) fn path(&self, log: &Log, accounts: &[AccountId]) -> Arc<Path> {
        let ledger = log.ledger();
        let purse = |account: &AccountId| self.allowances.purse(&terms(&ledger, *account));
        self.allowances.path(accounts.iter().map(purse).collect(), row(self.id))
    }
}

fn owner(node: NodeId, incarnation: u64) -> Owner {
    Owner { cluster_id: "test".to_owned(), node, incarnation }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.crash();
    }
}

/// Applies in order, each entry a little later than the log has it.
async fn follow(
    allowances: Arc<Allowances>,
    mut entries: mpsc::UnboundedReceiver<Applied>,
    log: Arc<Log>,
) {
    while let Some((ledger, mut changes)) = entries.recv().await {
        if log.faults.forged {
            changes.iter_mut().for_each(forge);
        }
        if !changes.is_empty() {
            sleep(Duration::from_millis(log.roll(3))).await;
        }
        allowances.applied(&ledger, &changes);
    }
}

fn forge(change: &mut Change) {
    if let Change::Granted { grants, .. } = change {
        grants.iter_mut().for_each(|grant| grant.granted_cum *= 2);
    }
}

pub(in crate::allowance) fn terms(ledger: &Ledger, account: AccountId) -> PurseTerms {
    let books = &ledger.accounts[&account];
    let period = books.present().unwrap();
    let budget = ledger.budgets.values().find(|budget| budget.handle == account.budget);
    PurseTerms {
        account,
        period: books.period,
        unit: books.unit,
        mode: budget.map_or(Mode::Hard, |budget| budget.mode),
        limit: period.limit,
        ends_at: period.ends_at,
        without_quorum: budget.map_or(WithoutQuorum::Strict, |budget| budget.without_quorum),
    }
}

/// The row that requests on a node count in.
pub(in crate::allowance) fn row(node: NodeId) -> UsageKey {
    UsageKey { key: format!("key-{}", node.0), ..UsageKey::default() }
}

/// What the provider bills and could yet bill: never above the limit.
pub(in crate::allowance) struct Truth {
    limit: i64,
    sums: Mutex<(i64, i64)>,
}

impl Truth {
    pub(in crate::allowance) fn new(limit: i64) -> Arc<Truth> {
        Arc::new(Truth { limit, sums: Mutex::new((0, 0)) })
    }

    pub(in crate::allowance) fn billed(&self) -> i64 {
        self.sums.lock().unwrap().0
    }

    pub(in crate::allowance) fn in_flight(&self) -> i64 {
        self.sums.lock().unwrap().1
    }

    fn begin(&self, worst: i64) {
        let mut sums = self.sums.lock().unwrap();
        sums.1 += worst;
        assert!(sums.0 + sums.1 <= self.limit, "{sums:?} of {}", self.limit);
    }

    fn end(&self, worst: i64, cost: i64) {
        let mut sums = self.sums.lock().unwrap();
        sums.1 -= worst;
        sums.0 += cost;
    }
}

/// One request: what it may cost, what it costs, how long it takes.
#[derive(Clone, Copy, Debug)]
pub(in crate::allowance) struct Request {
    pub(super) worst: i64,
    pub(super) cost: i64,
    pub(super) takes: Duration,
}

/// Runs a request; the provider bills it even if the node is gone by then.
pub(super) async fn run(
    allowances: Arc<Allowances>,
    path: Arc<Path>,
    truth: Arc<Truth>,
    request: Request,
) -> Result<(), Short> {
    let charge = usd(request.worst);
    let hold = allowances.hold(&path, &charge, START, WITHIN).await?;
    truth.begin(request.worst);
    sleep(request.takes).await;
    truth.end(request.worst, request.cost);
    hold.settle(&usd(request.cost), &used(request.cost));
    Ok(())
}

/// The usage of a request of that cost.
pub(in crate::allowance) fn used(nano_usd: i64) -> UsageSums {
    UsageSums { requests: 1, cost_nano_usd: nano_usd, ..UsageSums::default() }
}

pub(in crate::allowance) fn usd(nano_usd: i64) -> Charge {
    Charge { nano_usd, tokens: 0, requests: 1 }
}

/// Nothing may be lost between a node's counters once it rests.
pub(in crate::allowance) fn assert_conserved(node: &Node) {
    for books in node.allowances.snapshot() {
        let kept = books.available + books.held + books.settled + books.returned - books.owed;
        assert_eq!(kept, books.granted, "{books:?}");
        assert!(books.available >= 0 && books.held >= 0, "{books:?}");
        assert_eq!(books.waiting, 0, "{books:?}");
    }
}
