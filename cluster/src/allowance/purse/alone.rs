//! What a purse lets through while the cluster cannot be asked, as its budget's policy says.

use super::Purse;
use ledger::WithoutQuorum;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// What was set aside for one hold on one purse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::allowance) struct Taken {
    /// Out of what was granted.
    pub(in crate::allowance) covered: i64,
    /// Beyond it, by the policy for the time without a quorum.
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

    /// Sets a charge aside though too little is here, where the cluster cannot be asked and the budget's
    /// policy allows it.
    ///
    /// Together with what was let through before and no grant has covered since, never more than the
    /// policy says. It is spent beyond what was granted: what the pool does not cover becomes debt.
    pub(super) fn take_alone(self: &Arc<Self>, asked: i64) -> Option<Taken> {
        if !self.may_overspend() || !self.desk.is_cut() {
            return None;
        }
        if self.sealed() > 0 {
            // Money there is, only not open yet.
            self.ask_open();
            return None;
        }
        let most = self.terms.0.alone.load(SeqCst);
        let covered = self.draw(asked);
        let over = asked - covered;
        let within = |before: i64| before.checked_add(over).filter(|after| *after <= most);
        if self.far.overspend.fetch_update(SeqCst, SeqCst, within).is_err() {
            self.hot.0.available.fetch_add(covered, SeqCst);
            return None;
        }
        self.books.0.held.fetch_add(covered, SeqCst);
        self.hot.0.last_hold.store(asked, Relaxed);
        self.touch();
        Some(Taken { covered, over })
    }

    /// A grant has paid so much of what was owed.
    pub(super) fn cover_overspend(&self, paid: i64) {
        let covered = |overspend: i64| (overspend > 0).then_some((overspend - paid).max(0));
        // Where nothing was overspent there is nothing to cover.
        let _ = self.far.overspend.fetch_update(SeqCst, SeqCst, covered);
    }
}
