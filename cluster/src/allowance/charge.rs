//! Why a charge was not held.

use ledger::{AccountId, UnixMillis};

pub use ledger::{CHARGE_MAX, Charge};

/// Why a charge was not held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It does not fit now; requests in flight, here or on other nodes, may free enough when they end.
    InFlight,
    /// What is left does not suffice until the period ends or the limit is raised.
    Spent,
    /// It is more than the whole limit.
    NeverFits,
    /// More may be there, but the cluster did not answer in time.
    NoQuorum,
    /// The period is over: the caller's terms are old and must be made anew.
    PeriodOver,
    /// The money is there, and this node cannot write down what it spends: its journal failed.
    NoJournal,
}

/// The account on which a charge failed, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Short {
    /// The account.
    pub account: AccountId,
    /// Why.
    pub why: Why,
    /// The account's limit, in its unit.
    pub limit: i64,
    /// What was asked for, in its unit.
    pub asked: i64,
    /// What this node knows to be left: the pool as last applied and its own allowance.
    pub remaining: i64,
    /// End of the period; `None` for a budget that never starts anew.
    pub resets_at: Option<UnixMillis>,
}
