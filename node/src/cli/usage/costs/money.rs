//! Money as exports write it: more decimals than a nano-dollar has, and exponents.

use anyhow::{Context, bail};
use api::admin::Usd;
use std::fmt;

/// Decimals of a dollar that are kept.
const DECIMALS: i32 = 18;
/// Attos of a dollar in a nano-dollar.
const PER_NANO: i128 = 1_000_000_000;

/// A billionth of a nano-dollar: exports are added up in it, and rounded once, at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Atto(i128);

impl Atto {
    /// Reads a decimal, with or without exponent, of units that are a dollar times ten to `power`: -2 for
    /// cents. Digits beyond the kept ones are cut off.
    pub(super) fn read(text: &str, power: i32) -> anyhow::Result<Self> {
        let wrong = || format!("{text:?} is no amount");
        let text_of = text.trim();
        let (negative, digits) = match text_of.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text_of),
        };
        let digits = digits.trim_start_matches(['$', '+']);
        let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().with_context(wrong)?),
            None => (digits, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() && fraction.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            bail!(wrong());
        }
        let places = i32::try_from(fraction.len()).with_context(wrong)?;
        let shift = exponent.saturating_add(power).saturating_add(DECIMALS).saturating_sub(places);
        let digits = format!("{whole}{fraction}");
        let attos = shifted(digits.trim_start_matches('0'), shift).with_context(wrong)?;
        Ok(Self(if negative { -attos } else { attos }))
    }

    /// The sum.
    pub(in super::super) fn plus(self, other: Self) -> anyhow::Result<Self> {
        self.0.checked_add(other.0).map(Self).context("the amounts are more than can be counted")
    }

    /// Rounded to the nearest nano-dollar.
    pub(in super::super) fn rounded(self) -> anyhow::Result<Usd> {
        let half = if self.0 < 0 { -PER_NANO / 2 } else { PER_NANO / 2 };
        let nano = i64::try_from((self.0.saturating_add(half)) / PER_NANO);
        nano.map(Usd).context("an amount is more than can be counted")
    }
}

/// A number of these digits times ten to `shift`; `None`: it has more digits than fit.
fn shifted(digits: &str, shift: i32) -> Option<i128> {
    if digits.is_empty() {
        return Some(0);
    }
    if shift >= 0 {
        let zeros = 10_i128.checked_pow(u32::try_from(shift).ok()?)?;
        return digits.parse::<i128>().ok()?.checked_mul(zeros);
    }
    let kept = digits.len().saturating_sub(usize::try_from(shift.unsigned_abs()).ok()?);
    match &digits[..kept] {
        "" => Some(0),
        kept => kept.parse().ok(),
    }
}

impl fmt::Display for Atto {
    /// In dollars, with the digits that matter.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = 10_i128.pow(DECIMALS.unsigned_abs());
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.abs();
        let fraction = format!("{:018}", magnitude % one);
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{sign}{}", magnitude / one),
            fraction => write!(f, "{sign}{}.{fraction}", magnitude / one),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, power: i32) -> Result<String, ()> {
        Atto::read(text, power).map(|amount| amount.to_string()).map_err(|_| ())
    }

    #[test]
    fn amounts_are_read_exactly_however_they_are_written() {
        for (text, usd) in [
            ("0.06", "0.06"),
            ("1.2e-05", "0.000012"),
            ("12E2", "1200"),
            ("-0.5", "-0.5"),
            ("$3", "3"),
            (".5", "0.5"),
            ("0.003835980000000000000000000000", "0.00383598"),
            ("0.10000000000000000555", "0.100000000000000005"),
            ("1e-40", "0"),
            ("0", "0"),
        ] {
            assert_eq!(read(text, 0).as_deref(), Ok(usd), "{text}");
        }
        assert_eq!(read("123.45", -2).as_deref(), Ok("1.2345"));
        for text in ["", "-", ".", "1,5", "NaN", "1e", "1e99", "one"] {
            assert!(read(text, 0).is_err(), "{text}");
        }
    }

    #[test]
    fn only_the_sum_is_rounded() {
        let third = Atto::read("0.0000000004", 0).unwrap();
        assert_eq!(third.rounded().unwrap(), Usd(0));
        let sum = third.plus(third).unwrap().plus(third).unwrap();
        assert_eq!(sum.rounded().unwrap(), Usd(1));
        assert_eq!(Atto::read("-0.0000000005", 0).unwrap().rounded().unwrap(), Usd(-1));
    }
}
