//! When a budget starts anew, as operators write it: `month`, `never`, `30d`, `rolling:24h`.

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

/// When a budget starts anew. Calendar windows are in the budget's time zone.
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
    /// Never at once: at any time the last so many milliseconds count.
    Rolling(u64),
}

/// What a rolling window begins with.
const ROLLING: &str = "rolling:";

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
        let window = match text.strip_prefix(ROLLING) {
            Some(text) => length_ms(text).map(Window::Rolling),
            None => length_ms(text).map(Window::Fixed),
        };
        window.ok_or_else(|| {
            format!(
                "{text:?} is no window: use never, hour, day, week, month, quarter, year, a length as 30d, 12h, 90m, 30s, or rolling:24h"
            )
        })
    }
}

/// Milliseconds of a length as `30d`, `12h`, `90m`, `30s`; never zero.
pub(super) fn length_ms(text: &str) -> Option<u64> {
    LENGTHS.iter().find_map(|(unit, ms)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(*ms).filter(|total| *total > 0)
    })
}

/// A length in the largest unit that says it exactly, never finer than seconds.
pub(super) fn length(ms: u64) -> String {
    let (unit, length) =
        LENGTHS.iter().find(|(_, length)| ms.is_multiple_of(*length)).unwrap_or(&LENGTHS[3]);
    format!("{}{unit}", ms / length)
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(ms) => return f.write_str(&length(*ms)),
            Self::Rolling(ms) => return write!(f, "{ROLLING}{}", length(*ms)),
            Self::Never
            | Self::Hour
            | Self::Day
            | Self::Week
            | Self::Month
            | Self::Quarter
            | Self::Year => {}
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
                "When a budget starts anew: a calendar window in the budget's time zone, or a length from its creation. With rolling: in front, at any time the last so long counts.",
            ))
            .pattern(Some(r"^(never|hour|day|week|month|quarter|year|(rolling:)?\d+[dhms])$"))
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
        for text in [
            "never",
            "hour",
            "day",
            "week",
            "month",
            "quarter",
            "year",
            "30d",
            "36h",
            "90m",
            "45s",
            "rolling:7d",
            "rolling:5h",
        ] {
            assert_eq!(text.parse::<Window>().unwrap().to_string(), text);
        }
        assert_eq!("24h".parse::<Window>().unwrap().to_string(), "1d");
    }

    #[test]
    fn what_is_no_window_is_told_what_is() {
        for text in ["", "monthly", "0d", "-1d", "1w", "rolling:", "rolling:day"] {
            assert!(text.parse::<Window>().unwrap_err().contains("use never, hour"), "{text}");
        }
    }
}
