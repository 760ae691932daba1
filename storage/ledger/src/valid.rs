//! Which names and values the ledger takes. Refused ones name the field and the reason.

mod budget;
mod key;
mod price;
mod provider;
mod scope;
mod url;

pub(crate) use budget::budget;
pub use budget::{SESSION_MS_MAX, SESSION_MS_MIN, TIME_ZONE_BYTES_MAX};
pub(crate) use key::key;
pub use key::{ALLOW_MAX, LABEL_VALUE_BYTES_MAX, LABELS_MAX, NARROWED_MAX, TAG_BYTES_MAX, tag};
pub use price::{MILLION_NANO_USD_MAX, PRICE_NANO_USD_MAX, RATES_MAX, price};
pub use provider::{ATTEMPTS_MAX, CREDENTIALS_MAX, MODELS_MAX, TARGETS_MAX, TIMEOUT_MS_MAX};
pub(crate) use provider::{alias, provider};
pub(crate) use scope::{profile, scope, selector};
pub use url::URL_BYTES_MAX;
pub(crate) use url::webhook;

use crate::Denial;

/// Longest name of an object.
pub const NAME_BYTES_MAX: usize = 128;
/// Longest label of a node: that of a host name.
pub const LABEL_BYTES_MAX: usize = 253;
/// Longest name of who owns an object: that of a path.
pub const OWNER_BYTES_MAX: usize = 2048;
/// Longest name of a model.
pub const MODEL_BYTES_MAX: usize = 256;

fn invalid<T>(field: &'static str, reason: impl Into<String>) -> Result<T, Denial> {
    Err(Denial::Invalid(field, reason.into()))
}

/// A name: 1 to 128 ASCII letters, digits and `-_.:@+`, beginning with a letter or digit.
///
/// So it needs no escaping in a URL path, a header or a log line, and never holds a slash.
pub(crate) fn name(field: &'static str, name: &str) -> Result<(), Denial> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        let bytes = name.len();
        return invalid(field, format!("has {bytes} bytes, 1 to 128 are allowed"));
    }
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return invalid(field, format!("{name:?} does not begin with a letter or digit"));
    }
    let odd = name.chars().find(|&c| !c.is_ascii_alphanumeric() && !"-_.:@+".contains(c));
    match odd {
        Some(c) => {
            invalid(field, format!("{name:?} holds {c:?}; letters, digits and -_.:@+ are allowed"))
        }
        None => Ok(()),
    }
}

/// A model's name: 1 to 256 printable ASCII characters without space. It may hold slashes.
pub(crate) fn model_name(field: &'static str, name: &str) -> Result<(), Denial> {
    if name.is_empty() || name.len() > MODEL_BYTES_MAX {
        let bytes = name.len();
        return invalid(field, format!("has {bytes} bytes, 1 to 256 are allowed"));
    }
    if !name.bytes().all(|b| b.is_ascii_graphic()) {
        return invalid(field, format!("{name:?} is not printable ascii"));
    }
    Ok(())
}

/// An owner: `api:<actor>`, `file:<name>` or `scim`.
pub(crate) fn managed_by(owner: &str) -> Result<(), Denial> {
    let who = owner.strip_prefix("api:").or_else(|| owner.strip_prefix("file:"));
    let named = who.is_some_and(|who| !who.is_empty() && who.len() <= OWNER_BYTES_MAX);
    let printable = !owner.chars().any(char::is_control);
    if (named && printable) || owner == "scim" {
        return Ok(());
    }
    invalid("managed_by", format!("{owner:?} is none of api:<actor>, file:<name>, scim"))
}

fn unique<'a>(field: &'static str, names: impl Iterator<Item = &'a String>) -> Result<(), Denial> {
    let mut names: Vec<&String> = names.collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => invalid(field, format!("names {:?} twice", pair[0])),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_letters_digits_and_a_few_marks() {
        for good in ["a", "team-a.prod_1", "gpt-4o:fast", "ann@example.com", "9"] {
            assert_eq!(name("name", good), Ok(()), "{good}");
        }
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        for bad in ["", "-a", ".", "a/b", "a b", "ä", "a\n", long.as_str()] {
            assert!(name("name", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn owners_say_which_door_they_came_through() {
        for good in ["api:ann", "file:bursar.yaml", "scim"] {
            assert_eq!(managed_by(good), Ok(()), "{good}");
        }
        for bad in ["", "ann", "api:", "file:", "file:a\nb"] {
            assert!(managed_by(bad).is_err(), "{bad}");
        }
    }
}
