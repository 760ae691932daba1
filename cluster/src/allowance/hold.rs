//! Money set aside for one attempt, and how it ends.

use super::usage::day_of;
use super::{Charge, Path, Why};
use ledger::{UnixMillis, UsageSums};
use std::sync::Arc;

/// A charge set aside on every account of a path. Ends exactly once: settled or voided.
///
/// Dropped without either, it is charged in full and counted: whoever holds it has a bug, and the
/// provider may have been asked.
#[must_use = "a hold that is dropped is charged in full"]
pub struct Hold {
    path: Arc<Path>,
    charge: Charge,
    /// Its usage counts on the day it began.
    day: u32,
    /// What was not covered per purse, where a soft one was short.
    uncovered: Option<Box<[i64]>>,
    open: bool,
}

/// Which purse was short, and why.
#[derive(Clone, Copy)]
pub(super) struct Miss {
    pub(super) at: usize,
    pub(super) why: Why,
}

impl std::fmt::Debug for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hold({:?} on {} accounts)", self.charge, self.path.purses().len())
    }
}

impl Hold {
    /// All or nothing, in the order of the path.
    pub(super) fn take(path: &Arc<Path>, charge: &Charge, now: UnixMillis) -> Result<Hold, Miss> {
        let mut hold = Hold {
            path: Arc::clone(path),
            charge: *charge,
            day: day_of(now),
            uncovered: None,
            open: true,
        };
        for (at, purse) in path.purses().iter().enumerate() {
            let asked = purse.amount(charge);
            match purse.take(asked, now) {
                Ok(covered) if covered == asked => {}
                Ok(covered) => {
                    let none = || vec![0; path.purses().len()].into_boxed_slice();
                    hold.uncovered.get_or_insert_with(none)[at] = asked - covered;
                }
                Err(why) => {
                    hold.undo(at);
                    return Err(Miss { at, why });
                }
            }
        }
        Ok(hold)
    }

    /// What was set aside, or in soft mode should have been.
    #[must_use]
    pub fn charge(&self) -> Charge {
        self.charge
    }

    /// Ends the hold: `actual` is charged, whatever it is, and the rest is free again. `usage` is added
    /// to the path's row; in money it costs what `actual` says.
    ///
    /// Returns the batch the usage will be reported in, or zero where there is none: see
    /// [`super::Allowances::batch_index`].
    pub fn settle(mut self, actual: &Charge, usage: &UsageSums) -> u64 {
        self.end(actual, usage)
    }

    /// Ends the hold of an attempt that cost nothing and counts nowhere.
    pub fn void(mut self) {
        self.end(&Charge::ZERO, &UsageSums::default());
    }

    fn undo(&mut self, taken: usize) {
        self.open = false;
        for at in (0..taken).rev() {
            self.path.purses()[at].put_back(self.covered(at));
        }
    }

    fn end(&mut self, actual: &Charge, usage: &UsageSums) -> u64 {
        self.open = false;
        let batch = self.count(usage);
        for (at, purse) in self.path.purses().iter().enumerate() {
            let asked = purse.amount(&self.charge);
            let spent = purse.amount(actual);
            purse.settle(self.covered(at), spent);
            if spent > asked {
                purse.note_exceeded();
                let account = purse.account();
                tracing::warn!(%account, asked, spent, "an attempt cost more than its hold");
            }
        }
        batch
    }

    /// Counts the usage before the money is free: whatever report has the money has the usage, or a
    /// later one has it.
    fn count(&self, usage: &UsageSums) -> u64 {
        if *usage == UsageSums::default() {
            return 0;
        }
        self.path.desk.usage.add(&self.path.row, (self.day, usage), |_batch| {})
    }

    fn covered(&self, at: usize) -> i64 {
        let uncovered = self.uncovered.as_ref().map_or(0, |uncovered| uncovered[at]);
        self.path.amount(at, &self.charge) - uncovered
    }

    /// The usage of a hold of which nothing else is known than that it was charged in full.
    fn whole(&self) -> UsageSums {
        let Charge { nano_usd, requests, .. } = self.charge;
        UsageSums {
            requests: u64::try_from(requests).unwrap_or(0),
            cost_nano_usd: nano_usd.max(0),
            ..UsageSums::default()
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if self.open {
            self.path.desk.note_dropped();
            let (charge, whole) = (self.charge, self.whole());
            self.end(&charge, &whole);
        }
    }
}
