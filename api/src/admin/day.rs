//! Days as operators write them: `2026-01-31`, in UTC.

use super::timestamp::{civil_from_days, days_from_date};
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type};

/// A day, counted from 1970-01-01 UTC; as JSON `2026-01-31`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub u32);

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let day = days_from_date(text).and_then(|days| u32::try_from(days).ok());
        day.map(Self).ok_or_else(|| format!("{text:?} is no day: write it as 2026-01-31"))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(i64::from(self.0));
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl utoipa::PartialSchema for Day {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
            .examples(["2026-01-31"])
            .into()
    }
}

impl utoipa::ToSchema for Day {
    fn name() -> std::borrow::Cow<'static, str> {
        "Day".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_as_they_are_read() {
        assert_eq!("1970-01-02".parse(), Ok(Day(1)));
        for day in (0..40_000).map(Day) {
            assert_eq!(day.to_string().parse(), Ok(day));
        }
        for wrong in ["", "2026-1-1", "2026-02-30", "1969-12-31", "2026-01-01T00:00:00Z"] {
            assert!(wrong.parse::<Day>().is_err(), "{wrong}");
        }
    }
}
