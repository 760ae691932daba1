//! What nodes hold, told by nobody but themselves: a model that shares no arithmetic with the ledger.
//!
//! Lives of nodes spend from what they were granted, lose messages, repeat them, stop and are paused. A
//! life that was replaced goes on spending what it holds: nobody can tell it in time.

mod hand;

use crate::command::{
    Adopt, ClosePeriod, Command, EnrolNode, OpenPeriod, Refill, RefillLine, WriteOff,
};
use crate::invariant::{check, check_step};
use crate::sample::{ACCOUNT, Log, NODES, SPAN_MS, budget, put_budget};
use crate::{AccountId, BudgetWindow, Denial, Grant, Outcome, UnixMillis, Window};
use std::collections::BTreeMap;

/// The model's accounts: one that starts anew, one that never does.
pub(super) const ACCOUNTS: [AccountId; 2] =
    [ACCOUNT, AccountId { budget: ACCOUNT.budget, window: 1 }];
/// Limits at the start.
pub(super) const LIMITS: [i64; 2] = [500, 900];

/// An account's period.
type Book = (AccountId, u64);

/// What one life holds in one book.
#[derive(Clone, Copy, Default)]
struct Pocket {
    granted: i64,
    spent: i64,
    returned: i64,
}

impl Pocket {
    fn available(self) -> i64 {
        self.granted - self.spent - self.returned
    }
}

/// One life of one node.
struct Life {
    node: usize,
    incarnation: u64,
    seq: u64,
    pockets: BTreeMap<Book, Pocket>,
    /// Its process is gone, and its journal was read: it spends no more.
    dead: bool,
}

/// What a node does next. Numbers are taken modulo what there is.
#[derive(Clone, Debug)]
pub(super) enum Move {
    /// A life spends, if it holds enough.
    Spend { life: usize, account: usize, amount: i64 },
    /// A life writes a refill: it gives back, reports, asks; nothing is delivered yet.
    Ask { life: usize, give_back: i64, must: i64, cushion: i64 },
    /// A written refill is applied, perhaps not for the first time, and perhaps the answer is lost.
    Deliver { message: usize, answered: bool },
    /// A node starts anew; its last life may go on for all anybody knows.
    Restart { node: usize },
    /// The next period of the first account opens.
    Roll,
    /// The oldest past period is closed.
    Close,
    /// An operator raises a limit.
    Raise { account: usize, by: i64 },
    /// An operator writes off what the first account may have lost with an old life.
    WriteOff { life: usize, amount: i64 },
    /// An operator raises a limit for a while.
    Increase { account: usize, by: i64 },
    /// The oldest increase of an account is taken back.
    Expire { account: usize },
    /// An operator begins a period anew.
    Reset { account: usize },
    /// An operator moves limit to the other account.
    Transfer { from: usize, amount: i64 },
    /// A node tells what its life before spent, by its journal; or says so again.
    Adopt { node: usize, again: bool },
}

/// The world: a ledger, the lives, and messages that may arrive at any time, any number of times.
pub(super) struct World {
    log: Log,
    lives: Vec<Life>,
    messages: Vec<(usize, Refill)>,
    limits: [i64; 2],
    /// Increases that last, by log index.
    increases: [Vec<(u64, i64)>; 2],
    /// Moved to the present periods.
    moved: [i64; 2],
    /// Journals told.
    told: Vec<Adopt>,
    /// Written off, by life; never forgotten.
    written_off: BTreeMap<(usize, u64, Book), i64>,
    /// Highest limit each book ever had.
    highest: BTreeMap<Book, i64>,
    /// What providers billed.
    billed: BTreeMap<Book, i64>,
    /// A fault to be caught: each answer is added instead of compared with what is known.
    pub(super) adds_answers_twice: bool,
}

impl World {
    pub(super) fn new() -> World {
        let mut log = Log::default();
        let nodes = Log::sample().ledger.nodes;
        log.ledger.nodes = nodes;
        log.ledger.applied_index = ACCOUNT.budget - 1;
        let lives = (0..NODES.len()).map(|node| Life {
            node,
            incarnation: 1,
            seq: 0,
            pockets: BTreeMap::new(),
            dead: false,
        });
        let mut world = World {
            log,
            lives: lives.collect(),
            messages: Vec::new(),
            limits: LIMITS,
            increases: [Vec::new(), Vec::new()],
            moved: [0; 2],
            told: Vec::new(),
            written_off: BTreeMap::new(),
            highest: BTreeMap::new(),
            billed: BTreeMap::new(),
            adds_answers_twice: false,
        };
        world.put_limits();
        world
    }

    /// Makes one move and compares.
    pub(super) fn make(&mut self, next: &Move) -> Result<(), String> {
        let before = self.log.ledger.clone();
        match *next {
            Move::Spend { life, account, amount } => self.spend(life, account, amount),
            Move::Ask { life, give_back, must, cushion } => {
                self.ask(life, give_back, [must, cushion])
            }
            Move::Deliver { message, answered } => self.deliver(message, answered),
            Move::Restart { node } => self.restart(node % NODES.len()),
            Move::Roll => self.roll(),
            Move::Close => self.close(),
            Move::Raise { account, by } => {
                self.limits[account % 2] += by;
                self.put_limits();
            }
            Move::WriteOff { life, amount } => self.write_off(life, amount),
            Move::Increase { account, by } => self.increase(account % 2, by),
            Move::Expire { account } => self.expire(account % 2),
            Move::Reset { account } => self.reset(account % 2),
            Move::Transfer { from, amount } => self.transfer(from % 2, amount),
            Move::Adopt { node, again } => self.adopt(node % NODES.len(), again),
        }
        check(&self.log.ledger)?;
        check_step(&before, &self.log.ledger)?;
        self.compare()
    }

    /// What was billed and what lives still hold, together, is within the limit: in every book that ever
    /// was, but for what operators wrote off.
    fn compare(&self) -> Result<(), String> {
        let mut may_be_spent = self.billed.clone();
        for life in self.lives.iter().filter(|life| !life.dead) {
            for (book, pocket) in &life.pockets {
                *may_be_spent.entry(*book).or_default() += pocket.available();
            }
        }
        for (book, sum) in may_be_spent {
            let forgiven = self.written_off.iter();
            let forgiven: i64 =
                forgiven.filter(|((_, _, of), _)| *of == book).map(|(_, amount)| amount).sum();
            let limit = self.highest[&book];
            if sum > limit + forgiven {
                return Err(format!(
                    "{book:?}: {sum} may be spent of {limit}, {forgiven} were written off"
                ));
            }
        }
        Ok(())
    }

    /// What was billed in an account's present period, and its limit.
    pub(super) fn usage(&self, account: usize) -> (i64, i64) {
        let book = self.present(ACCOUNTS[account]);
        let billed = self.billed.get(&book).copied().unwrap_or(0);
        (billed, self.limits[account])
    }

    fn present(&self, account: AccountId) -> Book {
        (account, self.log.ledger.accounts[&account].period)
    }

    fn put_limits(&mut self) {
        let mut team = budget("team", self.limits[0]);
        let (window, limit) = (Window::Never, self.limits[1]);
        team.windows.push(BudgetWindow { window, limit });
        self.log.done(put_budget(team));
        self.note_limits();
    }

    /// The limit of an account's present period, by its parts.
    fn limit(&self, account: usize) -> i64 {
        let increases = self.increases[account].iter();
        let increased: i64 = increases.map(|(_, amount)| amount).sum();
        self.limits[account] + increased + self.moved[account]
    }

    fn note_limits(&mut self) {
        for (place, account) in ACCOUNTS.into_iter().enumerate() {
            let (book, limit) = (self.present(account), self.limit(place));
            let highest = self.highest.entry(book).or_insert(limit);
            *highest = limit.max(*highest);
        }
    }

    fn spend(&mut self, life: usize, account: usize, amount: i64) {
        let account = ACCOUNTS[account % 2];
        let life = life % self.lives.len();
        if self.lives[life].dead {
            return;
        }
        // A replaced or paused life does not know of new periods: it spends where it holds something.
        let holding = self.lives[life].pockets.iter_mut();
        for (book, pocket) in holding.filter(|((of, _), _)| *of == account) {
            if pocket.available() >= amount {
                pocket.spent += amount;
                *self.billed.entry(*book).or_default() += amount;
                return;
            }
        }
    }

    fn ask(&mut self, life: usize, give_back: i64, ask: [i64; 2]) {
        let presents = ACCOUNTS.map(|account| self.present(account));
        let index = life % self.lives.len();
        let life = &mut self.lives[index];
        if life.dead {
            return;
        }
        for book in presents {
            life.pockets.entry(book).or_default();
        }
        life.seq += 1;
        let mut lines = Vec::new();
        for (&(account, period), pocket) in &mut life.pockets {
            // Given back means gone at once, for the message may be applied at any time.
            pocket.returned += give_back.min(pocket.available());
            lines.push(RefillLine {
                account,
                period,
                settled_cum: pocket.spent,
                returned_cum: pocket.returned,
                debt_cum: 0,
                want: ask[0] + ask[1],
                must: ask[0],
                path: u32::from(ask[1] % 2 == 0),
            });
        }
        let refill = Refill {
            node: NODES[life.node],
            incarnation: life.incarnation,
            seq: life.seq,
            active_nodes: 2,
            lines,
            ..Refill::default()
        };
        self.messages.push((index, refill));
    }

    fn deliver(&mut self, message: usize, answered: bool) {
        let Some((life, refill)) = self.messages.get(message % self.messages.len().max(1)).cloned()
        else {
            return;
        };
        let (outcome, _) = self.log.propose(Command::Refill(refill));
        match outcome {
            Outcome::Refilled(grants) if answered => self.receive(life, &grants),
            Outcome::Refilled(_) | Outcome::Denied(Denial::StaleIncarnation { .. }) => {}
            other @ (Outcome::Done | Outcome::NodeAllocated(_) | Outcome::Denied(_)) => {
                panic!("a refill came to {other:?}")
            }
        }
    }

    fn receive(&mut self, life: usize, grants: &[Grant]) {
        for grant in grants {
            let pocket = self.lives[life].pockets.entry((grant.account, grant.period)).or_default();
            if self.adds_answers_twice {
                pocket.granted += grant.granted_cum;
            } else {
                pocket.granted = pocket.granted.max(grant.granted_cum);
            }
        }
    }

    fn restart(&mut self, node: usize) {
        let lives = self.lives.iter().filter(|life| life.node == node);
        let incarnation = 1 + lives.map(|life| life.incarnation).max().unwrap_or(0);
        let id = NODES[node];
        self.log.done(Command::EnrolNode(EnrolNode { id, incarnation }));
        let pockets = BTreeMap::new();
        self.lives.push(Life { node, incarnation, seq: 0, pockets, dead: false });
    }

    fn roll(&mut self) {
        let (account, present) = self.present(ACCOUNT);
        self.log.done(Command::OpenPeriod(OpenPeriod {
            account,
            period: present + 1,
            // Resets count as periods too, and take no time.
            starts_at: UnixMillis(present * SPAN_MS),
            ends_at: Some(UnixMillis((present + 1) * SPAN_MS)),
        }));
        self.moved[0] = 0;
        self.note_limits();
    }

    fn close(&mut self) {
        let account = ACCOUNT;
        let books = &self.log.ledger.accounts[&account];
        let (&period, _) = books.periods.first().expect("the present one is there");
        if period < books.period {
            let close = ClosePeriod { account, period };
            self.log.done(Command::ClosePeriod(close));
        }
    }

    fn write_off(&mut self, life: usize, amount: i64) {
        let (account, period) = self.present(ACCOUNT);
        let life = &self.lives[life % self.lives.len()];
        let (node, incarnation) = (NODES[life.node], life.incarnation);
        let (outcome, _) = self.log.propose(Command::WriteOff(WriteOff {
            account,
            period,
            node,
            incarnation,
            amount,
            word: crate::Word::default(),
        }));
        if outcome == Outcome::Done {
            let of = (life.node, incarnation, (account, period));
            let forgiven = self.written_off.entry(of).or_default();
            *forgiven = amount.max(*forgiven);
        }
    }
}
