//! What one attempt costs, in every unit at once.

use crate::{Unit, UsageSums};

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
