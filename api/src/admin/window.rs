//! When a budget starts anew, as operators write it: `month`, `never`, `30d`.

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

/// When a budget starts anew. Calendar windows are UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Window {
    /// Never: prepaid.
    #[default]
    Never,
    /// Every so many milliseconds from the budget's creation.
    Fixed(u64),
    /// At the full hour.
    Hour,
    /// At midnight.
    Day,
    /// At Monday's midnight.
    Week,
    /// On the first of the month.
    Month,
    /// On the first of January, April, July, October.
    Quarter,
    /// On the first of January.
    Year,
}

const CALENDAR: [(&str, Window); 7] = [
    ("never", Window::Never),
    ("hour", Window::Hour),
    ("day", Window::Day),
    ("week", Window::Week),
    ("month", Window::Month),
    ("quarter", Window::Quarter),
    ("year", Window::Year),
];

const LENGTHS: [(&str, u64); 4] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];

impl FromStr for Window {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, window)) = CALENDAR.iter().find(|(name, _)| *name == text) {
            return Ok(*window);
        }
        let length = LENGTHS.iter().find_map(|(unit, ms)| {
            let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
            number.checked_mul(*ms).filter(|total| *total > 0)
        });
        length.map(Window::Fixed).ok_or_else(|| {
            format!(
                "{text:?} is no window: use never, hour, day, week, month, quarter, year, or a length as 30d, 12h, 90m, 30s"
            )
        })
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Fixed(ms) = self {
            let (unit, length) =
                LENGTHS.iter().find(|(_, length)| ms % length == 0).unwrap_or(&LENGTHS[3]);
            return write!(f, "{}{unit}", ms / length);
        }
        let name = CALENDAR.iter().find(|(_, window)| window == self);
        f.write_str(name.map_or("never", |(name, _)| name))
    }
}

impl Serialize for Window {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Window {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl utoipa::PartialSchema for Window {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "When a budget starts anew: a calendar window in UTC, or a length from the budget's creation.",
            ))
            .pattern(Some(r"^(never|hour|day|week|month|quarter|year|\d+[dhms])$"))
            .examples(["month"])
            .into()
    }
}

impl utoipa::ToSchema for Window {
    fn name() -> std::borrow::Cow<'static, str> {
        "Window".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_written_as_they_are_read() {
        for text in
            ["never", "hour", "day", "week", "month", "quarter", "year", "30d", "36h", "90m", "45s"]
        {
            assert_eq!(text.parse::<Window>().unwrap().to_string(), text);
        }
        assert_eq!("24h".parse::<Window>().unwrap().to_string(), "1d");
    }

    #[test]
    fn what_is_no_window_is_told_what_is() {
        for text in ["", "monthly", "0d", "-1d", "1w", "99999999999999999999d"] {
            assert!(text.parse::<Window>().unwrap_err().contains("use never, hour"), "{text}");
        }
    }
}
