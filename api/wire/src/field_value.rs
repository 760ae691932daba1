//! Values of the types a field may have, and what is said when it has another.

use std::ops::Range;

use crate::call::{Limit, Says};
use crate::json::{self, Kind, Malformed, Scanner};
use crate::refusal::Refusal;

/// Why reading stopped; text that is no JSON is said in words of its own.
pub(crate) enum Stop {
    Malformed(Malformed),
    Refused(Refusal),
}

impl From<Malformed> for Stop {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Stop> for Refusal {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Malformed(Malformed { at, what }) => {
                invalid_json(format!("request body is not valid JSON at byte {at}: {what}"))
            }
            Stop::Refused(refusal) => refusal,
        }
    }
}

pub(crate) fn invalid_json(say: String) -> Refusal {
    Refusal::invalid("invalid_json", None, say)
}

pub(crate) fn expect(
    scanner: &mut Scanner<'_>,
    wanted: Kind,
    name: &'static str,
) -> Result<(), Stop> {
    let kind = scanner.kind()?;
    if kind == wanted { Ok(()) } else { Err(wrong_type(name, wanted.name(), kind).into()) }
}

pub(crate) fn string(
    scanner: &mut Scanner<'_>,
    name: &'static str,
) -> Result<(String, Range<usize>), Stop> {
    expect(scanner, Kind::String, name)?;
    let span = scanner.value()?;
    let text = json::unescape(scanner.slice(&span)).filter(|text| !text.trim().is_empty());
    let unusable = || {
        Refusal::invalid("invalid_value", Some(name), format!("'{name}' must hold a model name"))
    };
    Ok((text.ok_or_else(unusable)?, span))
}

pub(crate) fn boolean(scanner: &mut Scanner<'_>, name: &'static str) -> Result<Option<bool>, Stop> {
    boolean_at(scanner, name).map(|(_, value)| value)
}

/// A boolean or null, and where it stands.
pub(crate) fn boolean_at(
    scanner: &mut Scanner<'_>,
    name: &'static str,
) -> Result<(Range<usize>, Option<bool>), Stop> {
    let value = match scanner.kind()? {
        Kind::True => Some(true),
        Kind::False => Some(false),
        Kind::Null => None,
        other @ (Kind::Object | Kind::Array | Kind::String | Kind::Number) => {
            return Err(wrong_type(name, "a boolean", other).into());
        }
    };
    Ok((scanner.value()?, value))
}

/// A whole number or null, and where it stands.
pub(crate) fn limit(scanner: &mut Scanner<'_>, name: &'static str) -> Result<Limit, Stop> {
    let kind = scanner.kind()?;
    if kind != Kind::Number && kind != Kind::Null {
        return Err(wrong_type(name, "a whole number", kind).into());
    }
    let value = scanner.value()?;
    let text =
        std::str::from_utf8(scanner.slice(&value)).expect("the body was checked to be UTF-8");
    let says = if kind == Kind::Null {
        Says::Nothing
    } else if text.parse::<i64>().is_ok_and(|number| number < 0) {
        Says::Unlimited
    } else if let Ok(tokens) = text.parse() {
        Says::Tokens(tokens)
    } else {
        let say = format!("'{name}' must be a whole number below 2^64, got {text:.40}");
        return Err(Refusal::invalid("invalid_value", Some(name), say).into());
    };
    Ok(Limit { value, says })
}

/// Models to try when the first fails, and where they stand; null counts as none.
pub(crate) fn fallbacks(scanner: &mut Scanner<'_>) -> Result<(Vec<String>, Range<usize>), Stop> {
    let mut models = Vec::new();
    let span = match scanner.kind()? {
        Kind::Null => scanner.value()?,
        Kind::Array => scanner.array::<Stop>(|scanner| {
            models.push(string(scanner, "fallbacks")?.0);
            Ok(())
        })?,
        other @ (Kind::Object | Kind::String | Kind::Number | Kind::True | Kind::False) => {
            return Err(wrong_type("fallbacks", "an array of strings", other).into());
        }
    };
    Ok((models, span))
}

/// Entries of an array; null counts as none.
pub(crate) fn count(scanner: &mut Scanner<'_>, name: &'static str) -> Result<u64, Stop> {
    let kind = scanner.kind()?;
    if kind == Kind::Null {
        scanner.value()?;
        return Ok(0);
    }
    expect(scanner, Kind::Array, name)?;
    let mut entries = 0;
    scanner.array::<Malformed>(|scanner| {
        entries += 1;
        scanner.value().map(drop)
    })?;
    Ok(entries)
}

pub(crate) fn wrong_type(name: &str, wanted: &str, got: Kind) -> Refusal {
    let say = format!("'{name}' must be {wanted}, got {}", got.name());
    Refusal::invalid("invalid_type", Some(name), say)
}

pub(crate) fn missing(name: &str) -> Refusal {
    Refusal::invalid(
        "missing_required_parameter",
        Some(name),
        format!("missing required parameter '{name}'"),
    )
}

pub(crate) fn duplicate(name: &str) -> Refusal {
    Refusal::invalid("duplicate_field", Some(name), format!("'{name}' is given more than once"))
}

/// Whether a parser that folds case would take `key` for `name`. Go's does, and folds U+017F to s and
/// U+212A to k as well.
pub(crate) fn alike(key: &[u8], name: &str) -> bool {
    if key.is_ascii() {
        return key.eq_ignore_ascii_case(name.as_bytes());
    }
    if key.len() > 3 * name.len() {
        return false;
    }
    let fold = |letter: char| match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    let name = name.chars().map(|letter| letter.to_ascii_lowercase());
    String::from_utf8_lossy(key).chars().map(fold).eq(name)
}
