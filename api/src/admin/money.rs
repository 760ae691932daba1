//! US dollars as operators write them, without a float anywhere: text to nano-USD and back.

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use std::fmt;
use std::str::FromStr;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

/// Nano-USD in one dollar.
const PER_USD: u64 = 1_000_000_000;
/// Digits after the point that a nano-USD allows.
const DECIMALS: usize = 9;

/// An amount in nano-USD; as JSON a decimal string of dollars, read from a string or a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usd(pub i64);

impl FromStr for Usd {
    type Err = String;

    /// Reads `12`, `0.5`, `$1.25`, `-3`. More than nine decimals or an exponent is refused, not rounded.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no amount in dollars: write it as 12 or 0.25");
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let digits = digits.strip_prefix('$').unwrap_or(digits);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) {
            return Err(wrong());
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > DECIMALS {
            return Err(format!(
                "{text} has more than {DECIMALS} decimals: the smallest amount is 0.000000001"
            ));
        }
        let too_large = || format!("{text} is more than can be counted");
        let whole: u64 = whole.parse().map_err(|_| too_large())?;
        let nano: u64 = format!("{fraction:0<DECIMALS$}").parse().expect("nine digits fit a u64");
        let total = whole
            .checked_mul(PER_USD)
            .and_then(|total| total.checked_add(nano))
            .and_then(|total| i64::try_from(total).ok())
            .ok_or_else(too_large)?;
        Ok(Self(if negative { -total } else { total }))
    }
}

impl fmt::Display for Usd {
    /// All digits that matter, at least two after the point: `1.00`, `0.000000001`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nano = self.0.unsigned_abs();
        let fraction = format!("{:09}", nano % PER_USD);
        let kept = fraction.trim_end_matches('0').len().max(2);
        write!(f, "{sign}{}.{}", nano / PER_USD, &fraction[..kept])
    }
}

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Usd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The raw text: a JSON number must not pass through a float.
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        text.parse().map_err(D::Error::custom)
    }
}

impl utoipa::PartialSchema for Usd {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "US dollars as a decimal, at most nine digits after the point. A JSON number is taken too.",
            ))
            .pattern(Some(r"^-?\d+(\.\d{1,9})?$"))
            .examples(["1.00"])
            .into()
    }
}

impl utoipa::ToSchema for Usd {
    fn name() -> std::borrow::Cow<'static, str> {
        "Usd".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<i64, String> {
        serde_json::from_str::<Usd>(json).map(|usd| usd.0).map_err(|e| e.to_string())
    }

    #[test]
    fn dollars_are_read_exactly_from_strings_and_numbers() {
        assert_eq!(read(r#""1.00""#), Ok(1_000_000_000));
        assert_eq!(read("1"), Ok(1_000_000_000));
        assert_eq!(read("0.1"), Ok(100_000_000));
        assert_eq!(read("0.000000001"), Ok(1));
        // The nearest double of this one is 0.10000000149...
        assert_eq!(read("0.100000001"), Ok(100_000_001));
        // Past the 53 bits of a double.
        assert_eq!(read("9223372036.854775807"), Ok(i64::MAX));
        assert_eq!(read(r#""$5""#), Ok(5_000_000_000));
        assert_eq!(read("-2.5"), Ok(-2_500_000_000));
        assert_eq!(read("1.5000000000000"), Ok(1_500_000_000));
    }

    #[test]
    fn what_would_have_to_be_rounded_is_refused() {
        assert!(read("0.0000000001").unwrap_err().contains("more than 9 decimals"));
        assert!(read("9223372036.854775808").unwrap_err().contains("more than can be counted"));
        assert!(read("99999999999999999999").unwrap_err().contains("more than can be counted"));
        for text in
            ["1e3", "\"\"", "\".5\"", "\"5.\"", "true", "null", "\"1,000\"", "[1]", "\"--1\""]
        {
            assert!(read(text).unwrap_err().contains("no amount in dollars"), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for nano in [0, 1, -1, 10_000_000, 1_234_567_890, i64::MAX, -i64::MAX] {
            let text = serde_json::to_string(&Usd(nano)).unwrap();
            assert_eq!(read(&text), Ok(nano), "{text}");
        }
        assert_eq!(Usd(1_000_000_000).to_string(), "1.00");
        assert_eq!(Usd(1).to_string(), "0.000000001");
    }
}
