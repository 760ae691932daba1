//! Keys, and what they share with scopes, selectors and profiles.

use super::{invalid, managed_by, model_name, name, unique};
use crate::budget::BUDGETS_MAX;
use crate::usage::TAGS_MAX;
use crate::{Allow, Denial, Narrowed, VirtualKey};
use std::collections::BTreeMap;

/// Most entries of one allow-list.
pub const ALLOW_MAX: usize = 1024;
/// Most labels of one object.
pub const LABELS_MAX: usize = 32;
/// Longest value of a label.
pub const LABEL_VALUE_BYTES_MAX: usize = 256;
/// Most terms of single providers and models on one object.
pub const NARROWED_MAX: usize = 64;
/// Longest tag, and longest name of a session.
pub const TAG_BYTES_MAX: usize = 128;

/// A key's own fields. What it refers to is checked where it is put.
pub(crate) fn key(key: &VirtualKey) -> Result<(), Denial> {
    name("name", &key.name)?;
    managed_by(&key.managed_by)?;
    if key.revoked_at.is_some() {
        return invalid("revoked_at", "a key is revoked by its own command");
    }
    allow("providers", &key.providers)?;
    allow("models", &key.models)?;
    budgets("budgets", &key.budgets)?;
    narrowed(&key.narrowed)?;
    labels(&key.labels)?;
    tags(&key.tags)
}

/// A tag or the name of a session, as a request brings it: 1 to 128 bytes of printable characters, no
/// comma, no space at either end.
///
/// # Errors
///
/// `Invalid`, naming the field.
pub fn tag(field: &'static str, tag: &str) -> Result<(), Denial> {
    if tag.is_empty() || tag.len() > TAG_BYTES_MAX {
        let bytes = tag.len();
        return invalid(field, format!("has {bytes} bytes, 1 to 128 are allowed"));
    }
    if tag.trim() != tag || tag.contains(',') || tag.chars().any(char::is_control) {
        return invalid(
            field,
            format!("{tag:?} has a comma, a blank at an end or is not printable"),
        );
    }
    Ok(())
}

pub(super) fn allow(field: &'static str, allow: &Allow) -> Result<(), Denial> {
    let Allow::Only(names) = allow else {
        return Ok(());
    };
    if names.len() > ALLOW_MAX {
        let count = names.len();
        return invalid(field, format!("has {count} entries, at most 1024 are allowed"));
    }
    names.iter().try_for_each(|entry| model_name(field, entry))
}

/// A list of budgets, by name.
pub(super) fn budgets(field: &'static str, budgets: &[String]) -> Result<(), Denial> {
    if budgets.len() > BUDGETS_MAX {
        let count = budgets.len();
        return invalid(field, format!("names {count}, at most 16 are allowed"));
    }
    unique(field, budgets.iter())
}

/// Names as of objects, values of up to 256 bytes of printable characters.
pub(super) fn labels(labels: &BTreeMap<String, String>) -> Result<(), Denial> {
    if labels.len() > LABELS_MAX {
        let count = labels.len();
        return invalid("labels", format!("has {count}, at most 32 are allowed"));
    }
    for (label, value) in labels {
        name("labels", label)?;
        if value.len() > LABEL_VALUE_BYTES_MAX {
            let bytes = value.len();
            let reason =
                format!("the value of {label:?} has {bytes} bytes, at most 256 are allowed");
            return invalid("labels", reason);
        }
        if value.chars().any(char::is_control) {
            return invalid("labels", format!("the value of {label:?} is not printable"));
        }
    }
    Ok(())
}

/// Terms of single providers and models: each says where it applies, no two the same.
pub(super) fn narrowed(all: &[Narrowed]) -> Result<(), Denial> {
    if all.len() > NARROWED_MAX {
        let count = all.len();
        return invalid("narrowed", format!("has {count}, at most 64 are allowed"));
    }
    for terms in all {
        if terms.provider.is_none() && terms.model.is_none() {
            return invalid("narrowed", "names neither a provider nor a model");
        }
        if let Some(provider) = &terms.provider {
            name("narrowed", provider)?;
        }
        if let Some(model) = &terms.model {
            model_name("narrowed", model)?;
            if model.strip_suffix('*').unwrap_or(model).contains('*') {
                return invalid("narrowed", format!("{model:?} has a * that is not its end"));
            }
        }
        budgets("narrowed", &terms.budgets)?;
    }
    let places: Vec<String> = all.iter().map(Narrowed::place).collect();
    unique("narrowed", places.iter())
}

pub(super) fn tags(tags: &[String]) -> Result<(), Denial> {
    if tags.len() > TAGS_MAX {
        let count = tags.len();
        return invalid("tags", format!("has {count}, at most 16 are allowed"));
    }
    tags.iter().try_for_each(|entry| tag("tags", entry))?;
    unique("tags", tags.iter())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    type Break = (&'static str, fn(&mut VirtualKey));

    fn narrow(provider: Option<&str>, model: Option<&str>) -> Narrowed {
        let (provider, model) = (provider.map(str::to_owned), model.map(str::to_owned));
        Narrowed { provider, model, ..Narrowed::default() }
    }

    #[test]
    fn what_a_key_may_not_say_is_named() {
        let breaks: [Break; 14] = [
            ("labels", |key| drop(key.labels.insert("a b".to_owned(), String::new()))),
            ("labels", |key| drop(key.labels.insert("a".to_owned(), "x".repeat(257)))),
            ("labels", |key| drop(key.labels.insert("a".to_owned(), "x\ny".to_owned()))),
            ("labels", |key| {
                key.labels = (0..33).map(|n| (format!("a{n}"), String::new())).collect();
            }),
            ("tags", |key| key.tags = vec![String::new()]),
            ("tags", |key| key.tags = vec!["a,b".to_owned()]),
            ("tags", |key| key.tags = vec!["x".to_owned(); 2]),
            ("tags", |key| key.tags = (0..17).map(|n| format!("t{n}")).collect()),
            ("narrowed", |key| key.narrowed = vec![narrow(None, None)]),
            ("narrowed", |key| key.narrowed = vec![narrow(Some("a/b"), None)]),
            ("narrowed", |key| key.narrowed = vec![narrow(None, Some("gpt-*-mini"))]),
            ("narrowed", |key| key.narrowed = vec![narrow(None, Some("gpt**"))]),
            ("narrowed", |key| {
                key.narrowed = vec![narrow(Some("a"), Some("m")), narrow(None, Some("a/m"))];
            }),
            ("narrowed", |key| {
                key.narrowed = vec![narrow(Some("a"), None)];
                key.narrowed[0].budgets = vec!["team".to_owned(); 2];
            }),
        ];
        assert_eq!(key(&sample::key("ann", 1)), Ok(()));
        for (number, (field, broken)) in breaks.into_iter().enumerate() {
            let mut ann = sample::key("ann", 1);
            broken(&mut ann);
            let denied = key(&ann);
            assert!(
                matches!(&denied, Err(Denial::Invalid(named, _)) if *named == field),
                "{number}: {denied:?}"
            );
        }
    }

    #[test]
    fn labels_tags_and_places_are_taken_as_people_write_them() {
        let mut ann = sample::key("ann", 1);
        ann.labels.insert("cost-centre".to_owned(), "Zürich / 4711".to_owned());
        ann.tags = vec!["nightly run".to_owned(), "für-Anna".to_owned()];
        ann.narrowed = vec![
            narrow(Some("openai"), None),
            narrow(Some("openai"), Some("gpt-4o")),
            narrow(None, Some("*")),
            narrow(None, Some("anthropic/claude-*")),
        ];
        assert_eq!(key(&ann), Ok(()));
    }
}
