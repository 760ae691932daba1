//! Accounts: one window of one budget, through its periods.

use crate::budget::ROLLING_PARTS;
use crate::{Budget, BudgetWindow, Period, Unit, UnixMillis, Window};
use rpds::RedBlackTreeMapSync;
use std::fmt;

/// Most increases of one account that last at once.
pub(crate) const INCREASES_MAX: usize = 64;

/// One window of one budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId {
    /// [`crate::Budget::handle`], or [`crate::Instance::handle`].
    pub budget: u64,
    /// Index into [`crate::Budget::windows`].
    pub window: u8,
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.budget, self.window)
    }
}

/// More than the limit for a while, by an operator's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Increase {
    /// Log index of its entry.
    pub id: u64,
    /// So much more, in the account's unit.
    pub amount: i64,
    /// Taken back by an entry of the log after this moment.
    pub until: UnixMillis,
}

/// An account: one window of one budget, through its periods.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Account {
    /// Name of its budget.
    pub budget: String,
    /// Whom it is for, of a budget that is not shared by all; else empty.
    pub subject: String,
    /// When it starts anew.
    pub window: Window,
    /// Start of fixed and rolling windows.
    pub created_at: UnixMillis,
    /// The budget's limit for this window, without increases and what was moved.
    pub base_limit: i64,
    /// Increases that have not been taken back.
    pub increases: Vec<Increase>,
    /// First period that counts in a rolling window: the one after the last reset.
    pub ring_from: u64,
    /// What it counts: the budget's unit.
    pub unit: Unit,
    /// Number of the period that admits, from 1.
    pub period: u64,
    /// Set when its budget was deleted: nothing is granted any more, late reports are still booked.
    pub deleted_at: Option<UnixMillis>,
    /// Spend of all closed periods, what was outstanding at their close included.
    pub closed_spend: i64,
    /// Books of the present period and of past ones that are not closed, by number.
    pub periods: RedBlackTreeMapSync<u64, Period>,
}

impl Account {
    /// The first books of an account.
    pub(crate) fn open(budget: &Budget, subject: &str, window: &BudgetWindow) -> Account {
        Account {
            budget: budget.name.clone(),
            subject: subject.to_owned(),
            window: window.window,
            created_at: UnixMillis::default(),
            base_limit: window.limit,
            increases: Vec::new(),
            ring_from: 1,
            unit: budget.unit,
            period: 0,
            deleted_at: None,
            closed_spend: 0,
            periods: RedBlackTreeMapSync::new_sync(),
        }
    }

    /// Books of the period that admits.
    pub fn present(&self) -> Option<&Period> {
        self.periods.get(&self.period)
    }

    /// Periods that count against the limit: the present one, and where the window rolls those before
    /// it whose end is less than the window's length before the present one's start.
    pub fn counting(&self) -> impl Iterator<Item = (u64, &Period)> {
        let rolls = matches!(self.window, Window::Rolling(_));
        let first = if rolls { self.ring_from.min(self.period) } else { self.period };
        let over_at = self.over_at();
        let candidates = self.periods.range(first..=self.period);
        candidates
            .filter(move |(_, period)| period.ends_at.is_none_or(|end| Some(end) > over_at))
            .map(|(&number, period)| (number, period))
    }

    /// Whether a period counts against the limit.
    pub fn counts(&self, number: u64) -> bool {
        self.counting().any(|(counting, _)| counting == number)
    }

    /// Where the window rolls: periods that ended at or before this moment do not count any more.
    fn over_at(&self) -> Option<UnixMillis> {
        let Window::Rolling(ms) = self.window else {
            return None;
        };
        let reach_ms = ms.div_ceil(ROLLING_PARTS).max(1).saturating_mul(ROLLING_PARTS);
        let present = self.present()?;
        Some(UnixMillis(present.starts_at.0.checked_sub(reach_ms)?))
    }

    /// `L`: the limit of the present period; zero where there is none.
    pub fn limit(&self) -> i64 {
        self.present().map_or(0, |present| present.limit)
    }

    /// Spent, or out where it may be spent, over all periods that count.
    pub fn committed(&self) -> i64 {
        self.sum(Period::committed)
    }

    /// What is known to be spent, over all periods that count.
    pub fn spent(&self) -> i64 {
        self.sum(Period::spent)
    }

    /// `F`: what may still be granted. Negative only after the limit was lowered.
    pub fn pool(&self) -> i64 {
        self.limit().saturating_sub(self.committed())
    }

    /// The pool is below 2 % of the limit: only exact needs should be asked for.
    pub fn is_low(&self) -> bool {
        let pool = self.pool();
        pool <= 0 || pool < self.limit() / 50
    }

    /// A sum over the periods that count.
    pub(crate) fn sum(&self, of: impl Fn(&Period) -> i64) -> i64 {
        self.counting().map(|(_, period)| of(period)).fold(0, i64::saturating_add)
    }

    /// What is added to the limit for a while.
    pub fn increased(&self) -> i64 {
        let amounts = self.increases.iter().map(|increase| increase.amount);
        amounts.fold(0, i64::saturating_add)
    }

    /// Moved here from other accounts, less what was moved away, over all periods that count.
    pub fn moved(&self) -> i64 {
        self.sum(|period| period.moved)
    }

    /// The limit as it follows from its parts, never below zero: the base may have been lowered below
    /// what was moved away.
    pub fn limit_of_parts(&self) -> i64 {
        let raised = self.base_limit.saturating_add(self.increased());
        raised.saturating_add(self.moved()).max(0)
    }

    /// Sets the present limit anew from its parts. What is already out stays out.
    pub(crate) fn set_limit(&mut self) {
        let (limit, committed) = (self.limit_of_parts(), self.committed());
        if let Some(present) = self.periods.get_mut(&self.period) {
            present.limit = limit;
            present.ceiling = limit.max(committed);
        }
    }

    /// Opens the period after the present one.
    pub(crate) fn open_next(&mut self, starts_at: UnixMillis, ends_at: Option<UnixMillis>) {
        // Thresholds reached stay told where the window rolls: what was spent goes on counting.
        let fired = match self.window {
            Window::Rolling(_) => self.present().map_or(0, |present| present.fired),
            Window::Never
            | Window::Fixed(_)
            | Window::Hour
            | Window::Day
            | Window::Week
            | Window::Month
            | Window::Quarter
            | Window::Year => 0,
        };
        // One period a second for ages.
        self.period = self.period.saturating_add(1);
        let next = Period { starts_at, ends_at, fired, ..Period::default() };
        self.periods.insert_mut(self.period, next);
        self.set_limit();
    }

    /// Whether this period grants: the present one of an account that was not closed.
    pub fn grants_in(&self, period: u64) -> bool {
        self.deleted_at.is_none() && self.period == period
    }

    /// Whether any lane of any period has something outstanding.
    pub fn has_outstanding(&self) -> bool {
        self.periods
            .values()
            .any(|period| period.granted != period.reported.saturating_add(period.returned))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Lane, NodeId};

    const PART_MS: u64 = 1_000;

    /// A rolling window of a day of 24 seconds with a limit of 100.
    fn rolling() -> Account {
        let window = BudgetWindow { window: Window::Rolling(24 * PART_MS), limit: 100 };
        let mut account = Account::open(&Budget::default(), "", &window);
        account.open_next(UnixMillis(0), Some(UnixMillis(PART_MS)));
        account
    }

    fn roll_to(account: &mut Account, part: u64) {
        let (starts, ends) = (part * PART_MS, (part + 1) * PART_MS);
        account.open_next(UnixMillis(starts), Some(UnixMillis(ends)));
    }

    fn spend(account: &mut Account, granted: i64, reported: i64) {
        let number = account.period;
        let present = account.periods.get_mut(&number).unwrap();
        let lane = Lane { granted, reported, ..Lane::default() };
        present.put_lane(NodeId(1), 1, lane);
    }

    #[test]
    fn what_rolls_counts_for_a_whole_window_and_then_no_more() {
        let mut account = rolling();
        spend(&mut account, 60, 40);
        for part in 1..=24 {
            roll_to(&mut account, part);
            assert_eq!((account.pool(), account.spent()), (40, 40), "part {part}");
        }
        assert!(account.counts(1));
        roll_to(&mut account, 25);
        assert_eq!((account.pool(), account.spent()), (100, 0));
        assert!(!account.counts(1));
    }

    #[test]
    fn parts_nobody_was_there_for_pass_all_the_same() {
        let mut account = rolling();
        spend(&mut account, 60, 60);
        roll_to(&mut account, 24);
        assert_eq!(account.pool(), 40);
        roll_to(&mut account, 40);
        assert_eq!((account.period, account.pool()), (3, 100));
    }

    #[test]
    fn a_late_return_of_a_part_that_counts_fills_the_pool() {
        let mut account = rolling();
        spend(&mut account, 60, 40);
        roll_to(&mut account, 1);
        let lane = Lane { granted: 60, reported: 40, returned: 20, ..Lane::default() };
        account.periods.get_mut(&1).unwrap().put_lane(NodeId(1), 1, lane);
        assert_eq!(account.pool(), 60);
    }

    #[test]
    fn a_reset_begins_the_ring_anew() {
        let mut account = rolling();
        spend(&mut account, 60, 60);
        roll_to(&mut account, 1);
        account.ring_from = 2;
        assert_eq!(account.pool(), 100);
    }

    #[test]
    fn a_limit_is_the_sum_of_its_parts_and_never_below_zero() {
        let mut account = rolling();
        account.increases.push(Increase { id: 1, amount: 30, until: UnixMillis(9) });
        account.periods.get_mut(&1).unwrap().moved = -50;
        account.set_limit();
        assert_eq!(account.limit(), 80);
        account.base_limit = 10;
        account.set_limit();
        assert_eq!((account.limit(), account.limit_of_parts()), (0, 0));
        roll_to(&mut account, 25);
        assert_eq!(account.limit(), 40);
    }

    #[test]
    fn lowering_a_limit_below_what_is_out_makes_the_pool_negative() {
        let mut account = rolling();
        spend(&mut account, 60, 0);
        account.base_limit = 50;
        account.set_limit();
        let ceiling = account.present().unwrap().ceiling;
        assert_eq!((account.pool(), ceiling), (-10, 60));
    }
}
