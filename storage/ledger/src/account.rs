//! Accounts: what was granted, reported and returned, for each (budget, window) and period.
//!
//! See `LEDGER.md` section 1 for the letters: pool `F = L - S - sum(R) - sum(O) - Z`, outstanding
//! `O = G - R - X`.

use crate::{NodeId, UnixMillis};
use rpds::RedBlackTreeMapSync;

/// One window of one budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId {
    /// [`crate::Budget::handle`].
    pub budget: u64,
    /// Index into [`crate::Budget::windows`].
    pub window: u8,
}

/// Cumulative counters of one incarnation of one node on one (account, period). They never fall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lane {
    /// `G`: granted.
    pub granted: i64,
    /// `R`: reported as spent.
    pub reported: i64,
    /// `X`: given back.
    pub returned: i64,
}

/// The books of one period of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// Opened at.
    pub starts_at: UnixMillis,
    /// Ends at; `None` for a window that never starts anew.
    pub ends_at: Option<UnixMillis>,
    /// `S`: spend of incarnations that are settled and gone.
    pub closed_spend: i64,
    /// Lanes of incarnations that may still report, by (node, incarnation). Those that are not their
    /// node's present incarnation are in suspense: their outstanding part is the account's `Z`.
    pub lanes: RedBlackTreeMapSync<(NodeId, u64), Lane>,
    /// Billed beyond the holds.
    pub debt: i64,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Number of the period that admits.
    pub period: u64,
    /// Limit `L` of the present period.
    pub limit: i64,
    /// Books of the present period and of past ones that are not closed, by number.
    pub periods: RedBlackTreeMapSync<u64, Period>,
}
