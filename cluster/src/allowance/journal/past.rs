//! What the records of one life add up to.

use super::record::{
    AmountV1, BeyondV1, HeadV1, HoldV1, OpenV1, PathV1, PurseV1, Record, SettleV1, SpentV1,
    SumEndV1, UsedV1, bytes,
};
use crate::allowance::Charge;
use ledger::{AccountId, Ledger, UsageKey, UsageLine, UsageSums};
use std::collections::BTreeMap;
use std::sync::Arc;
use storage::format;

/// Lines of one record of a sum.
const LINES_PER_RECORD: usize = 1_000;

/// What is wrong with records that can all be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Odd {
    #[error("hold {0} names path {1}, which is not known")]
    NoPath(u64, u32),
    #[error("hold {0} ends and has not begun")]
    NoHold(u64),
    #[error("path {0} counts in a unit this program does not know")]
    NoUnit(u32),
    #[error("a head or an end where none belongs")]
    OutOfPlace,
}

/// What a life has spent, and what it had in flight. Made of records, in order; made into records again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Past {
    paths: BTreeMap<u32, PathOf>,
    holds: BTreeMap<u64, InFlight>,
    spent: BTreeMap<(AccountId, u64), i64>,
    opened: BTreeMap<(AccountId, u64), i64>,
    beyond: BTreeMap<(AccountId, u64), i64>,
    used: BTreeMap<(u64, UsageKey), UsageSums>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct PathOf {
    purses: Arc<[PurseV1]>,
    row: Arc<UsageKey>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct InFlight {
    path: u32,
    /// A path that is gone may be named by nobody else.
    of: PathOf,
    day: u32,
    charge: Charge,
}

impl Past {
    /// Takes in one record.
    pub(super) fn add(&mut self, record: Record) -> Result<(), Odd> {
        match record {
            Record::Path(path) => {
                let of = PathOf { purses: path.purses.into(), row: Arc::new(path.row.into()) };
                self.paths.insert(path.path, of);
            }
            Record::PathGone(gone) => {
                self.paths.remove(&gone.path);
            }
            Record::Hold(hold) => self.hold(hold)?,
            Record::Settle(settle) => self.settle(&settle)?,
            Record::Open(open) => {
                self.opened.extend(open.lines.iter().map(|line| (line.key(), line.amount)));
            }
            Record::Beyond(beyond) => {
                self.beyond.extend(beyond.lines.iter().map(|line| (line.key(), line.amount)));
            }
            Record::Spent(spent) => {
                for line in spent.lines {
                    add(&mut self.spent, line.key(), line.amount);
                }
            }
            Record::Used(used) => {
                let sums = self.used.entry((used.batch, used.key.into())).or_default();
                sums.add(&used.sums.into());
            }
            Record::Head(_) | Record::SumEnd(_) => return Err(Odd::OutOfPlace),
        }
        Ok(())
    }

    fn hold(&mut self, hold: HoldV1) -> Result<(), Odd> {
        let path = self.paths.get(&hold.path).ok_or(Odd::NoPath(hold.hold, hold.path))?;
        let charge = Charge::from(hold.charge);
        if path.purses.iter().any(|purse| purse.amount(&charge).is_none()) {
            return Err(Odd::NoUnit(hold.path));
        }
        let in_flight = InFlight { path: hold.path, of: path.clone(), day: hold.day, charge };
        self.holds.insert(hold.hold, in_flight);
        Ok(())
    }

    fn settle(&mut self, settle: &SettleV1) -> Result<(), Odd> {
        let hold = self.holds.remove(&settle.hold).ok_or(Odd::NoHold(settle.hold))?;
        let charge = Charge::from(settle.charge);
        for purse in hold.of.purses.iter() {
            let amount = purse.amount(&charge).ok_or(Odd::NoUnit(hold.path))?;
            add(&mut self.spent, (purse.account(), purse.period), amount);
        }
        if settle.batch != 0 {
            let key = UsageKey { day: hold.day, ..UsageKey::clone(&hold.of.row) };
            self.used.entry((settle.batch, key)).or_default().add(&settle.usage.into());
        }
        Ok(())
    }

    /// Spent on each account and period, with every hold in flight in full.
    pub(super) fn spent(&self) -> BTreeMap<(AccountId, u64), i64> {
        let mut spent = self.spent.clone();
        for hold in self.holds.values() {
            for purse in hold.of.purses.iter() {
                let amount = purse.amount(&hold.charge).unwrap_or(0);
                add(&mut spent, (purse.account(), purse.period), amount);
            }
        }
        spent
    }

    /// What each account and period was last opened up to.
    pub(super) fn opened(&self) -> &BTreeMap<(AccountId, u64), i64> {
        &self.opened
    }

    /// Up to what amount each account and period might be spent beyond what it was opened up to.
    pub(super) fn beyond(&self) -> &BTreeMap<(AccountId, u64), i64> {
        &self.beyond
    }

    /// Used in batches after `applied`, and, where asked for, by holds in flight: of those only the cost is
    /// known.
    pub(super) fn used_after(&self, applied: u64, in_flight: bool) -> Vec<UsageLine> {
        let mut lines: BTreeMap<UsageKey, UsageSums> = BTreeMap::new();
        for ((_, key), sums) in self.used.range((applied + 1, UsageKey::default())..) {
            lines.entry(key.clone()).or_default().add(sums);
        }
        for hold in self.holds.values().filter(|_| in_flight) {
            let key = UsageKey { day: hold.day, ..UsageKey::clone(&hold.of.row) };
            lines.entry(key).or_default().add(&hold.charge.as_usage());
        }
        lines.into_iter().map(|(key, sums)| UsageLine { key, sums }).collect()
    }

    /// Holds that have not ended.
    pub(super) fn in_flight(&self) -> usize {
        self.holds.len()
    }

    /// Forgets what nobody will ask for: batches the ledger has, periods it has closed.
    pub(super) fn prune(&mut self, ledger: &Ledger, batch_applied: u64) {
        self.used = self.used.split_off(&(batch_applied + 1, UsageKey::default()));
        let asked_for = |(account, period): &(AccountId, u64)| match ledger.accounts.get(account) {
            Some(account) => *period >= account.period || account.periods.contains_key(period),
            // Not applied here yet.
            None => account.budget > ledger.applied_index,
        };
        self.spent.retain(|key, _| asked_for(key));
        self.opened.retain(|key, _| asked_for(key));
        self.beyond.retain(|key, _| asked_for(key));
    }

    /// The records that make it, behind a head and before the end.
    pub(super) fn sum(&self, head: &HeadV1) -> Vec<u8> {
        let mut out = bytes(head);
        let mut records = 1_u64;
        let mut put = |record: Vec<u8>| {
            out.extend_from_slice(&record);
            records += 1;
        };
        let lines = |amounts: &BTreeMap<(AccountId, u64), i64>| -> Vec<AmountV1> {
            amounts.iter().map(|(key, amount)| AmountV1::of(*key, *amount)).collect()
        };
        for some in lines(&self.spent).chunks(LINES_PER_RECORD) {
            put(bytes(&SpentV1 { lines: some.to_vec() }));
        }
        for some in lines(&self.opened).chunks(LINES_PER_RECORD) {
            put(bytes(&OpenV1 { lines: some.to_vec() }));
        }
        for some in lines(&self.beyond).chunks(LINES_PER_RECORD) {
            put(bytes(&BeyondV1 { lines: some.to_vec() }));
        }
        // A path that is gone while its hold is still there is written too, and stays: it is rare.
        let held = self.holds.values().map(|hold| (hold.path, &hold.of));
        let paths: BTreeMap<u32, &PathOf> =
            held.chain(self.paths.iter().map(|(path, of)| (*path, of))).collect();
        for (path, of) in paths {
            let (purses, row) = (of.purses.to_vec(), (&*of.row).into());
            put(bytes(&PathV1 { path, purses, row }));
        }
        for (hold, of) in &self.holds {
            let charge = (&of.charge).into();
            put(bytes(&HoldV1 { hold: *hold, path: of.path, day: of.day, charge }));
        }
        for ((batch, key), sums) in &self.used {
            put(bytes(&UsedV1 { batch: *batch, key: key.into(), sums: sums.into() }));
        }
        let end = bytes(&SumEndV1 { records });
        out.extend_from_slice(&end);
        out
    }

    /// Takes in the records of a file behind its head, as far as they can be read; says what stopped it.
    /// Where `gaps` are to be expected, records that name what is not known are passed over.
    pub(super) fn read(&mut self, mut rest: &[u8], gaps: bool) -> Read {
        let mut records = 1;
        while !rest.is_empty() {
            let (frame, behind) = match format::split(rest) {
                Ok(split) => split,
                Err(_torn) => return Read::Torn,
            };
            let record = match Record::read(&frame) {
                Ok(Record::SumEnd(end)) => {
                    let whole = end.records == records && behind.is_empty();
                    return if whole { Read::Sum } else { Read::Torn };
                }
                Ok(record) => record,
                Err(error) => return Read::Odd(error.to_string()),
            };
            match self.add(record) {
                Err(Odd::NoPath(..) | Odd::NoHold(_)) if gaps => {}
                Err(odd) => return Read::Odd(odd.to_string()),
                Ok(()) => {}
            }
            records += 1;
            rest = behind;
        }
        Read::Whole
    }
}

/// How reading a file ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// At its end.
    Whole,
    /// At the end of a sum.
    Sum,
    /// At a record that is not whole.
    Torn,
    /// At one that is, and does not fit.
    Odd(String),
}

fn add(sums: &mut BTreeMap<(AccountId, u64), i64>, key: (AccountId, u64), amount: i64) {
    let sum = sums.entry(key).or_default();
    *sum = sum.saturating_add(amount);
}
