//! What operators move by hand, and what journals tell.

use super::{ACCOUNTS, World};
use crate::command::{
    Adopt, AdoptLine, Command, ExpireIncrease, IncreaseBudget, ResetBudget, TransferBudget,
};
use crate::sample::NODES;
use crate::{Outcome, UnixMillis, Word};

/// Increases last until then; no other move takes time.
const UNTIL: UnixMillis = UnixMillis(1);

impl World {
    pub(super) fn increase(&mut self, place: usize, amount: i64) {
        let (account, word) = (ACCOUNTS[place], Word::default());
        let until = UNTIL;
        let increase = IncreaseBudget { account, amount, until, word };
        let (outcome, _) = self.log.propose(Command::IncreaseBudget(increase));
        if outcome == Outcome::Done {
            self.increases[place].push((self.log.ledger.applied_index, amount));
            self.note_limits();
        }
    }

    pub(super) fn expire(&mut self, place: usize) {
        if self.increases[place].is_empty() {
            return;
        }
        let (increase, _) = self.increases[place].remove(0);
        let account = ACCOUNTS[place];
        self.log.now_ms = UNTIL.0;
        self.log.done(Command::ExpireIncrease(ExpireIncrease { account, increase }));
        self.log.now_ms = 0;
    }

    pub(super) fn reset(&mut self, place: usize) {
        let (account, period) = self.present(ACCOUNTS[place]);
        let word = Word::default();
        self.log.done(Command::ResetBudget(ResetBudget { account, period, word }));
        self.note_limits();
    }

    /// What is moved is taken from the bound of one account and added to that of the other.
    pub(super) fn transfer(&mut self, from: usize, amount: i64) {
        let to = 1 - from;
        let (giver, taker, word) = (ACCOUNTS[from], ACCOUNTS[to], Word::default());
        let transfer = TransferBudget { from: giver, to: taker, amount, word };
        let (outcome, _) = self.log.propose(Command::TransferBudget(transfer));
        if outcome != Outcome::Done {
            return;
        }
        for (place, by) in [(from, -amount), (to, amount)] {
            self.moved[place] += by;
            let book = self.present(ACCOUNTS[place]);
            *self.highest.entry(book).or_default() += by;
        }
    }

    pub(super) fn adopt(&mut self, node: usize, again: bool) {
        if again {
            if let Some(told) = self.told.last().cloned() {
                self.log.propose(Command::Adopt(told));
            }
            return;
        }
        let own = self.lives.iter().filter(|life| life.node == node);
        let present = own.map(|life| life.incarnation).max().expect("each node has a life");
        // The oldest that is not told of yet; one in between may have lost its journal.
        let mut past = self.lives.iter_mut().filter(|life| life.node == node && !life.dead);
        let Some(past) = past.find(|life| life.incarnation < present) else {
            return;
        };
        past.dead = true;
        let line = |(&(account, period), pocket): (&super::Book, &super::Pocket)| AdoptLine {
            account,
            period,
            settled_cum: pocket.spent,
        };
        let told = Adopt {
            node: NODES[node],
            incarnation: present,
            past: past.incarnation,
            part: 0,
            last: true,
            lines: past.pockets.iter().map(line).collect(),
            usage: Vec::new(),
        };
        self.log.done(Command::Adopt(told.clone()));
        self.told.push(told);
    }
}
