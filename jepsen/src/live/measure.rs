//! What a run cost its callers, stroke by stroke: nothing here is a matter of right and wrong.

use std::collections::HashMap;

use super::asked::{Asked, Ended};
use super::estate::{Account, Estate, Unit};
use super::judge::Breach;
use super::strikes::Struck;
use super::watch::Reading;
use crate::history::{Action, Answer, Outcome, Record};
use crate::provider::{Bill, Charge, OUTPUT_NANO_USD};

/// A period may be opened so late: until then the one before it counts.
const OPENED_WITHIN_NS: u64 = 1_500_000_000;

/// What was seen from one stroke to the next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// Of which nemesis.
    pub nemesis: String,
    /// How often it struck.
    pub strokes: usize,
    /// Calls that were begun.
    pub requests: usize,
    /// Of these, answered.
    pub answered: usize,
    /// Refused for want of money, or because the cluster could not say.
    pub refused: usize,
    /// Of the refused, those that the provider's own count leaves room for.
    pub affordable: usize,
    /// Billed beyond the limit of any account, for certain, in its unit.
    pub overspend: i64,
    /// Part of prepaid money that lies in suspense at the end, in percent.
    pub stranded_percent: f64,
    /// Longest time in which a key was refused what it could afford, and never answered.
    pub longest_refusal_ns: u64,
    /// Longest time without an acknowledged write of an operator.
    pub write_gap_ns: u64,
}

/// Everything that was written down.
pub struct Notes<'a> {
    /// Accounts and keys.
    pub estate: &'a Estate,
    /// By callers, in the order in which they were sent.
    pub asked: &'a [Asked],
    /// By the provider.
    pub bills: &'a [Bill],
    /// By those who read the books.
    pub readings: &'a [Reading],
    /// By operators.
    pub records: &'a [Record],
    /// By the judge.
    pub breaches: &'a [Breach],
}

/// What was billed on an account up to any time, by the period the time falls into.
struct Spend {
    /// Time of acceptance and the sum so far of its period.
    sums: HashMap<u64, Vec<(u64, i64)>>,
}

impl Spend {
    /// Where nobody told the gateway what a call cost it must take the worst for spent, and so does this.
    fn of(
        account: &Account,
        keys: &[usize],
        bills: &[Bill],
        asked: &HashMap<u64, &Asked>,
    ) -> Spend {
        let mut sums: HashMap<u64, Vec<(u64, i64)>> = HashMap::new();
        for bill in bills.iter().filter(|bill| keys.contains(&bill.key)) {
            let asked = asked.get(&bill.id);
            let told = asked.filter(|asked| asked.well && asked.ended == Ended::Answered);
            let untold = asked.filter(|_| told.is_none()).map(|asked| worst(asked));
            let charge = untold.unwrap_or(bill.charge);
            let sums = sums.entry(period(account, bill.at_ns)).or_default();
            let so_far = sums.last().map_or(0, |(_, sum)| *sum);
            sums.push((bill.at_ns, so_far + account.unit.of(charge)));
        }
        Spend { sums }
    }

    /// Billed in the period of `period_of_ns`, until `until_ns`.
    fn until(&self, account: &Account, period_of_ns: u64, until_ns: u64) -> i64 {
        let Some(sums) = self.sums.get(&period(account, period_of_ns)) else { return 0 };
        let count = sums.partition_point(|(at_ns, _)| *at_ns <= until_ns);
        count.checked_sub(1).map_or(0, |last| sums[last].1)
    }
}

fn period(account: &Account, at_ns: u64) -> u64 {
    let since_ns = at_ns.saturating_sub(account.made_ns.0);
    account.window_ms.map_or(0, |ms| since_ns / (ms * 1_000_000))
}

impl Notes<'_> {
    /// One row for each nemesis, in the order in which they first struck. What comes after a stroke and
    /// before the next is its own; what comes before all of them is nobody's.
    pub fn rows(&self, strokes: &[Struck], end_ns: u64) -> Vec<Row> {
        let asked = self.asked.iter().map(|asked| (asked.id, asked)).collect();
        let spend_of = |account: &Account| {
            Spend::of(account, &self.estate.keys_of(&account.budget), self.bills, &asked)
        };
        let spend: Vec<Spend> = self.estate.accounts.iter().map(spend_of).collect();
        let affordable: Vec<bool> =
            self.asked.iter().map(|asked| self.could_afford(asked, &spend)).collect();
        let mut rows: Vec<Row> = Vec::new();
        for (nth, stroke) in strokes.iter().enumerate() {
            let until_ns = strokes.get(nth + 1).map_or(end_ns, |next| next.from_ns);
            let span = (stroke.from_ns, until_ns);
            let row = match rows.iter().position(|row| row.nemesis == stroke.name) {
                Some(nth) => &mut rows[nth],
                None => {
                    rows.push(Row { nemesis: stroke.name.clone(), ..Row::default() });
                    let last = rows.len() - 1;
                    &mut rows[last]
                }
            };
            row.strokes += 1;
            self.count(row, span, &affordable);
        }
        rows
    }

    fn count(&self, row: &mut Row, (from_ns, until_ns): (u64, u64), affordable: &[bool]) {
        let within = |at_ns: u64| from_ns <= at_ns && at_ns < until_ns;
        let mut refused_since: HashMap<usize, u64> = HashMap::new();
        // They are in the order in which they were sent.
        let first = self.asked.partition_point(|asked| asked.sent_ns < from_ns);
        let last = self.asked.partition_point(|asked| asked.sent_ns < until_ns);
        for (asked, affordable) in self.asked[first..last].iter().zip(&affordable[first..last]) {
            row.requests += 1;
            row.answered += usize::from(asked.ended == Ended::Answered);
            row.refused += usize::from(asked.ended.is_refusal());
            row.affordable += usize::from(*affordable);
            match *affordable {
                true => {
                    let since = *refused_since.entry(asked.key).or_insert(asked.sent_ns);
                    row.longest_refusal_ns = row.longest_refusal_ns.max(asked.ended_ns - since);
                }
                false if asked.ended == Ended::Answered || asked.ended.is_refusal() => {
                    refused_since.remove(&asked.key);
                }
                false => {}
            }
        }
        let breached = self.breaches.iter().filter(|breach| within(breach.at_ns));
        let most = breached.map(|breach| breach.billed - breach.holds).max();
        row.overspend = row.overspend.max(most.unwrap_or(0));
        row.write_gap_ns = row.write_gap_ns.max(self.write_gap(from_ns, until_ns));
        row.stranded_percent = row.stranded_percent.max(self.stranded(from_ns, until_ns));
    }

    /// Whether a call was refused that each of its accounts had room for, and a hundredth of the limit
    /// beside.
    fn could_afford(&self, asked: &Asked, spend: &[Spend]) -> bool {
        asked.ended.is_refusal()
            && self.estate.path(asked.key).into_iter().all(|nth| {
                let account = &self.estate.accounts[nth];
                let room = |period_of_ns| {
                    account.limit - spend[nth].until(account, period_of_ns, asked.ended_ns)
                };
                let before_ns = asked.sent_ns.saturating_sub(OPENED_WITHIN_NS);
                let room = room(asked.ended_ns).min(room(before_ns));
                room >= (account.limit / 100).max(account.unit.of(worst(asked)))
            })
    }

    fn write_gap(&self, from_ns: u64, until_ns: u64) -> u64 {
        let acknowledged = self.records.iter().filter(|record| {
            let write = matches!(record.action, Action::Write(_) | Action::Swap { .. });
            write && record.outcome == Outcome::Ok(Answer::Done)
        });
        let mut at_ns: Vec<u64> = acknowledged.map(|record| record.returned_ns).collect();
        at_ns.retain(|at_ns| from_ns <= *at_ns && *at_ns < until_ns);
        at_ns.extend([from_ns, until_ns]);
        at_ns.sort_unstable();
        at_ns.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
    }

    /// The last readings of the time tell: one for each budget, known by its limit.
    fn stranded(&self, from_ns: u64, until_ns: u64) -> f64 {
        let within = self
            .readings
            .iter()
            .filter(|reading| from_ns <= reading.at_ns && reading.at_ns < until_ns);
        let last: HashMap<i64, i64> =
            within.map(|reading| (reading.books.limit, reading.books.suspense)).collect();
        let (limits, suspense): (i64, i64) = (last.keys().sum(), last.values().sum());
        if limits == 0 { 0.0 } else { suspense as f64 * 100.0 / limits as f64 }
    }
}

/// Most a call may cost, in each unit.
fn worst(asked: &Asked) -> Charge {
    // Tokens of input are fewer than the money of it suggests.
    let tokens = asked.worst_nano_usd / OUTPUT_NANO_USD * 4;
    Charge { nano_usd: asked.worst_nano_usd, tokens, requests: 1 }
}

/// The unit's name in reports.
pub fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::NanoUsd => "nano-USD",
        Unit::Tokens => "tokens",
        Unit::Requests => "requests",
    }
}
