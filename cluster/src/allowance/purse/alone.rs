//! What a purse lets through beyond what it was granted: where the budget is soft, and while the cluster
//! cannot be asked as the budget's policy says.

use super::{Purse, Why};
use ledger::WithoutQuorum;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// Holds that the journal is told of ahead.
const HOLDS_AHEAD: i64 = 4;

/// What was set aside for one hold on one purse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::allowance) struct Taken {
    /// Out of what was granted.
    pub(in crate::allowance) covered: i64,
    /// Beyond it, where the budget is soft or by its policy for the time without a quorum.
    pub(in crate::allowance) over: i64,
}

impl Purse {
    pub(super) fn set_alone(&self, policy: WithoutQuorum) {
        let most = match policy {
            WithoutQuorum::Strict => 0,
            WithoutQuorum::Degraded(most) => most.max(0),
            WithoutQuorum::Open => i64::MAX,
        };
        self.terms.0.alone.store(most, SeqCst);
    }

    /// Whether anything may be let through without a quorum.
    pub(in crate::allowance) fn may_overspend(&self) -> bool {
        self.terms.0.alone.load(Relaxed) > 0
    }

    /// Whether a charge may be set aside though too little is here: the budget is soft, or the cluster cannot
    /// be asked and the budget's policy allows it.
    pub(super) fn may_go_beyond(&self) -> bool {
        self.is_soft() || self.may_overspend() && self.desk.is_cut()
    }

    /// Sets a charge aside though too little is here, where that may be.
    ///
    /// By a policy for the time without a quorum never more than that says, together with what this life and
    /// those before it let through and no grant has covered since. It is spent beyond what was granted: what the
    /// pool does not cover becomes debt. Where there is a journal it is written there first, some holds ahead.
    pub(super) fn take_beyond(self: &Arc<Self>, asked: i64) -> Result<Taken, Why> {
        if !self.may_go_beyond() {
            return Err(self.why(asked));
        }
        if self.sealed() > 0 {
            // Money there is, only not open yet.
            self.ask_open();
            return Err(Why::InFlight);
        }
        let covered = self.draw(asked);
        let over = asked - covered;
        if let Err(why) = self.go_beyond(over) {
            self.hot.0.available.fetch_add(covered, SeqCst);
            return Err(why.unwrap_or_else(|| self.why(asked)));
        }
        self.books.0.held.fetch_add(covered, SeqCst);
        self.hot.0.last_hold.store(asked, Relaxed);
        self.touch();
        Ok(Taken { covered, over })
    }

    /// Counts so much as let through; the inner `None` of an error: it never may be.
    fn go_beyond(self: &Arc<Self>, over: i64) -> Result<(), Option<Why>> {
        let most = self.most_beyond();
        let within = |before: i64| before.checked_add(over).filter(|after| *after <= most);
        if self.far.overspend.fetch_update(SeqCst, SeqCst, within).is_err() {
            return Err(None);
        }
        // Looked at after it was counted: a level that is lowered meanwhile is seen here, or this there.
        let beyond = self.beyond();
        if self.desk.seals() && beyond > self.far.beyond_open.load(SeqCst) {
            self.far.overspend.fetch_sub(over, SeqCst);
            self.want_beyond(beyond);
            return Err(Some(Why::InFlight));
        }
        Ok(())
    }

    /// So much may be let through at once, in all: without bound where the budget says so, else what its policy
    /// says, less what lives before this one let through.
    fn most_beyond(&self) -> i64 {
        let most = self.terms.0.alone.load(SeqCst);
        if self.is_soft() || most == i64::MAX {
            return i64::MAX;
        }
        most.saturating_sub(self.desk.beyond_before((self.account, self.period)))
    }

    /// Spent and held beyond what was granted: let through, or billed beyond a hold.
    fn beyond(&self) -> i64 {
        let overspend = self.far.overspend.load(SeqCst);
        let billed = self.far.owed.load(SeqCst) - self.far.overspend_owed.load(SeqCst);
        overspend.saturating_add(billed.max(0))
    }

    /// Has the journal take in that so much may be spent beyond.
    fn want_beyond(self: &Arc<Self>, beyond: i64) {
        self.far.beyond_wanted.fetch_max(beyond, SeqCst);
        self.ask_open();
    }

    /// Whether more is to be let through than the journal knows of.
    pub(in crate::allowance) fn wants_beyond(&self) -> bool {
        self.desk.seals() && self.far.beyond_wanted.load(SeqCst) > self.far.beyond_open.load(SeqCst)
    }

    /// The new level up to which may be spent beyond, if it is to be another: some holds more than is wanted,
    /// and none where grants have covered everything.
    pub(super) fn to_open_beyond(&self) -> Option<i64> {
        let open = self.far.beyond_open.load(SeqCst);
        let wanted = self.far.beyond_wanted.swap(0, SeqCst);
        if wanted > open {
            let ahead = self.last_hold().saturating_mul(HOLDS_AHEAD);
            return Some(wanted.saturating_add(ahead).min(self.most_beyond()).max(wanted));
        }
        if open == 0 || self.beyond() > 0 {
            return None;
        }
        // Nobody goes beyond any more without asking; who did just now is seen.
        self.far.beyond_open.store(0, SeqCst);
        Some(self.beyond())
    }

    /// The journal knows that so much may be spent beyond.
    pub(in crate::allowance) fn open_beyond(&self, level: Option<i64>) {
        if let Some(level) = level {
            self.far.beyond_open.store(level, SeqCst);
            self.queue.wake_decided(0, 0);
        }
    }

    /// A hold has ended that was let through in part: so much of that was not used, the rest is owed.
    pub(super) fn end_beyond(self: &Arc<Self>, over: i64, owed: i64) {
        let used = owed.min(over);
        self.far.overspend_owed.fetch_add(used, SeqCst);
        self.far.overspend.fetch_sub(over - used, SeqCst);
        let beyond = self.beyond();
        if self.desk.seals() && beyond > self.far.beyond_open.load(SeqCst) {
            self.want_beyond(beyond);
        }
    }

    /// Something of what was owed was paid. What was billed beyond holds is paid first, and only the rest
    /// covers what was let through; nothing covers what is only held yet.
    pub(super) fn cover_overspend(&self) {
        let let_through = self.far.overspend_owed.load(SeqCst);
        // A settlement adds to what is owed first: read in this order it is never missed here.
        let owed = self.far.owed.load(SeqCst).max(0);
        if let_through <= owed {
            return;
        }
        let cover = self.far.overspend_owed.compare_exchange(let_through, owed, SeqCst, SeqCst);
        if cover.is_ok() {
            self.far.overspend.fetch_sub(let_through - owed, SeqCst);
        }
    }
}
