//! Long random walks of two accounts, three nodes and a log: every message may be lost, late, repeated
//! or overtaken, every node may die at any step. No runtime, no clock: one step after another.

use super::log::{Dice, START, budget, put, row, terms, usd, used};
use crate::allowance::refill::{Refiller, Round};
use crate::allowance::{Allowances, Hold};
use ledger::command::{AllocateNode, EnrolNode, Refill};
use ledger::{AccountId, Change, Command, Entry, Ledger, NodeId, Outcome};
use std::sync::Arc;

const LIMITS: [i64; 2] = [10_000, 6_000];
const STEPS: u64 = 1_500;
const SEEDS: u64 = 10;

struct World {
    dice: Dice,
    ledger: Arc<Ledger>,
    /// Entries in order, with what each made of the ledger.
    history: Vec<(Arc<Ledger>, Vec<Change>)>,
    accounts: [AccountId; 2],
    nodes: Vec<Node>,
    /// On their way to the log, in any order, any number of times.
    mail: Vec<Refill>,
    now_ms: u64,
    billed: [i64; 2],
    /// Holds of lives that are over: the provider bills them all the same.
    lost_holds: [i64; 2],
    /// May an attempt cost more than its hold?
    honest: bool,
}

struct Node {
    id: NodeId,
    incarnation: u64,
    allowances: Arc<Allowances>,
    refiller: Refiller,
    seen: usize,
    holds: Vec<(Hold, usize, i64)>,
}

impl Node {
    fn new(id: NodeId, incarnation: u64) -> Node {
        let allowances = Allowances::new();
        allowances.identify(id, incarnation);
        allowances.set_active_nodes(3);
        let refiller = Refiller::new(Arc::clone(&allowances.desk));
        Node { id, incarnation, allowances, refiller, seen: 0, holds: Vec::new() }
    }
}

impl World {
    fn new(seed: u64, honest: bool) -> World {
        let mut world = World {
            dice: Dice::new(seed),
            ledger: Arc::default(),
            history: Vec::new(),
            accounts: [AccountId { budget: 1, window: 0 }, AccountId { budget: 2, window: 0 }],
            nodes: Vec::new(),
            mail: Vec::new(),
            now_ms: 0,
            billed: [0; 2],
            lost_holds: [0; 2],
            honest,
        };
        for (name, limit) in ["wide", "tight"].into_iter().zip(LIMITS) {
            world.apply(Command::PutBudget(put(budget(name, limit))));
        }
        for uuid in ["a", "b", "c"] {
            let allocate = AllocateNode { uuid: uuid.to_owned(), label: String::new(), id: None };
            let Outcome::NodeAllocated(id) = world.apply(Command::AllocateNode(allocate)) else {
                panic!("no id");
            };
            world.apply(Command::EnrolNode(EnrolNode { id, incarnation: 1 }));
            world.nodes.push(Node::new(id, 1));
        }
        world
    }

    fn apply(&mut self, command: Command) -> Outcome {
        let index = self.history.len() as u64 + 1;
        let mut ledger = Ledger::clone(&self.ledger);
        let (outcome, changes) = ledger::apply(&mut ledger, &Entry { index, at: START, command });
        ledger::invariant::check_step(&self.ledger, &ledger).unwrap();
        self.ledger = Arc::new(ledger);
        self.history.push((Arc::clone(&self.ledger), changes));
        outcome
    }

    fn pick(&mut self, n: usize) -> usize {
        usize::try_from(self.dice.below(n as u64)).unwrap()
    }

    fn step(&mut self) {
        let at = self.pick(3);
        match self.dice.below(1_000) {
            0..300 => self.hold(at),
            300..550 => self.settle(at),
            550..700 => self.compose(at),
            700..850 => self.deliver(),
            850..998 => self.follow(at),
            _ => self.crash(at),
        }
    }

    /// A path of the first account, or of both.
    fn hold(&mut self, at: usize) {
        let deep = self.pick(2);
        let worst = self.dice.amount(1, 400);
        let node = &mut self.nodes[at];
        let last = node.seen.checked_sub(1);
        let Some((ledger, _)) = last.map(|last| &self.history[last]) else {
            return;
        };
        if ledger.accounts.size() < 2 {
            return;
        }
        let purse = |account: &AccountId| node.allowances.purse(&terms(ledger, *account));
        let purses: Vec<_> = self.accounts[..=deep].iter().map(purse).collect();
        let path = node.allowances.path(purses, row(node.id));
        match node.allowances.try_hold(&path, &usd(worst), START) {
            Ok(hold) => node.holds.push((hold, deep, worst)),
            Err(_) => {
                // As one who waits would.
                path.purses().iter().for_each(|purse| {
                    purse.queue.add_waiting(worst);
                    purse.press();
                });
                let refill = node.refiller.compose(Round::Urgent, self.now_ms);
                path.purses().iter().for_each(|purse| purse.queue.add_waiting(-worst));
                self.mail.extend(refill);
            }
        }
    }

    fn settle(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        if node.holds.is_empty() {
            return;
        }
        let which = usize::try_from(self.dice.below(node.holds.len() as u64)).unwrap();
        let (hold, deep, worst) = node.holds.swap_remove(which);
        let most = if self.honest { worst } else { worst * 2 };
        let cost = self.dice.amount(0, most + 1);
        hold.settle(&usd(cost), &used(cost));
        self.billed.iter_mut().take(deep + 1).for_each(|billed| *billed += cost);
    }

    fn compose(&mut self, at: usize) {
        self.now_ms += self.dice.below(2_000);
        let round = [Round::Urgent, Round::Report, Round::Second][self.pick(3)];
        let refill = self.nodes[at].refiller.compose(round, self.now_ms);
        self.mail.extend(refill);
    }

    /// Any letter: applied and thrown away, applied and kept for another time, or lost.
    fn deliver(&mut self) {
        if self.mail.is_empty() {
            return;
        }
        let which = self.pick(self.mail.len());
        match self.dice.below(10) {
            0..6 => {
                let refill = self.mail.swap_remove(which);
                self.apply(Command::Refill(refill));
            }
            6..8 => {
                let refill = self.mail[which].clone();
                self.apply(Command::Refill(refill));
            }
            _ => drop(self.mail.swap_remove(which)),
        }
    }

    /// A node applies some of what it has not applied yet; now and then as one snapshot.
    fn follow(&mut self, at: usize) {
        let as_snapshot = self.pick(10) == 0;
        let behind = self.history.len() - self.nodes[at].seen;
        let until = self.nodes[at].seen + self.pick(behind + 1);
        let node = &mut self.nodes[at];
        if as_snapshot && until > node.seen {
            node.allowances.installed(&self.history[until - 1].0);
        } else {
            for (ledger, changes) in &self.history[node.seen..until] {
                node.allowances.applied(ledger, changes);
            }
        }
        node.seen = until;
    }

    fn crash(&mut self, at: usize) {
        let (id, incarnation) = (self.nodes[at].id, self.nodes[at].incarnation + 1);
        let enrol = EnrolNode { id, incarnation };
        assert_eq!(self.apply(Command::EnrolNode(enrol)), Outcome::Done);
        let old = std::mem::replace(&mut self.nodes[at], Node::new(id, incarnation));
        for (hold, deep, worst) in old.holds {
            // Its memory is gone; ending the hold only keeps it from being counted as dropped.
            hold.void();
            self.lost_holds.iter_mut().take(deep + 1).for_each(|lost| *lost += worst);
        }
    }

    /// I3 as the provider sees it, and I2 for each life that may spend.
    fn check(&self) {
        for (which, limit) in LIMITS.into_iter().enumerate() {
            let in_flight = self.nodes.iter().flat_map(|node| &node.holds);
            let in_flight: i64 =
                in_flight.filter(|(_, deep, _)| *deep >= which).map(|(_, _, worst)| worst).sum();
            let out = self.billed[which] + self.lost_holds[which] + in_flight;
            let account = self.accounts[which];
            let period = self.ledger.accounts[&account].present().unwrap();
            let owed = if self.honest { 0 } else { self.owed(account) + period.debt };
            assert!(out <= limit + owed, "{out} of {limit}, {owed} owed on {account}");
            for node in self.nodes.iter().filter(|_| self.honest) {
                let lane = period.lane(node.id, node.incarnation);
                for books in node.allowances.snapshot() {
                    if books.account == account {
                        let unreported = books.settled - lane.reported;
                        let unreturned = books.returned - lane.returned;
                        let kept = books.available + books.held + unreported + unreturned;
                        assert!(kept <= lane.outstanding(), "{books:?} {lane:?}");
                    }
                }
            }
        }
    }

    /// Billed beyond holds and not known to the ledger yet.
    fn owed(&self, account: AccountId) -> i64 {
        let books = self.nodes.iter().flat_map(|node| node.allowances.snapshot());
        books.filter(|books| books.account == account).map(|books| books.owed).sum()
    }
}

/// Walks every seed and returns what was billed to the first account on average.
fn walk(honest: bool) -> i64 {
    let mut spent = 0;
    for seed in 0..SEEDS {
        let mut world = World::new(seed, honest);
        for step in 0..STEPS {
            world.step();
            let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.check()));
            assert!(checked.is_ok(), "seed {seed}, step {step}");
        }
        spent += world.billed[0];
    }
    spent / i64::try_from(SEEDS).unwrap()
}

#[test]
fn no_walk_overspends_a_budget() {
    let spent = walk(true);
    // The walks do spend: a world in which nothing is admitted proves nothing.
    assert!(spent > LIMITS[0] / 4, "{spent}");
}

#[test]
fn where_attempts_cost_more_than_their_holds_the_overspend_is_on_the_books() {
    assert!(walk(false) > LIMITS[0] / 4);
}
