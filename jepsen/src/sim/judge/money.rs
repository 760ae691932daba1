//! The provider's own books against the limits, and every node's settlements against the ledger.
//!
//! Hard budgets: per account and period, what was billed and what may yet be billed is within the
//! highest limit the period ever had, and what providers billed beyond the holds on top.

use crate::sim::life::lock;
use cluster::allowance::{Charge, PurseBooks};
use ledger::{AccountId, Ledger, NodeId, UnixMillis};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Most a period may open before its time, in milliseconds: half a second between the leader's clock and
/// the median, the skew of a good clock, and the way of a question.
const EARLY_MAX_MS: u64 = 2_000;

/// Where one charge is booked: the account, its period, and the unit it counts there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) account: AccountId,
    pub(crate) period: u64,
    pub(crate) unit: ledger::Unit,
}

/// What became of the money of one life of one node in one account and period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Settled by the node.
    pub(crate) settled: i64,
    /// Billed by the provider.
    pub(crate) billed: i64,
    /// At the provider, and what it may bill.
    pub(crate) in_flight: i64,
    /// Billed beyond the holds.
    pub(crate) beyond: i64,
}

#[derive(Default)]
struct Book {
    limit: i64,
    sum: Tally,
    lives: BTreeMap<(NodeId, u64), Tally>,
}

type Key = (AccountId, u64);

/// All of it.
#[derive(Default)]
pub(crate) struct MoneyBook(Mutex<BTreeMap<Key, Book>>);

impl MoneyBook {
    /// Takes over the limits of a ledger that was come to first.
    pub(super) fn follow(&self, before: &Ledger, after: &Ledger) {
        if before.config_index == after.config_index {
            return;
        }
        let mut books = lock(&self.0);
        for (id, account) in &after.accounts {
            for (number, period) in &account.periods {
                let book = books.entry((*id, *number)).or_default();
                book.limit = book.limit.max(period.limit);
            }
        }
    }

    /// The provider was asked, and may bill `worst`.
    pub(crate) fn sent(
        &self,
        life: (NodeId, u64),
        path: &[Place],
        worst: &Charge,
    ) -> Result<(), String> {
        self.change(life, path, |tally, unit| tally.in_flight += worst.of(unit))
    }

    /// The provider billed, and will bill no more.
    pub(crate) fn billed(
        &self,
        life: (NodeId, u64),
        path: &[Place],
        (worst, bill): (&Charge, &Charge),
    ) -> Result<(), String> {
        self.change(life, path, |tally, unit| {
            tally.in_flight -= worst.of(unit);
            tally.billed += bill.of(unit);
            tally.beyond += (bill.of(unit) - worst.of(unit)).max(0);
        })
    }

    /// The node settled.
    pub(crate) fn settled(&self, life: (NodeId, u64), path: &[Place], charge: &Charge) {
        // Settling moves nothing that the limits are about.
        let _ = self.change(life, path, |tally, unit| tally.settled += charge.of(unit));
    }

    fn change(
        &self,
        life: (NodeId, u64),
        path: &[Place],
        change: impl Fn(&mut Tally, ledger::Unit),
    ) -> Result<(), String> {
        let mut books = lock(&self.0);
        for place in path {
            let book = books.entry((place.account, place.period)).or_default();
            change(&mut book.sum, place.unit);
            change(book.lives.entry(life).or_default(), place.unit);
            let Tally { billed, in_flight, beyond, .. } = book.sum;
            if billed + in_flight > book.limit + beyond {
                return Err(format!(
                    "{} period {}: {billed} billed and {in_flight} in flight of {}, {beyond} of it beyond holds",
                    place.account, place.period, book.limit
                ));
            }
        }
        Ok(())
    }

    /// The money of all lives.
    pub(crate) fn sum(&self, account: AccountId, period: u64) -> Tally {
        lock(&self.0).get(&(account, period)).map(|book| book.sum).unwrap_or_default()
    }

    /// The money of one life.
    pub(crate) fn tally(&self, account: AccountId, period: u64, life: (NodeId, u64)) -> Tally {
        let books = lock(&self.0);
        let book = books.get(&(account, period));
        book.and_then(|book| book.lives.get(&life)).copied().unwrap_or_default()
    }

    /// Billed in all, of all accounts.
    pub(crate) fn billed_in_all(&self) -> i64 {
        lock(&self.0).values().map(|book| book.sum.billed).sum()
    }
}

/// No node holds more than it was granted.
pub(crate) fn within_grant(
    books: &PurseBooks,
    life: (NodeId, u64),
    ledger: &Arc<Ledger>,
) -> Result<(), String> {
    let account = ledger.accounts.get(&books.account);
    let period = account.and_then(|account| account.periods.get(&books.period));
    let Some(lane) = period.and_then(|period| period.lanes.get(&life)) else {
        return Ok(());
    };
    let kept = books.available + books.held + books.settled + books.returned - books.owed;
    if books.available < 0 || books.held < 0 || kept > lane.granted {
        return Err(format!("{books:?} of a lane of {lane:?}"));
    }
    Ok(())
}

/// No period opens before its time.
pub(super) fn in_time(now: UnixMillis, before: &Ledger, after: &Ledger) -> Result<(), String> {
    if before.config_index == after.config_index {
        return Ok(());
    }
    for (id, account) in &after.accounts {
        let opened = before.accounts.get(id).is_some_and(|old| old.period < account.period);
        let starts_at = account.present().map(|present| present.starts_at).unwrap_or_default();
        if opened && starts_at.0 > now.0 + EARLY_MAX_MS {
            let early_ms = starts_at.0 - now.0;
            return Err(format!("{id} period {} opened {early_ms} ms early", account.period));
        }
    }
    Ok(())
}
