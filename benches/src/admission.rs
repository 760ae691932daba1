//! What it costs to set a request's money aside and to settle it: against accounts on its path, keys, and
//! threads. Nothing is asked of anybody: every purse is full.

use crate::say;
use anyhow::Result;
use cluster::allowance::{Allowances, Charge, Path, PurseTerms};
use ledger::command::{AllocateNode, EnrolNode, PutBudget, Refill, RefillLine};
use ledger::{
    AccountId, Budget, BudgetWindow, Change, Command, Entry, Ledger, Mode, NanoUsd, NodeId,
    Outcome, Unit, UnixMillis, UsageKey, UsageSums, Window, WithoutQuorum,
};
use std::sync::{Arc, Barrier};
use std::time::Instant;

/// Holds and settlements in one measurement, over all threads.
const REQUESTS: usize = 2_000_000;
/// Each figure is the best of so many: whatever else the machine did only adds.
const ROUNDS: usize = 3;
const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
/// Lines of one refill.
const LINES: usize = 500;

/// Measures and prints.
///
/// # Errors
/// Where a purse could not be filled.
pub(crate) fn run() -> Result<()> {
    say(
        "set aside and settled, ns a request: best of three; keys share all but the first account of their path",
    );
    say("accounts       keys    threads   ns/request");
    for accounts in [1, 2, 4, 8, 16] {
        report(accounts, 1, 1)?;
    }
    for keys in [1_000, 100_000] {
        report(8, keys, 1)?;
    }
    report(8, 1, 2)?;
    report(8, 1_000, 2)
}

fn report(accounts: usize, keys: usize, threads: usize) -> Result<()> {
    let bench = Bench::new(accounts, keys)?;
    let best = (0..ROUNDS).map(|_| bench.measure(threads)).fold(f64::INFINITY, f64::min);
    say(&format!("{accounts:>8} {keys:>10} {threads:>10} {best:>12.0}"));
    Ok(())
}

/// A node with a path for each key, every purse full.
struct Bench {
    allowances: Arc<Allowances>,
    paths: Vec<Arc<Path>>,
}

impl Bench {
    fn new(accounts: usize, keys: usize) -> Result<Bench> {
        let mut log = Log::default();
        let node = log.node()?;
        let shared: Vec<AccountId> =
            (1..accounts).map(|at| log.budget(&format!("shared-{at}"))).collect();
        let own: Vec<AccountId> = (0..keys).map(|key| log.budget(&format!("key-{key}"))).collect();
        let allowances = Allowances::new();
        allowances.identify(node, 1);
        allowances.applied(&Arc::new(log.ledger.clone()), &[]);
        let paths = own.iter().enumerate().map(|(key, own)| {
            let accounts = std::iter::once(own).chain(&shared);
            let purses = accounts.map(|account| allowances.purse(&terms(&log.ledger, *account)));
            let row = UsageKey { key: key.to_string(), ..UsageKey::default() };
            allowances.path(purses.collect(), row)
        });
        let paths = paths.collect();
        for (accounts, seq) in own.iter().chain(&shared).collect::<Vec<_>>().chunks(LINES).zip(1..)
        {
            let changes = log.fill(node, seq, accounts);
            allowances.applied(&Arc::new(log.ledger.clone()), &changes);
        }
        Ok(Bench { allowances, paths })
    }

    /// Nanoseconds a request, of one thread.
    fn measure(&self, threads: usize) -> f64 {
        let each = REQUESTS / threads;
        let gate = Barrier::new(threads);
        let spans = std::thread::scope(|scope| {
            let running: Vec<_> = (0..threads)
                .map(|thread| {
                    let gate = &gate;
                    scope.spawn(move || {
                        gate.wait();
                        self.serve(thread, each)
                    })
                })
                .collect();
            running
                .into_iter()
                .map(|thread| thread.join().expect("a measurement does not panic"))
                .fold(0.0, f64::max)
        });
        spans / each as f64
    }

    /// Takes and settles, and returns how long that took, in nanoseconds.
    fn serve(&self, thread: usize, requests: usize) -> f64 {
        let worst = Charge { nano_usd: 3_000, tokens: 300, requests: 1 };
        let actual = Charge { nano_usd: 1_000, tokens: 100, requests: 1 };
        let usage = UsageSums { requests: 1, cost_nano_usd: 1_000, ..UsageSums::default() };
        let started = Instant::now();
        // Keys in an order that no cache guesses: a step that shares no factor with a power of ten.
        let mut key = thread;
        for _ in 0..requests {
            key = (key + 7_919) % self.paths.len();
            let hold = self.allowances.try_hold(&self.paths[key], &worst, NOW);
            hold.expect("every purse is full").settle(&actual, &usage);
        }
        started.elapsed().as_nanos() as f64
    }
}

/// A ledger and the entries that make it.
#[derive(Default)]
struct Log {
    ledger: Ledger,
}

impl Log {
    fn apply(&mut self, command: Command) -> (Outcome, Vec<Change>) {
        let entry = Entry { index: self.ledger.applied_index + 1, at: NOW, command };
        ledger::apply(&mut self.ledger, &entry)
    }

    fn node(&mut self) -> Result<NodeId> {
        let label = "bench".to_owned();
        let allocate = AllocateNode { uuid: label.clone(), label, id: None };
        let Outcome::NodeAllocated(id) = self.apply(Command::AllocateNode(allocate)).0 else {
            anyhow::bail!("no id for the node");
        };
        self.apply(Command::EnrolNode(EnrolNode { id, incarnation: 1 }));
        Ok(id)
    }

    fn budget(&mut self, name: &str) -> AccountId {
        let limit = NanoUsd::LIMIT_MAX.0;
        let budget = Budget {
            name: name.to_owned(),
            unit: Unit::NanoUsd,
            windows: vec![BudgetWindow { window: Window::Never, limit }],
            managed_by: "api:bench".to_owned(),
            ..Budget::default()
        };
        self.apply(Command::PutBudget(PutBudget { budget, if_index: None, periods: Vec::new() }));
        AccountId { budget: self.ledger.applied_index, window: 0 }
    }

    /// Grants more than a measurement spends.
    fn fill(&mut self, node: NodeId, seq: u64, accounts: &[&AccountId]) -> Vec<Change> {
        let need = NanoUsd::LIMIT_MAX.0 / 2;
        let line = |account: &&AccountId| RefillLine {
            account: **account,
            period: 1,
            settled_cum: 0,
            returned_cum: 0,
            debt_cum: 0,
            want: need,
            must: need,
            path: 0,
        };
        let lines = accounts.iter().map(line).collect();
        let refill =
            Refill { node, incarnation: 1, seq, active_nodes: 1, lines, ..Refill::default() };
        self.apply(Command::Refill(refill)).1
    }
}

fn terms(ledger: &Ledger, account: AccountId) -> PurseTerms {
    let books = &ledger.accounts[&account];
    let period = books.present().expect("a budget has a period from its creation on");
    PurseTerms {
        account,
        period: books.period,
        unit: books.unit,
        mode: Mode::Hard,
        limit: period.limit,
        ends_at: period.ends_at,
        without_quorum: WithoutQuorum::Strict,
    }
}
