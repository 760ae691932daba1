//! The scene of a run, drawn from its seed: how many nodes, which budgets and keys, how busy.

use crate::dice::Dice;
use ledger::command::{AllocateNode, PutBudget, PutKey};
use ledger::{
    Budget, BudgetWindow, Command, KeyHash, Mode, NodeId, Unit, UnixMillis, VirtualKey, Window,
};

/// A hundredth of a dollar, in nano-USD.
pub(crate) const CENT: i64 = 10_000_000;

/// What a run is about.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) nodes: u64,
    pub(crate) faults: u64,
    /// Time between two requests of a node, in milliseconds, at most.
    pub(crate) pause_max_ms: u64,
    /// Of a hundred bills so many are beyond the hold.
    pub(crate) beyond: usize,
    pub(crate) budgets: Vec<(&'static str, Unit, Vec<BudgetWindow>)>,
    pub(crate) keys: Vec<(&'static str, Vec<&'static str>)>,
}

impl Scene {
    pub(crate) fn draw(dice: &mut Dice) -> Scene {
        let nodes = if dice.chance(75) { 3 } else { 5 };
        // Every other limit is soon spent.
        let limit = |dice: &mut Dice, low: u64, high: u64| {
            let high = if dice.chance(50) { low * 4 } else { high };
            i64::try_from(dice.within(low, high)).unwrap_or(i64::MAX)
        };
        let never = |limit| vec![BudgetWindow { window: Window::Never, limit }];
        let every = |ms, limit| BudgetWindow { window: Window::Fixed(ms), limit };
        let budgets = vec![
            ("prepaid", Unit::NanoUsd, never(limit(dice, 20, 2_000) * CENT)),
            ("spell", Unit::NanoUsd, {
                let ms = dice.within(4_000, 12_000);
                let short = every(ms, limit(dice, 20, 400) * CENT);
                let long = every(ms * 3, limit(dice, 60, 800) * CENT);
                vec![short, long]
            }),
            (
                "tokens",
                Unit::Tokens,
                vec![every(dice.within(6_000, 15_000), limit(dice, 50, 3_000))],
            ),
            ("calls", Unit::Requests, never(limit(dice, 10, 400))),
            (
                "lately",
                Unit::Requests,
                vec![BudgetWindow {
                    window: Window::Rolling(dice.within(24_000, 60_000)),
                    limit: limit(dice, 10, 300),
                }],
            ),
            ("ample", Unit::NanoUsd, never(1_000_000 * CENT)),
        ];
        let keys = vec![
            ("ann", vec!["prepaid"]),
            ("bob", vec!["prepaid", "spell", "ample"]),
            ("cem", vec!["tokens", "ample"]),
            ("dee", vec!["spell", "calls"]),
            ("eve", if dice.chance(30) { vec!["lately", "ample"] } else { vec!["ample"] }),
        ];
        Scene {
            nodes,
            faults: dice.within(4, 12),
            pause_max_ms: dice.within(150, 500),
            beyond: if dice.chance(20) { 5 } else { 0 },
            budgets,
            keys,
        }
    }

    /// What the ledger begins with.
    pub(crate) fn commands(&self, now: UnixMillis) -> Vec<Command> {
        let nodes = (1..=self.nodes).map(|id| {
            Command::AllocateNode(AllocateNode {
                uuid: format!("node-{id}"),
                label: String::new(),
                id: Some(NodeId(id)),
            })
        });
        let budgets = self
            .budgets
            .iter()
            .map(|(name, unit, windows)| put_budget(name, *unit, windows.clone(), now));
        let keys = (1..)
            .zip(&self.keys)
            .map(|(number, (name, budgets))| put_key(name, number, budgets, now));
        nodes.chain(budgets).chain(keys).collect()
    }
}

/// The hash of the key with this number.
pub(crate) fn hash_of(number: u8) -> KeyHash {
    KeyHash([number; 32])
}

pub(crate) fn put_budget(
    name: &str,
    unit: Unit,
    windows: Vec<BudgetWindow>,
    now: UnixMillis,
) -> Command {
    let budget = Budget {
        name: name.to_owned(),
        unit,
        windows,
        mode: Mode::Hard,
        managed_by: "api:sim".to_owned(),
        created_at: now,
        ..Budget::default()
    };
    Command::PutBudget(PutBudget { budget, if_index: None, periods: Vec::new() })
}

fn put_key(name: &str, number: u8, budgets: &[&str], now: UnixMillis) -> Command {
    let key = VirtualKey {
        id: format!("id{number}"),
        name: name.to_owned(),
        hash: hash_of(number),
        enabled: true,
        budgets: budgets.iter().map(|name| (*name).to_owned()).collect(),
        managed_by: "api:sim".to_owned(),
        created_at: now,
        ..VirtualKey::default()
    };
    Command::PutKey(PutKey { key, if_index: None })
}
