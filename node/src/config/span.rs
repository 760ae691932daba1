//! Lengths of time as people write them: `500ms`, `15s`, `10m`, `2h`.

use std::str::FromStr;
use std::time::Duration;

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no length of time: write 500ms, 15s, 10m or 2h");
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
        let unit_ms = match &text[digits..] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "" if number == 0 => 1,
            _ => return Err(wrong()),
        };
        let ms = number.checked_mul(unit_ms).ok_or_else(wrong)?;
        Ok(Self(Duration::from_millis(ms)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_needs_its_unit() {
        let ms = |text: &str| text.parse::<Span>().ok().map(|span| span.0.as_millis());
        assert_eq!(ms("500ms"), Some(500));
        assert_eq!(ms("15s"), Some(15_000));
        assert_eq!(ms("10m"), Some(600_000));
        assert_eq!(ms("2h"), Some(7_200_000));
        assert_eq!(ms("0"), Some(0));
        for wrong in ["15", "", "s", "-1s", "1.5s", "1d", "99999999999999999999s"] {
            assert_eq!(ms(wrong), None, "{wrong}");
        }
    }
}
