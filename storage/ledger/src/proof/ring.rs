//! A rolling window against time itself: whatever nodes do, and whenever periods are opened, no stretch of
//! the window's length ever holds more than the limit.

use crate::command::{Command, Refill, RefillLine};
use crate::invariant::{check, check_step};
use crate::sample::{Log, NODES, budget, put_budget};
use crate::view::due;
use crate::{AccountId, Outcome, UnixMillis, Window};
use proptest::prelude::*;
use std::collections::BTreeMap;

const LIMIT: i64 = 100;
const PART_MS: u64 = 1_000;
/// Not 24 parts of whole milliseconds: the parts are rounded up.
const WINDOW_MS: u64 = 24 * PART_MS + 7;

#[derive(Clone, Debug)]
enum Move {
    /// Time passes; what is due is opened and closed, or not yet.
    Pass { ms: u64, led: bool },
    /// A node spends what it has.
    Spend { node: usize, amount: i64 },
    /// A node reports, gives back and asks.
    Refill { node: usize, give_back: bool, must: i64 },
}

fn moves() -> impl Strategy<Value = Move> {
    let ms = prop_oneof![1..300_u64, 1..3 * PART_MS, 1..30 * PART_MS];
    prop_oneof![
        2 => (ms, prop::bool::weighted(0.9)).prop_map(|(ms, led)| Move::Pass { ms, led }),
        3 => (0..2_usize, 1..40_i64).prop_map(|(node, amount)| Move::Spend { node, amount }),
        3 => (0..2_usize, any::<bool>(), 1..60_i64)
            .prop_map(|(node, give_back, must)| Move::Refill { node, give_back, must }),
    ]
}

/// Granted, spent and given back, by node and period.
type Pockets = BTreeMap<(usize, u64), [i64; 3]>;

struct World {
    log: Log,
    account: AccountId,
    pockets: Pockets,
    seq: u64,
    /// When how much was spent.
    spent: Vec<(u64, i64)>,
}

impl World {
    fn new() -> World {
        let mut log = Log::sample();
        let mut rolling = budget("rolling", LIMIT);
        rolling.windows[0].window = Window::Rolling(WINDOW_MS);
        log.done(put_budget(rolling));
        let account = AccountId { budget: log.ledger.budgets["rolling"].handle, window: 0 };
        World { log, account, pockets: BTreeMap::new(), seq: 0, spent: Vec::new() }
    }

    fn make(&mut self, next: &Move) {
        match *next {
            Move::Pass { ms, led } => {
                self.log.now_ms += ms;
                if led {
                    self.lead();
                }
            }
            Move::Spend { node, amount } => self.spend(node, amount),
            Move::Refill { node, give_back, must } => self.refill(node, give_back, must),
        }
    }

    /// Does what is due, until nothing is.
    fn lead(&mut self) {
        loop {
            let due = due(&self.log.ledger, UnixMillis(self.log.now_ms), PART_MS);
            if due.is_empty() {
                return;
            }
            due.into_iter().for_each(|command| drop(self.log.done(command)));
        }
    }

    /// Only in a period whose time it is: a node stops where its own clock is past the end.
    fn spend(&mut self, node: usize, amount: i64) {
        let books = &self.log.ledger.accounts[&self.account];
        let runs = books.present().is_some_and(|it| it.ends_at > Some(UnixMillis(self.log.now_ms)));
        let [granted, spent, returned] = self.pockets.entry((node, books.period)).or_insert([0; 3]);
        if runs && *granted - *spent - *returned >= amount {
            *spent += amount;
            self.spent.push((self.log.now_ms, amount));
        }
    }

    fn refill(&mut self, node: usize, give_back: bool, must: i64) {
        self.seq += 1;
        let present = self.log.ledger.accounts[&self.account].period;
        self.pockets.entry((node, present)).or_insert([0; 3]);
        let mut lines = Vec::new();
        for ((_, period), pocket) in self.pockets.range_mut((node, 0)..=(node, u64::MAX)) {
            // What is left of a past period goes back in any case.
            if give_back || *period < present {
                pocket[2] = pocket[0] - pocket[1];
            }
            let must = if *period == present { must } else { 0 };
            lines.push(RefillLine {
                account: self.account,
                period: *period,
                settled_cum: pocket[1],
                returned_cum: pocket[2],
                debt_cum: 0,
                want: must,
                must,
                path: 0,
            });
        }
        let (node_id, seq) = (NODES[node], self.seq);
        let (outcome, _) = self.log.propose(Command::Refill(Refill {
            node: node_id,
            incarnation: 1,
            seq,
            active_nodes: 2,
            lines,
            ..Refill::default()
        }));
        let Outcome::Refilled(grants) = outcome else {
            panic!("a refill came to {outcome:?}");
        };
        for grant in grants {
            if let Some(pocket) = self.pockets.get_mut(&(node, grant.period)) {
                pocket[0] = pocket[0].max(grant.granted_cum);
            }
        }
    }

    fn spent_since(&self, since_ms: u64) -> i64 {
        self.spent.iter().filter(|(at, _)| *at >= since_ms).map(|(_, amount)| amount).sum()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_stretch_of_the_windows_length_ever_holds_more_than_the_limit(
        moves in prop::collection::vec(moves(), 1..120),
    ) {
        let mut world = World::new();
        for next in moves {
            let before = world.log.ledger.clone();
            world.make(&next);
            let since = (world.log.now_ms + 1).saturating_sub(WINDOW_MS);
            let spent = world.spent_since(since);
            prop_assert!(spent <= LIMIT, "{spent} since {since}");
            prop_assert_eq!(check(&world.log.ledger), Ok(()));
            if !matches!(next, Move::Pass { .. }) {
                prop_assert_eq!(check_step(&before, &world.log.ledger), Ok(()));
            }
        }
    }
}

#[test]
fn a_rolling_budget_gives_out_its_limit_again_and_again() {
    let mut world = World::new();
    for round in 0..10 {
        for _ in 0..4 {
            world.make(&Move::Refill { node: 0, give_back: false, must: 25 });
            world.make(&Move::Spend { node: 0, amount: 25 });
        }
        assert_eq!(world.spent_since(0), (round + 1) * LIMIT);
        world.make(&Move::Refill { node: 0, give_back: true, must: 0 });
        world.make(&Move::Pass { ms: 26 * PART_MS, led: true });
    }
    let periods = world.log.ledger.accounts[&world.account].periods.size();
    assert!(periods <= 26, "{periods} periods are kept");
}
