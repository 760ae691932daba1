//! A small world of two nodes and two accounts, in which everything may go wrong: what nodes say is lost,
//! repeated and reordered, lives of nodes crash with and without their journal or are replaced while they
//! run on, and periods roll under them.
//!
//! A request costs one of both accounts. What a life has begun may be billed, whether or not it comes to
//! settle it, so a hold counts from its begin for ever, unless the life itself learns that it was free.

mod log;

use crate::sample::ACCOUNT;
use crate::{AccountId, Grant};
use std::collections::BTreeSet;

/// An account that starts anew, and one that never does.
pub(super) const ACCOUNTS: [AccountId; 2] =
    [ACCOUNT, AccountId { budget: ACCOUNT.budget, window: 1 }];
/// What each period of them holds.
pub(super) const LIMITS: [i64; 2] = [2, 3];
/// The books there are: two periods of the first account, one of the second.
pub(super) const BOOKS: [(AccountId, u64); 3] =
    [(ACCOUNTS[0], 1), (ACCOUNTS[0], 2), (ACCOUNTS[1], 1)];
/// Place of the second account's book.
const PREPAID: usize = 2;

/// How much may happen.
#[derive(Clone, Copy)]
pub(super) struct Scope {
    /// Lives each node may have.
    pub(super) lives: [u8; 2],
    /// Refills each life may write.
    pub(super) refills: u8,
    /// Requests that may begin.
    pub(super) requests: u8,
    /// Whether a period rolls.
    pub(super) rolls: bool,
}

/// Faults to be found.
#[derive(Clone, Copy, Default)]
pub(super) struct Faults {
    /// A refill of a life that is over is taken as one of the present life.
    pub(super) no_fence: bool,
    /// An answer that comes twice is added twice.
    pub(super) adds_answers: bool,
    /// What a life was granted is taken back once the node has a new one, running or not.
    pub(super) reclaims: bool,
    /// A life is adopted that runs on.
    pub(super) adopts_the_living: bool,
    /// A journal knows nothing of holds in flight.
    pub(super) forgets_holds: bool,
}

/// What a life has of one book.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Pocket {
    granted: i8,
    held: i8,
    spent: i8,
    returned: i8,
}

impl Pocket {
    fn available(self) -> i8 {
        self.granted - self.held - self.spent - self.returned
    }
}

/// How a life stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Mode {
    Running,
    /// Crashed; its journal can be read, or is lost.
    Dead {
        journal: bool,
    },
}

/// One life of one node.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Life {
    node: u8,
    incarnation: u8,
    refills: u8,
    mode: Mode,
    pockets: [Pocket; 3],
}

/// What was said, and may be heard at any time, any number of times, or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Message {
    /// A life reports, gives back and asks for one on a period of the first account, and the second.
    Refill { life: u8, node: u8, incarnation: u8, seq: u8, period: u8, told: [(i8, i8); 3] },
    /// A journal's account of the life before.
    Adopt { node: u8, incarnation: u8, settled: [i8; 3] },
    /// The ledger's answer to a life: granted in all.
    Answer { life: u8, granted: [i8; 3] },
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Move {
    /// A life begins a request in a period of the first account.
    Hold { life: u8, period: u8 },
    /// A request costs what was held.
    Settle { life: u8, period: u8 },
    /// A request turns out to be free.
    Void { life: u8, period: u8 },
    /// A life writes a refill that asks in a period, and may give back all it has.
    Write { life: u8, period: u8, give_back: bool },
    /// Something that was said is heard.
    Hear(Message),
    /// A life ends.
    Crash { life: u8, journal: bool },
    /// A node begins its next life.
    Start { node: u8 },
    /// A node reads the journal of its life before.
    Read { node: u8 },
    /// The first account's next period opens.
    Roll,
    /// Its first period is closed.
    Close,
    /// A fault: what a life before was granted is taken back.
    Reclaim { node: u8 },
}

/// The world but for its ledger, which is known by its number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct World {
    pub(super) ledger: usize,
    lives: Vec<Life>,
    said: BTreeSet<Message>,
    requests: u8,
    rolled: bool,
    closed: bool,
}

impl World {
    pub(super) fn new(ledger: usize) -> World {
        let life = |node| Life {
            node,
            incarnation: 1,
            refills: 0,
            mode: Mode::Running,
            pockets: [Pocket::default(); 3],
        };
        World {
            ledger,
            lives: vec![life(0), life(1)],
            said: BTreeSet::new(),
            requests: 0,
            rolled: false,
            closed: false,
        }
    }

    /// Lives each node has had.
    pub(super) fn lives_ever(&self) -> [u8; 2] {
        let lives = |node| self.lives.iter().filter(|life| life.node == node).map(|_| 1).sum();
        [lives(0), lives(1)]
    }

    /// What was begun in each book and may be billed, with what running lives still have.
    pub(super) fn may_be_spent(&self) -> [i64; 3] {
        let mut sums = [0; 3];
        for life in &self.lives {
            for (sum, pocket) in sums.iter_mut().zip(life.pockets) {
                let left = if life.mode == Mode::Running { pocket.available() } else { 0 };
                *sum += i64::from(pocket.held) + i64::from(pocket.spent) + i64::from(left);
            }
        }
        sums
    }

    /// Everything that may happen next.
    pub(super) fn moves(&self, scope: Scope, faults: Faults) -> Vec<Move> {
        let is_news = |message: &Message| faults.adds_answers || !self.is_old_news(message);
        let news = self.said.iter().copied().filter(is_news);
        let mut all: Vec<Move> = news.map(Move::Hear).collect();
        for (index, life) in (0_u8..).zip(&self.lives) {
            if life.mode == Mode::Running {
                self.moves_of(index, life, scope, &mut all);
            }
        }
        for node in 0..2 {
            let place = usize::from(node);
            if self.lives_ever()[place] < scope.lives[place] {
                all.push(Move::Start { node });
            }
            let readable = self.past_of(node).is_some_and(|past| match past.mode {
                Mode::Dead { journal } => journal,
                Mode::Running => faults.adopts_the_living,
            });
            if readable {
                all.push(Move::Read { node });
            }
            if faults.reclaims && self.past_of(node).is_some() {
                all.push(Move::Reclaim { node });
            }
        }
        if scope.rolls && !self.rolled {
            all.push(Move::Roll);
        }
        if self.rolled && !self.closed {
            all.push(Move::Close);
        }
        all
    }

    /// An answer that tells its life nothing: the world stays as it is.
    fn is_old_news(&self, message: &Message) -> bool {
        match *message {
            Message::Refill { .. } | Message::Adopt { .. } => false,
            Message::Answer { life, granted } => {
                let life = &self.lives[usize::from(life)];
                let known = life.pockets.iter().zip(granted);
                life.mode != Mode::Running
                    || known.into_iter().all(|(it, granted)| it.granted >= granted)
            }
        }
    }

    fn moves_of(&self, index: u8, life: &Life, scope: Scope, all: &mut Vec<Move>) {
        for period in 1..=if self.rolled { 2 } else { 1 } {
            let places = [usize::from(period) - 1, PREPAID];
            let pockets = places.map(|place| life.pockets[place]);
            let has_all = pockets.iter().all(|pocket| pocket.available() > 0);
            if has_all && self.requests < scope.requests {
                all.push(Move::Hold { life: index, period });
            }
            if pockets[0].held > 0 {
                all.push(Move::Settle { life: index, period });
                all.push(Move::Void { life: index, period });
            }
            if life.refills < scope.refills {
                all.push(Move::Write { life: index, period, give_back: false });
                if life.pockets.iter().any(|pocket| pocket.available() > 0) {
                    all.push(Move::Write { life: index, period, give_back: true });
                }
            }
        }
        if life.incarnation < scope.lives[usize::from(life.node)] {
            for journal in [false, true] {
                all.push(Move::Crash { life: index, journal });
            }
        }
    }

    /// A node's life before its present one.
    fn past_of(&self, node: u8) -> Option<&Life> {
        let mut lives = self.lives.iter().filter(|life| life.node == node).rev();
        lives.next()?;
        lives.next()
    }

    /// The world after a move, and after the ledger's answer to what it put into the log.
    pub(super) fn make(&mut self, next: Move, grants: Option<&[Grant]>, faults: Faults) {
        match next {
            Move::Hold { life, period } => {
                self.requests += 1;
                self.each(life, period, |pocket| pocket.held += 1);
            }
            Move::Settle { life, period } => self.each(life, period, |pocket| {
                pocket.held -= 1;
                pocket.spent += 1;
            }),
            Move::Void { life, period } => self.each(life, period, |pocket| pocket.held -= 1),
            Move::Write { life, period, give_back } => self.write(life, period, give_back),
            Move::Hear(Message::Refill { life, .. }) => self.answer(life, grants),
            Move::Hear(Message::Answer { life, granted }) => self.receive(life, granted, faults),
            Move::Hear(Message::Adopt { .. }) | Move::Reclaim { .. } => {}
            Move::Crash { life, journal } => {
                self.lives[usize::from(life)].mode = Mode::Dead { journal };
            }
            Move::Start { node } => {
                let incarnation = self.lives_ever()[usize::from(node)] + 1;
                self.lives.push(Life {
                    node,
                    incarnation,
                    refills: 0,
                    mode: Mode::Running,
                    pockets: [Pocket::default(); 3],
                });
            }
            Move::Read { node } => self.read(node, faults),
            Move::Roll => self.rolled = true,
            Move::Close => self.closed = true,
        }
    }

    fn each(&mut self, life: u8, period: u8, change: impl Fn(&mut Pocket)) {
        for place in [usize::from(period) - 1, PREPAID] {
            change(&mut self.lives[usize::from(life)].pockets[place]);
        }
    }

    fn write(&mut self, index: u8, period: u8, give_back: bool) {
        let life = &mut self.lives[usize::from(index)];
        life.refills += 1;
        for pocket in &mut life.pockets {
            // Given back means gone at once, for the message may be heard at any time.
            pocket.returned += if give_back { pocket.available() } else { 0 };
        }
        self.said.insert(Message::Refill {
            life: index,
            node: life.node,
            incarnation: life.incarnation,
            seq: life.refills,
            period,
            told: life.pockets.map(|pocket| (pocket.spent, pocket.returned)),
        });
    }

    fn answer(&mut self, life: u8, grants: Option<&[Grant]>) {
        if let Some(grants) = grants {
            let mut granted = [0; 3];
            for (granted, grant) in granted.iter_mut().zip(grants) {
                *granted = i8::try_from(grant.granted_cum).expect("limits are small");
            }
            self.said.insert(Message::Answer { life, granted });
        }
    }

    fn receive(&mut self, life: u8, granted: [i8; 3], faults: Faults) {
        let life = &mut self.lives[usize::from(life)];
        for (pocket, granted) in life.pockets.iter_mut().zip(granted) {
            pocket.granted = match faults.adds_answers {
                // Once is enough to be found, and keeps the world small.
                true => (pocket.granted + granted).min(4),
                false => pocket.granted.max(granted),
            };
        }
    }

    fn read(&mut self, node: u8, faults: Faults) {
        let past = self.past_of(node).expect("only where there is one");
        let holds = i8::from(!faults.forgets_holds);
        let settled = past.pockets.map(|pocket| pocket.spent + pocket.held * holds);
        let incarnation = past.incarnation + 1;
        self.said.insert(Message::Adopt { node, incarnation, settled });
    }
}
