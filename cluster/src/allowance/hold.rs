//! Money set aside for one attempt, and how it ends.

use super::{Charge, Purse, Why};
use ledger::UnixMillis;
use std::sync::Arc;

/// A charge set aside on every account of a path. Ends exactly once: settled or voided.
///
/// Dropped without either, it is charged in full and counted: whoever holds it has a bug, and the
/// provider may have been asked.
#[must_use = "a hold that is dropped is charged in full"]
pub struct Hold {
    path: Arc<[Arc<Purse>]>,
    charge: Charge,
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
        write!(f, "Hold({:?} on {} accounts)", self.charge, self.path.len())
    }
}

impl Hold {
    /// All or nothing, in the order of the path.
    pub(super) fn take(
        path: &Arc<[Arc<Purse>]>,
        charge: &Charge,
        now: UnixMillis,
    ) -> Result<Hold, Miss> {
        let mut hold =
            Hold { path: Arc::clone(path), charge: *charge, uncovered: None, open: true };
        for (at, purse) in path.iter().enumerate() {
            let asked = purse.amount(charge);
            match purse.take(asked, now) {
                Ok(covered) if covered == asked => {}
                Ok(covered) => {
                    let none = || vec![0; path.len()].into_boxed_slice();
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

    /// Ends the hold: `actual` is charged, whatever it is, and the rest is free again.
    pub fn settle(mut self, actual: Charge) {
        self.end(actual);
    }

    /// Ends the hold of an attempt that cost nothing.
    pub fn void(self) {
        self.settle(Charge::ZERO);
    }

    fn undo(&mut self, taken: usize) {
        self.open = false;
        for at in (0..taken).rev() {
            self.path[at].put_back(self.covered(at));
        }
    }

    fn end(&mut self, actual: Charge) {
        self.open = false;
        for (at, purse) in self.path.iter().enumerate() {
            let asked = purse.amount(&self.charge);
            let spent = purse.amount(&actual);
            purse.settle(self.covered(at), spent);
            if spent > asked {
                purse.note_exceeded();
                let account = purse.account();
                tracing::warn!(%account, asked, spent, "an attempt cost more than its hold");
            }
        }
    }

    fn covered(&self, at: usize) -> i64 {
        let uncovered = self.uncovered.as_ref().map_or(0, |uncovered| uncovered[at]);
        self.path[at].amount(&self.charge) - uncovered
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if self.open {
            if let Some(purse) = self.path.first() {
                purse.note_dropped();
            }
            self.end(self.charge);
        }
    }
}
