//! The judge: what the provider billed, against what each account holds.
//!
//! Spend belongs to the period of its hold, and only the gateway knows which one that was. The judge knows
//! that the hold was made after the caller began and before the provider accepted, and how far a clock may
//! be off. So each bill has a first and a last period it can belong to, and an account was overspent for
//! certain where, for some run of periods, the bills that can belong to none but these exceed what these
//! hold together. Where no run of periods is exceeded the bills can be dealt out so that every period
//! keeps its limit (Hall's theorem for intervals): then nothing is proved against the gateway.

use std::collections::HashMap;

use super::asked::Asked;
use super::estate::{Account, Estate};
use crate::provider::Bill;

/// A node admits to a period for so long after its end, by its own clock, plus what a message takes.
const LATE_NS: u64 = 2_250_000_000;
/// A period begins so early at most: what a leader's clock may be away from the median of the voters', and
/// as much again for the messages that compare them.
const EARLY_NS: u64 = 1_000_000_000;

/// More was billed than some periods hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Number of the account.
    pub account: usize,
    /// First and last of these periods.
    pub periods: (usize, usize),
    /// Billed on them for certain.
    pub billed: i64,
    /// What they hold.
    pub holds: i64,
    /// When the last of it was accepted, in nanoseconds since the run began.
    pub at_ns: u64,
}

/// What the judge goes by.
pub struct Evidence<'a> {
    /// Accounts and keys.
    pub estate: &'a Estate,
    /// What the provider billed.
    pub bills: &'a [Bill],
    /// Callers' records by number.
    pub asked: HashMap<u64, Asked>,
    /// When clocks were behind.
    pub slow: &'a [Slow],
}

/// A time in which the clock of a node could not be relied on to end periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slow {
    /// Which node.
    pub node: usize,
    /// From when, in nanoseconds since the run began.
    pub from_ns: u64,
    /// Until when.
    pub until_ns: u64,
}

/// A bill as one account sees it.
#[derive(Clone, Copy, Debug)]
struct Item {
    first: usize,
    last: usize,
    amount: i64,
    at_ns: u64,
}

impl Evidence<'_> {
    /// The worst breach of each account that was breached.
    ///
    /// # Errors
    ///
    /// A bill for a call that nobody made.
    pub fn breaches(&self) -> Result<Vec<Breach>, String> {
        let mut breaches = Vec::new();
        for (nth, account) in self.estate.accounts.iter().enumerate() {
            let items = self.items(account)?;
            breaches.extend(worst(nth, account.limit, &items));
        }
        Ok(breaches)
    }

    /// With the limit of an account at so many percent of the true one: the first of these at which the
    /// judge objects.
    ///
    /// # Errors
    ///
    /// A bill for a call that nobody made.
    pub fn objects_at(&self, nth: usize, percents: &[i64]) -> Result<Option<i64>, String> {
        let account = &self.estate.accounts[nth];
        let items = self.items(account)?;
        let objects =
            |percent: &&i64| worst(nth, account.limit * **percent / 100, &items).is_some();
        Ok(percents.iter().find(objects).copied())
    }

    fn items(&self, account: &Account) -> Result<Vec<Item>, String> {
        let keys = self.estate.keys_of(&account.budget);
        let bills = self.bills.iter().filter(|bill| keys.contains(&bill.key));
        let items = bills.map(|bill| {
            let asked = self.asked.get(&bill.id);
            let asked = asked.ok_or_else(|| format!("{bill:?} was asked by nobody"))?;
            let (first, last) = self.periods(account, asked, bill.at_ns);
            let amount = account.unit.of(bill.charge);
            Ok(Item { first, last, amount, at_ns: bill.at_ns })
        });
        items.collect()
    }

    /// The first and the last period that a call accepted at `at_ns` can have been held for.
    fn periods(&self, account: &Account, asked: &Asked, at_ns: u64) -> (usize, usize) {
        let Some(window_ms) = account.window_ms else { return (0, 0) };
        let window_ns = window_ms * 1_000_000;
        let slow = self.slow.iter().any(|slow| {
            slow.node == asked.node && slow.from_ns <= at_ns && asked.sent_ns <= slow.until_ns
        });
        let since_ns = asked.sent_ns.saturating_sub(LATE_NS + account.made_ns.1);
        let first = if slow { 0 } else { since_ns / window_ns };
        let last = (at_ns + EARLY_NS).saturating_sub(account.made_ns.0) / window_ns;
        // A run has some thousand periods.
        (first as usize, last as usize)
    }
}

/// The run of periods whose own bills exceed what they hold by most, if any do.
fn worst(account: usize, limit: i64, items: &[Item]) -> Option<Breach> {
    let periods = items.iter().map(|item| item.last + 1).max()?;
    let mut of_first: Vec<Vec<Item>> = vec![Vec::new(); periods];
    for item in items {
        of_first[item.first].push(*item);
    }
    // Bills that can belong to no period before `first`, by the last one they can belong to.
    let mut by_last = vec![0_i64; periods];
    let mut at_ns = vec![0_u64; periods];
    let mut found: Option<Breach> = None;
    for first in (0..periods).rev() {
        for item in &of_first[first] {
            by_last[item.last] += item.amount;
            at_ns[item.last] = at_ns[item.last].max(item.at_ns);
        }
        let (mut billed, mut holds, mut latest_ns) = (0_i64, 0_i64, 0);
        for last in first..periods {
            billed += by_last[last];
            holds = holds.saturating_add(limit);
            latest_ns = at_ns[last].max(latest_ns);
            let excess = billed - holds;
            let most = found.as_ref().map_or(0, |breach| breach.billed - breach.holds);
            if excess > most {
                let periods = (first, last);
                found = Some(Breach { account, periods, billed, holds, at_ns: latest_ns });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    fn item(first: usize, last: usize, amount: i64) -> Item {
        Item { first, last, amount, at_ns: 0 }
    }

    fn excess(limit: i64, items: &[Item]) -> i64 {
        worst(0, limit, items).map_or(0, |breach| breach.billed - breach.holds)
    }

    #[test]
    fn what_one_period_alone_can_have_held_must_fit_it() {
        assert_eq!(excess(10, &[item(0, 0, 10), item(1, 1, 10)]), 0);
        assert_eq!(excess(10, &[item(0, 0, 10), item(1, 1, 12)]), 2);
    }

    #[test]
    fn what_either_period_can_have_held_must_fit_both() {
        let either = [item(0, 0, 9), item(0, 1, 3), item(1, 1, 8)];
        assert_eq!(excess(10, &either), 0);
        assert_eq!(excess(9, &either), 2);
    }

    /// Whether units of money can be dealt out one by one, tried in every way.
    fn can_be_dealt(items: &[Item], left: &mut [i64]) -> bool {
        let Some((item, rest)) = items.split_first() else { return true };
        (item.first..=item.last).any(|period| {
            if left[period] < item.amount {
                return false;
            }
            left[period] -= item.amount;
            let fits = can_be_dealt(rest, left);
            left[period] += item.amount;
            fits
        })
    }

    #[test]
    fn for_single_units_the_judge_objects_exactly_where_no_dealing_fits() {
        let mut dice = Dice::of(7);
        let mut objected = 0;
        for _ in 0..2_000 {
            let limit = 2;
            let items: Vec<Item> = (0..dice.below(9))
                .map(|_| {
                    let first = dice.below(3);
                    item(first, first + dice.below(4 - first), 1)
                })
                .collect();
            let fits = can_be_dealt(&items, &mut [limit; 4]);
            assert_eq!(excess(limit, &items) == 0, fits, "{items:?}");
            objected += usize::from(!fits);
        }
        assert!(objected > 100, "{objected}");
    }
}
