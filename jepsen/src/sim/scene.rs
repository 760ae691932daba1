//! The scene of a run, drawn from its seed: how many nodes, which budgets and keys, how busy.

use crate::dice::Dice;
use ledger::command::{AllocateNode, PutBudget, PutKey};
use ledger::{
    Budget, BudgetWindow, Command, KeyHash, Mode, NodeId, Per, Unit, UnixMillis, VirtualKey,
    Window, WithoutQuorum,
};

/// A hundredth of a dollar, in nano-USD.
pub(crate) const CENT: i64 = 10_000_000;

/// Nodes that may join while a run goes on.
pub(crate) const SPARES: u64 = 2;

/// What a run is about.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    /// Nodes that found the cluster.
    pub(crate) nodes: u64,
    pub(crate) faults: u64,
    /// Time between two requests of a node, in milliseconds, at most.
    pub(crate) pause_max_ms: u64,
    /// Of a hundred bills so many are beyond the hold.
    pub(crate) beyond: usize,
    /// Syncs of journals fail now and then.
    pub(crate) journals_fail: bool,
    pub(crate) budgets: Vec<Budget>,
    pub(crate) keys: Vec<(&'static str, Vec<&'static str>)>,
}

impl Scene {
    pub(crate) fn draw(dice: &mut Dice) -> Scene {
        let nodes = if dice.chance(75) { 3 } else { 5 };
        let keys = vec![
            ("ann", vec!["prepaid"]),
            ("bob", vec!["prepaid", "spell", "ample"]),
            ("cem", vec!["tokens", "ample"]),
            ("dee", vec!["spell", "calls"]),
            ("fay", vec!["runs", "ample"]),
            ("gil", vec!["lenient", if dice.chance(50) { "soft" } else { "open" }]),
            ("eve", if dice.chance(30) { vec!["lately", "ample"] } else { vec!["ample"] }),
        ];
        Scene {
            nodes,
            faults: dice.within(4, 12),
            pause_max_ms: dice.within(150, 500),
            beyond: if dice.chance(20) { 5 } else { 0 },
            journals_fail: dice.chance(10),
            budgets: [hard(dice), lenient(dice)].concat(),
            keys,
        }
    }

    /// What the ledger begins with.
    pub(crate) fn commands(&self, now: UnixMillis) -> Vec<Command> {
        let nodes = (1..=self.nodes).map(allocate);
        let budgets = self.budgets.iter().map(|budget| put_budget(budget, now));
        let keys = (1..)
            .zip(&self.keys)
            .map(|(number, (name, budgets))| put_key(name, number, budgets, now));
        nodes.chain(budgets).chain(keys).collect()
    }
}

/// A limit; every other one is soon spent.
fn limit(dice: &mut Dice, low: u64, high: u64) -> i64 {
    let high = if dice.chance(50) { low * 4 } else { high };
    i64::try_from(dice.within(low, high)).unwrap_or(i64::MAX)
}

fn every(ms: u64, limit: i64) -> BudgetWindow {
    BudgetWindow { window: Window::Fixed(ms), limit }
}

fn never(limit: i64) -> Vec<BudgetWindow> {
    vec![BudgetWindow { window: Window::Never, limit }]
}

/// Budgets that let nothing through beyond their limits.
fn hard(dice: &mut Dice) -> Vec<Budget> {
    let short_ms = dice.within(4_000, 12_000);
    let spell = vec![
        every(short_ms, limit(dice, 20, 400) * CENT),
        every(short_ms * 3, limit(dice, 60, 800) * CENT),
    ];
    let tokens = vec![every(dice.within(6_000, 15_000), limit(dice, 600, 36_000))];
    let rolling = Window::Rolling(dice.within(24_000, 60_000));
    let lately = vec![BudgetWindow { window: rolling, limit: limit(dice, 10, 300) }];
    let ttl_ms = dice.within(3_000, 12_000);
    vec![
        budget("prepaid", Unit::NanoUsd, never(limit(dice, 20, 2_000) * CENT)),
        budget("spell", Unit::NanoUsd, spell),
        budget("tokens", Unit::Tokens, tokens),
        budget("calls", Unit::Requests, never(limit(dice, 10, 400))),
        budget("lately", Unit::Requests, lately),
        budget("ample", Unit::NanoUsd, never(1_000_000 * CENT)),
        Budget {
            per: Per::Session { ttl_ms },
            ..budget("runs", Unit::NanoUsd, never(limit(dice, 10, 100) * CENT))
        },
    ]
}

/// Budgets that go on beyond their limits, always or where the cluster cannot be asked.
fn lenient(dice: &mut Dice) -> Vec<Budget> {
    let more = limit(dice, 2, 50) * CENT;
    let spell = vec![every(dice.within(8_000, 20_000), limit(dice, 10, 200) * CENT)];
    vec![
        Budget {
            without_quorum: WithoutQuorum::Degraded(more),
            ..budget("lenient", Unit::NanoUsd, spell)
        },
        Budget {
            without_quorum: WithoutQuorum::Open,
            ..budget("open", Unit::NanoUsd, never(limit(dice, 10, 200) * CENT))
        },
        Budget {
            mode: Mode::Soft,
            ..budget("soft", Unit::NanoUsd, never(limit(dice, 10, 200) * CENT))
        },
    ]
}

pub(crate) fn budget(name: &str, unit: Unit, windows: Vec<BudgetWindow>) -> Budget {
    Budget {
        name: name.to_owned(),
        unit,
        windows,
        managed_by: "api:sim".to_owned(),
        ..Budget::default()
    }
}

/// The hash of the key with this number.
pub(crate) fn hash_of(number: u8) -> KeyHash {
    KeyHash([number; 32])
}

/// Gives a node its number.
pub(crate) fn allocate(id: u64) -> Command {
    let uuid = format!("node-{id}");
    Command::AllocateNode(AllocateNode { uuid, label: String::new(), id: Some(NodeId(id)) })
}

pub(crate) fn put_budget(budget: &Budget, now: UnixMillis) -> Command {
    let budget = Budget { created_at: now, ..budget.clone() };
    Command::PutBudget(PutBudget { budget, if_index: None, periods: Vec::new() })
}

fn put_key(name: &str, number: u8, budgets: &[&str], now: UnixMillis) -> Command {
    let key = VirtualKey {
        id: format!("id{number}"),
        name: name.to_owned(),
        hash: hash_of(number),
        enabled: true,
        may_open_sessions: true,
        budgets: budgets.iter().map(|name| (*name).to_owned()).collect(),
        managed_by: "api:sim".to_owned(),
        created_at: now,
        ..VirtualKey::default()
    };
    Command::PutKey(PutKey { key, if_index: None })
}
