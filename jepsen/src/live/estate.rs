//! What the callers of a run live on: budgets of every kind, sized by what the machine carries so that
//! most of them run out, and keys that are charged to them.

use serde_json::{Value, json};

use crate::dice::Dice;
use crate::provider::Charge;

/// All keys there are.
pub const KEYS: usize = 1 + 5 + COLD_KEYS;
/// Keys with little traffic and a small budget of their own each.
pub const COLD_KEYS: usize = 20;
/// The key that the speed of the machine is measured with: number 0, charged to nothing.
pub const GAUGE: usize = 0;
/// More than any one call here may cost at worst, in nano-USD, tokens and requests.
const WORST: Charge = Charge { nano_usd: 1_200_000, tokens: 400, requests: 1 };

/// What a budget counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Money.
    NanoUsd,
    /// Input and output tokens.
    Tokens,
    /// Requests that reach the provider.
    Requests,
}

/// One window of one budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Name of the budget.
    pub budget: String,
    /// What it counts.
    pub unit: Unit,
    /// Length of its periods, in milliseconds; `None`: it never starts anew.
    pub window_ms: Option<u64>,
    /// Most that may be spent in one period.
    pub limit: i64,
    /// Between these moments the budget was made, in nanoseconds since the run began: its first period
    /// began then.
    pub made_ns: (u64, u64),
}

/// A virtual key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub name: String,
    /// Budgets it is charged to.
    pub budgets: Vec<String>,
    /// Its part of the calls.
    pub weight: usize,
}

/// Everything there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Estate {
    /// Windows of the same budget stand side by side.
    pub accounts: Vec<Account>,
    /// By number; the first is the [`GAUGE`].
    pub keys: Vec<Key>,
}

impl Unit {
    /// The part of a charge that counts.
    pub fn of(self, charge: Charge) -> i64 {
        match self {
            Unit::NanoUsd => charge.nano_usd,
            Unit::Tokens => charge.tokens,
            Unit::Requests => charge.requests,
        }
    }

    fn field(self) -> &'static str {
        match self {
            Unit::NanoUsd => "limit_nano_usd",
            Unit::Tokens => "limit_tokens",
            Unit::Requests => "limit_requests",
        }
    }
}

impl Estate {
    /// Keys and budgets for a run of so many seconds on a machine that spends `per_s` in each. One budget
    /// is ample, the others hold less than their keys ask for.
    pub fn new(per_s: Charge, run_s: u64, dice: &mut Dice) -> Estate {
        let mut estate = Estate::default();
        let gauge = Key { name: "gauge".to_owned(), budgets: Vec::new(), weight: 0 };
        estate.keys.push(gauge);
        let money = Unit::NanoUsd;
        let part = |unit: Unit, weight: i64, ms: u64, percent: i64| {
            let ms = i64::try_from(ms).unwrap_or(i64::MAX);
            let asked = unit.of(per_s).saturating_mul(weight).saturating_mul(ms) / 100_000;
            (asked.saturating_mul(percent) / 100).max(4 * unit.of(WORST))
        };
        let run_ms = run_s * 1_000;
        estate.budget("prepaid", money, &[(None, part(money, 30, run_ms, 50))]);
        estate.budget("shared", money, &[(Some(4_000), part(money, 50, 4_000, 40))]);
        let windows = [
            (Some(3_000), part(money, 20, 3_000, 45)),
            (Some(10_000), part(money, 20, 10_000, 40)),
        ];
        estate.budget("two-windows", money, &windows);
        let requests = Unit::Requests;
        estate.budget("requests", requests, &[(Some(3_000), part(requests, 20, 3_000, 40))]);
        estate.budget("tokens", Unit::Tokens, &[(Some(5_000), part(Unit::Tokens, 20, 5_000, 40))]);
        estate.budget("small", money, &[(Some(2_000), 4 * WORST.nano_usd)]);
        estate.budget("all-cold", money, &[(None, part(money, 25, run_ms, 50))]);
        estate.budget("ample", money, &[(None, part(money, 1_000, run_ms, 1_000))]);
        estate.key("ample", &["ample"], 10);
        estate.key("hot-prepaid", &["prepaid", "shared"], 30);
        estate.key("hot-windows", &["shared", "two-windows"], 20);
        estate.key("hot-counted", &["requests", "tokens"], 20);
        estate.key("small", &["small"], 5);
        for nth in 0..COLD_KEYS {
            let name = format!("cold-{nth}");
            let calls = i64::try_from(dice.within(1, 20)).unwrap_or(1);
            estate.budget(&name, money, &[(None, calls * WORST.nano_usd)]);
            // Some are asked for often, most seldom.
            let weight = if nth < 5 { 3 } else { 1 };
            estate.key(&name, &["all-cold", &name], weight);
        }
        estate
    }

    fn budget(&mut self, name: &str, unit: Unit, windows: &[(Option<u64>, i64)]) {
        let account = |(window_ms, limit): &(Option<u64>, i64)| Account {
            budget: name.to_owned(),
            unit,
            window_ms: *window_ms,
            limit: *limit,
            made_ns: (0, 0),
        };
        self.accounts.extend(windows.iter().map(account));
    }

    fn key(&mut self, name: &str, budgets: &[&str], weight: usize) {
        let budgets = budgets.iter().map(|budget| (*budget).to_owned()).collect();
        self.keys.push(Key { name: name.to_owned(), budgets, weight });
    }

    /// Names of all budgets, once each.
    pub fn budgets(&self) -> Vec<String> {
        let mut names: Vec<_> =
            self.accounts.iter().map(|account| account.budget.clone()).collect();
        names.dedup();
        names
    }

    /// What is said of a budget to the admin API.
    pub fn settings(&self, budget: &str) -> Value {
        let windows = self.accounts.iter().filter(|account| account.budget == budget);
        let windows = windows.map(|account| {
            let mut window = json!({ account.unit.field(): account.limit });
            if let Some(ms) = account.window_ms {
                window["window"] = json!(format!("{}s", ms / 1_000));
            }
            window
        });
        json!({ "windows": windows.collect::<Vec<_>>() })
    }

    /// Numbers of the keys that are charged to a budget.
    pub fn keys_of(&self, budget: &str) -> Vec<usize> {
        let charged = |key: &&usize| self.keys[**key].budgets.iter().any(|name| name == budget);
        (0..self.keys.len()).collect::<Vec<_>>().iter().filter(charged).copied().collect()
    }

    /// Numbers of the accounts a key is charged to.
    pub fn path(&self, key: usize) -> Vec<usize> {
        let on = |account: &Account| self.keys[key].budgets.contains(&account.budget);
        (0..self.accounts.len()).filter(|nth| on(&self.accounts[*nth])).collect()
    }

    /// A key for the next call, by weight.
    pub fn draw(&self, dice: &mut Dice) -> usize {
        let all: usize = self.keys.iter().map(|key| key.weight).sum();
        let mut at = dice.below(all);
        for (nth, key) in self.keys.iter().enumerate() {
            if at < key.weight {
                return nth;
            }
            at -= key.weight;
        }
        GAUGE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estate() -> Estate {
        let per_s = Charge { nano_usd: 30_000_000, tokens: 10_000, requests: 300 };
        Estate::new(per_s, 60, &mut Dice::of(1))
    }

    #[test]
    fn every_key_is_charged_to_accounts_that_exist() {
        let estate = estate();
        for key in 1..estate.keys.len() {
            assert!(estate.path(key).len() >= estate.keys[key].budgets.len(), "{key}");
        }
        assert_eq!(estate.path(GAUGE), Vec::<usize>::new());
        assert_eq!(estate.keys_of("shared"), [2, 3]);
    }

    #[test]
    fn there_are_as_many_keys_as_is_said() {
        assert_eq!(estate().keys.len(), KEYS);
    }

    #[test]
    fn budgets_hold_less_than_is_asked_of_them() {
        let estate = estate();
        let prepaid = estate.accounts.iter().find(|account| account.budget == "prepaid").unwrap();
        assert_eq!(prepaid.limit, 30_000_000 * 30 / 100 * 60 * 50 / 100);
        let settings = estate.settings("two-windows");
        assert_eq!(settings["windows"][1]["window"], "10s");
    }

    #[test]
    fn calls_go_to_keys_by_their_weight() {
        let (estate, mut dice) = (estate(), Dice::of(2));
        let mut drawn = vec![0_usize; estate.keys.len()];
        (0..10_000).for_each(|_| drawn[estate.draw(&mut dice)] += 1);
        assert!(drawn[GAUGE] == 0 && drawn[2] > drawn[3] && drawn[3] > drawn[5], "{drawn:?}");
        assert!(drawn[6..].iter().all(|count| *count > 0), "{drawn:?}");
    }
}
