//! Periods: what was granted, reported and returned, for each (budget, window) and period of time.
//!
//! Per period: limit `L`, closed spend `S`, and per lane the cumulative counters granted `G`, reported
//! `R` and returned `X`. A lane's outstanding part is `O = G - R - X`; of a lane whose node lives a later
//! life it is called suspense, `Z`. The pool, what may still be granted, is what is left:
//! `F = L - S - sum(R) - sum(O) - sum(Z)`, which is `L - S - sum(G) + sum(X)` and so needs no scan.
//!
//! Every counter is at most a limit, and limits are at most 10^18: sums of a few fit an `i64`.

#[cfg(doc)]
use crate::Account;
use crate::{NanoUsd, NodeId, UnixMillis};
use rpds::RedBlackTreeMapSync;

/// Cumulative counters of one incarnation of one node on one (account, period). They never fall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lane {
    /// `G`: granted.
    pub granted: i64,
    /// `R`: reported as spent, at most `G - X`.
    pub reported: i64,
    /// `X`: given back by the node, or written off by an operator.
    pub returned: i64,
    /// Billed beyond the holds, or reported beyond what was granted.
    pub debt: i64,
    /// The part of `returned` that an operator wrote off: the node may have spent it all the same.
    pub written_off: i64,
}

impl Lane {
    /// `O = G - R - X`: what the node may have spent, or may yet spend, and has not told.
    pub fn outstanding(&self) -> i64 {
        self.granted.saturating_sub(self.reported).saturating_sub(self.returned)
    }

    /// The lane with so much spent in all, of which what was known is a part. Less changes nothing.
    ///
    /// Spend beyond what was granted is an error of the node's or the provider's, and true all the same: it
    /// is granted after the fact as far as the pool goes, and the rest is debt.
    pub(crate) fn spend(self, settled_cum: i64, pool: i64) -> Lane {
        let mut next = self;
        let free = self.granted.saturating_sub(self.returned);
        let excess = settled_cum.saturating_sub(free).max(0);
        let covered = excess.min(pool);
        next.granted = self.granted.saturating_add(covered);
        next.reported = self.reported.max(settled_cum.min(free.saturating_add(covered)));
        let debt = excess.saturating_sub(covered).min(NanoUsd::LIMIT_MAX.0);
        next.debt = self.debt.max(debt);
        next
    }
}

/// The books of one period of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Period {
    /// Opened at.
    pub starts_at: UnixMillis,
    /// Ends at; `None` for a window that never starts anew.
    pub ends_at: Option<UnixMillis>,
    /// `L`: the limit: [`Account::limit_of_parts`]; a past period keeps its last one.
    pub limit: i64,
    /// The limit, or what was already spent and out when it was lowered below that. Spend, outstanding
    /// and suspense together, over all periods that count, never pass it.
    pub ceiling: i64,
    /// `S`: spend of lanes that are settled and gone.
    pub closed_spend: i64,
    /// Lanes by (node, incarnation). Those of another than their node's present incarnation are in
    /// suspense: they may not report any more.
    pub lanes: RedBlackTreeMapSync<(NodeId, u64), Lane>,
    /// Sum of `granted` over the lanes.
    pub granted: i64,
    /// Sum of `reported` over the lanes.
    pub reported: i64,
    /// Sum of `returned` over the lanes.
    pub returned: i64,
    /// Debts of all lanes, those that are gone included. Spend may pass the limit by this much.
    pub debt: i64,
    /// What operators wrote off, of lanes that are gone too. Spend may pass the limit by this much.
    pub written_off: i64,
    /// Moved here from other budgets, less what was moved away; part of `limit`.
    pub moved: i64,
    /// Bit `i`: the budget's threshold `i` was reached in this period, and told.
    pub fired: u8,
}

impl Period {
    /// `S + sum(R) + sum(O) + sum(Z)`: spent, or out where it may be spent.
    pub fn committed(&self) -> i64 {
        self.closed_spend.saturating_add(self.granted).saturating_sub(self.returned)
    }

    /// `S + sum(R)`: what is known to be spent.
    pub fn spent(&self) -> i64 {
        self.closed_spend.saturating_add(self.reported)
    }

    /// What may still be granted by these books alone. Where the window rolls, others count as well:
    /// [`Account::pool`] is the whole.
    pub fn pool(&self) -> i64 {
        self.limit.saturating_sub(self.committed())
    }

    /// Counters of a lane; all zero where there is none.
    pub fn lane(&self, node: NodeId, incarnation: u64) -> Lane {
        let lane = self.lanes.get(&(node, incarnation));
        lane.copied().unwrap_or_default()
    }

    /// Writes a lane and keeps the sums in step. A lane without any counter is not kept.
    pub(crate) fn put_lane(&mut self, node: NodeId, incarnation: u64, lane: Lane) {
        let old = self.lane(node, incarnation);
        if old == lane {
            return;
        }
        self.lanes.insert_mut((node, incarnation), lane);
        self.granted = moved(self.granted, old.granted, lane.granted);
        self.reported = moved(self.reported, old.reported, lane.reported);
        self.returned = moved(self.returned, old.returned, lane.returned);
        self.debt = moved(self.debt, old.debt, lane.debt);
        self.written_off = moved(self.written_off, old.written_off, lane.written_off);
    }

    /// Turns a lane with nothing outstanding into closed spend. One that has something out stays.
    pub(crate) fn fold_lane(&mut self, node: NodeId, incarnation: u64) {
        let lane = self.lane(node, incarnation);
        if lane.outstanding() != 0 || !self.lanes.remove_mut(&(node, incarnation)) {
            return;
        }
        self.closed_spend = self.closed_spend.saturating_add(lane.reported);
        self.granted = moved(self.granted, lane.granted, 0);
        self.reported = moved(self.reported, lane.reported, 0);
        self.returned = moved(self.returned, lane.returned, 0);
    }
}

/// A sum after one of its terms moved from `old` to `new`.
fn moved(sum: i64, old: i64, new: i64) -> i64 {
    sum.saturating_add(new.saturating_sub(old))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId(7);

    #[test]
    fn folding_a_settled_lane_moves_its_spend_and_leaves_the_pool() {
        let mut period = Period::default();
        let lane = Lane { granted: 60, reported: 40, returned: 20, debt: 3, written_off: 0 };
        period.put_lane(NODE, 1, lane);
        assert_eq!((period.committed(), period.spent()), (40, 40));
        period.fold_lane(NODE, 1);
        assert_eq!((period.committed(), period.spent(), period.debt), (40, 40, 3));
        assert!(period.lanes.is_empty());
    }

    #[test]
    fn a_lane_with_something_outstanding_is_never_folded() {
        let mut period = Period::default();
        let lane = Lane { granted: 60, reported: 40, ..Lane::default() };
        period.put_lane(NODE, 1, lane);
        period.fold_lane(NODE, 1);
        assert_eq!(period.lane(NODE, 1), lane);
    }
}
