//! Money: an integer number of billionths of a US dollar.

use std::fmt;

/// An amount of money in nano-USD (10^-9 dollars), signed.
///
/// `i64` holds ±9.2 billion dollars, past any budget: limits are refused above
/// [`NanoUsd::LIMIT_MAX`], so that sums over accounts cannot overflow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NanoUsd(pub i64);

impl NanoUsd {
    /// Nothing.
    pub const ZERO: NanoUsd = NanoUsd(0);
    /// The largest limit a budget may have: a billion dollars.
    pub const LIMIT_MAX: NanoUsd = NanoUsd(1_000_000_000_000_000_000);
    /// Nano-USD in one dollar.
    pub const PER_USD: i64 = 1_000_000_000;
}

impl fmt::Display for NanoUsd {
    /// Dollars with nine decimals, trailing zeros dropped but two kept: `$1.00`, `$0.000001234`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        let per_usd = Self::PER_USD.unsigned_abs();
        let fraction = format!("{:09}", nanos % per_usd);
        let kept = fraction.trim_end_matches('0').len().max(2);
        write!(f, "{sign}${}.{}", nanos / per_usd, &fraction[..kept])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_shown_in_dollars_without_rounding() {
        assert_eq!(NanoUsd(1_000_000_000).to_string(), "$1.00");
        assert_eq!(NanoUsd(1_234).to_string(), "$0.000001234");
        assert_eq!(NanoUsd(-2_500_000_000).to_string(), "-$2.50");
    }
}
