//! Money set aside for one attempt, and how it ends.

use super::journal::Unwritten;
use super::purse::Taken;
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
    /// What was set aside per purse, where it is not the whole charge.
    parts: Option<Box<[Taken]>>,
    /// Its number in the journal; zero: it is in none.
    written: u64,
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
            parts: None,
            written: 0,
            open: true,
        };
        for (at, purse) in path.purses().iter().enumerate() {
            let asked = purse.amount(charge);
            match purse.take(asked, now) {
                Ok(taken) if taken.covered == asked => {}
                Ok(taken) => {
                    let parts = hold.parts.take().unwrap_or_else(|| hold.whole());
                    hold.parts.insert(parts)[at] = taken;
                }
                Err(why) => {
                    hold.undo(at);
                    return Err(Miss { at, why });
                }
            }
        }
        hold.write_down()?;
        Ok(hold)
    }

    /// From here on a crash costs no more than this hold.
    fn write_down(&mut self) -> Result<(), Miss> {
        let Some(journal) = self.path.desk.journal() else {
            return Ok(());
        };
        match journal.hold(&self.path, &self.charge, self.day) {
            Ok(number) => self.written = number,
            // Usage alone is not worth a refusal.
            Err(Unwritten) if self.path.purses().is_empty() => {}
            Err(Unwritten) => {
                self.path.desk.open_bell.notify_one();
                self.undo(self.path.purses().len());
                return Err(Miss { at: 0, why: Why::NoJournal });
            }
        }
        Ok(())
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
            self.path.purses()[at].put_back(self.taken(at));
        }
    }

    fn end(&mut self, actual: &Charge, usage: &UsageSums) -> u64 {
        self.open = false;
        let batch = self.count(actual, usage);
        for (at, purse) in self.path.purses().iter().enumerate() {
            let asked = purse.amount(&self.charge);
            let spent = purse.amount(actual);
            purse.settle(self.taken(at), spent);
            if spent > asked {
                purse.note_exceeded();
                let account = purse.account();
                tracing::warn!(%account, asked, spent, "an attempt cost more than its hold");
            }
        }
        batch
    }

    /// Counts the usage and writes the end down, both before any report can have the money or the usage.
    fn count(&self, actual: &Charge, usage: &UsageSums) -> u64 {
        let desk = &self.path.desk;
        let write_down = |batch: u64| {
            if let Some(journal) = desk.journal().filter(|_| self.written != 0) {
                journal.settle(self.written, batch, actual, usage);
            }
        };
        if *usage == UsageSums::default() {
            write_down(0);
            return 0;
        }
        desk.usage.add(&self.path.row, (self.day, usage), write_down)
    }

    fn taken(&self, at: usize) -> Taken {
        let whole = || Taken { covered: self.path.amount(at, &self.charge), over: 0 };
        self.parts.as_ref().map_or_else(whole, |parts| parts[at])
    }

    fn whole(&self) -> Box<[Taken]> {
        (0..self.path.purses().len()).map(|at| self.taken(at)).collect()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if self.open {
            self.path.desk.note_dropped();
            let charge = self.charge;
            self.end(&charge, &charge.as_usage());
        }
    }
}
