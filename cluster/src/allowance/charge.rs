//! What a request charges, and why a charge was not held.

use ledger::{AccountId, Unit, UnixMillis, UsageSums};

/// The largest amount one charge may have in any unit: 10^14, or 100,000 dollars. Larger ones never fit.
///
/// It bounds sums: 90,000 waiting charges stay below `i64::MAX`.
pub const CHARGE_MAX: i64 = 100_000_000_000_000;

/// What one attempt costs, at worst or in the end. Each purse of its path picks its own unit.
/// Negative amounts count as zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charge {
    /// Nano-USD.
    pub nano_usd: i64,
    /// Input and output tokens.
    pub tokens: i64,
    /// Requests that reach a provider: 1, or 0 for one that did not.
    pub requests: i64,
}

impl Charge {
    /// Nothing.
    pub const ZERO: Charge = Charge { nano_usd: 0, tokens: 0, requests: 0 };

    /// The amount in one unit, never negative.
    #[must_use]
    pub fn of(&self, unit: Unit) -> i64 {
        let amount = match unit {
            Unit::NanoUsd => self.nano_usd,
            Unit::Tokens => self.tokens,
            Unit::Requests => self.requests,
        };
        amount.max(0)
    }

    /// The usage of an attempt of which nothing is known but that this was charged for it.
    #[must_use]
    pub fn as_usage(&self) -> UsageSums {
        UsageSums {
            requests: u64::try_from(self.requests).unwrap_or(0),
            cost_nano_usd: self.nano_usd.max(0),
            ..UsageSums::default()
        }
    }
}

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
