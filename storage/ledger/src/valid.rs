//! Which names and values the ledger takes. Refused ones name the field and the reason.

use crate::budget::{BUDGETS_MAX, FIXED_MS_MAX, FIXED_MS_MIN, WINDOWS_MAX};
use crate::{
    Alias, Allow, Budget, BudgetWindow, Credential, Denial, Model, NanoUsd, Price, Provider,
    Unpriced, VirtualKey, Window,
};

/// Longest name of an object.
pub const NAME_BYTES_MAX: usize = 128;
/// Longest label of a node: that of a host name.
pub const LABEL_BYTES_MAX: usize = 253;
/// Longest name of a model.
pub const MODEL_BYTES_MAX: usize = 256;
/// Longest base URL.
pub const URL_BYTES_MAX: usize = 2048;
/// Most entries of one allow-list.
pub const ALLOW_MAX: usize = 1024;
/// Most targets of one alias.
pub const TARGETS_MAX: usize = 32;
/// Most credentials of one provider.
pub const CREDENTIALS_MAX: usize = 64;
/// Most models of one provider.
pub const MODELS_MAX: usize = 4096;
/// Highest price of a million tokens or of a request: a million dollars.
pub const PRICE_NANO_USD_MAX: i64 = 1_000_000 * NanoUsd::PER_USD;
/// Longest wait for a provider: a day.
pub const TIMEOUT_MS_MAX: u64 = 86_400_000;
/// Most attempts of one request.
pub const ATTEMPTS_MAX: u32 = 32;

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
    let named = who.is_some_and(|who| !who.is_empty() && who.len() <= URL_BYTES_MAX);
    let printable = !owner.chars().any(char::is_control);
    if (named && printable) || owner == "scim" {
        return Ok(());
    }
    invalid("managed_by", format!("{owner:?} is none of api:<actor>, file:<name>, scim"))
}

/// A key's own fields. What it refers to is checked where it is put.
pub(crate) fn key(key: &VirtualKey) -> Result<(), Denial> {
    name("name", &key.name)?;
    managed_by(&key.managed_by)?;
    if key.revoked_at.is_some() {
        return invalid("revoked_at", "a key is revoked by its own command");
    }
    allow("providers", &key.providers)?;
    allow("models", &key.models)?;
    if key.budgets.len() > BUDGETS_MAX {
        let count = key.budgets.len();
        return invalid("budgets", format!("names {count}, at most 16 are allowed"));
    }
    unique("budgets", key.budgets.iter())
}

fn allow(field: &'static str, allow: &Allow) -> Result<(), Denial> {
    let Allow::Only(names) = allow else {
        return Ok(());
    };
    if names.len() > ALLOW_MAX {
        let count = names.len();
        return invalid(field, format!("has {count} entries, at most 1024 are allowed"));
    }
    names.iter().try_for_each(|entry| model_name(field, entry))
}

fn unique<'a>(field: &'static str, names: impl Iterator<Item = &'a String>) -> Result<(), Denial> {
    let mut names: Vec<&String> = names.collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => invalid(field, format!("names {:?} twice", pair[0])),
        None => Ok(()),
    }
}

/// A budget.
pub(crate) fn budget(budget: &Budget) -> Result<(), Denial> {
    name("name", &budget.name)?;
    managed_by(&budget.managed_by)?;
    let count = budget.windows.len();
    if count == 0 || count > WINDOWS_MAX {
        return invalid("windows", format!("has {count}, 1 to 3 are allowed"));
    }
    for (position, window) in budget.windows.iter().enumerate() {
        budget_window(window)?;
        let earlier = &budget.windows[..position];
        if earlier.iter().any(|other| other.window == window.window) {
            return invalid("windows", format!("names {:?} twice", window.window));
        }
    }
    Ok(())
}

fn budget_window(window: &BudgetWindow) -> Result<(), Denial> {
    let limit = window.limit;
    if !(0..=NanoUsd::LIMIT_MAX.0).contains(&limit) {
        return invalid("limit", format!("{limit} is not within 0 to 10^18"));
    }
    match window.window {
        Window::Fixed(ms) if !(FIXED_MS_MIN..=FIXED_MS_MAX).contains(&ms) => invalid(
            "windows",
            format!("a fixed window of {ms} ms is not within 1 second to 10 years"),
        ),
        Window::Fixed(_)
        | Window::Never
        | Window::Hour
        | Window::Day
        | Window::Week
        | Window::Month
        | Window::Quarter
        | Window::Year => Ok(()),
    }
}

/// A provider.
pub(crate) fn provider(provider: &Provider) -> Result<(), Denial> {
    name("name", &provider.name)?;
    name("kind", &provider.kind)?;
    managed_by(&provider.managed_by)?;
    base_url(&provider.base_url)?;
    credentials(&provider.credentials)?;
    models(&provider.models)?;
    if let Unpriced::Flat(flat) = &provider.unpriced {
        price(flat)?;
    }
    let timeout_ms = provider.timeout_ms;
    if !(1..=TIMEOUT_MS_MAX).contains(&timeout_ms) {
        return invalid("timeout_ms", format!("{timeout_ms} is not within 1 to 86400000"));
    }
    let attempts = provider.attempts_max;
    if !(1..=ATTEMPTS_MAX).contains(&attempts) {
        return invalid("attempts_max", format!("{attempts} is not within 1 to 32"));
    }
    Ok(())
}

/// `http://` or `https://`, a host, no credentials, query or fragment, and no slash at the end.
fn base_url(url: &str) -> Result<(), Denial> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let Some(rest) = rest else {
        return invalid("base_url", "does not begin with http:// or https://".to_owned());
    };
    let authority = rest.split('/').next().unwrap_or(rest);
    let reason = if url.len() > URL_BYTES_MAX {
        "is longer than 2048 bytes"
    } else if authority.is_empty() || authority.starts_with(':') {
        "has no host"
    } else if authority.contains('@') {
        "holds credentials; they belong into credentials"
    } else if url.ends_with('/') {
        "ends with a slash"
    } else if url.contains(['?', '#', '\\']) || !url.bytes().all(|b| b.is_ascii_graphic()) {
        "holds a query, a fragment, a backslash or a blank"
    } else {
        return Ok(());
    };
    invalid("base_url", reason)
}

fn credentials(credentials: &[Credential]) -> Result<(), Denial> {
    let count = credentials.len();
    if count == 0 || count > CREDENTIALS_MAX {
        return invalid("credentials", format!("has {count}, 1 to 64 are allowed"));
    }
    for credential in credentials {
        name("credentials", &credential.name)?;
    }
    if credentials.iter().all(|credential| credential.weight == 0) {
        return invalid("credentials", "all weights are zero");
    }
    unique("credentials", credentials.iter().map(|c| &c.name))
}

fn models(models: &[Model]) -> Result<(), Denial> {
    if models.len() > MODELS_MAX {
        let count = models.len();
        return invalid("models", format!("has {count}, at most 4096 are allowed"));
    }
    for model in models {
        model_name("models", &model.name)?;
        if let Some(upstream) = &model.upstream_name {
            model_name("models", upstream)?;
        }
        if let Some(own) = &model.price {
            price(own)?;
        }
    }
    unique("models", models.iter().map(|model| &model.name))
}

fn price(price: &Price) -> Result<(), Denial> {
    let parts = [
        Some(price.input_nano_usd_per_mtok),
        Some(price.output_nano_usd_per_mtok),
        price.cache_read_nano_usd_per_mtok,
        price.cache_write_nano_usd_per_mtok,
        Some(price.request_nano_usd),
    ];
    let odd = parts.into_iter().flatten().find(|part| !(0..=PRICE_NANO_USD_MAX).contains(part));
    match odd {
        Some(part) => invalid("price", format!("{part} nano-usd is not within 0 to 10^15")),
        None => Ok(()),
    }
}

/// An alias's own fields. That its providers exist is checked where it is put.
pub(crate) fn alias(alias: &Alias) -> Result<(), Denial> {
    name("name", &alias.name)?;
    managed_by(&alias.managed_by)?;
    let count = alias.targets.len();
    if count == 0 || count > TARGETS_MAX {
        return invalid("targets", format!("has {count}, 1 to 32 are allowed"));
    }
    for target in &alias.targets {
        model_name("targets", &target.model)?;
    }
    if alias.targets.iter().all(|target| target.weight == 0) {
        return invalid("targets", "all weights are zero");
    }
    Ok(())
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
    fn base_urls_are_plain_and_end_without_a_slash() {
        for good in ["https://api.openai.com/v1", "http://127.0.0.1:9000", "http://[::1]:80/v1"] {
            assert_eq!(base_url(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "ftp://a",
            "https://",
            "https:///v1",
            "https://:80",
            "https://a/",
            "https://u:p@a/v1",
            "https://a/v1?x=1",
            "https://a/v 1",
            "api.openai.com/v1",
        ] {
            assert!(base_url(bad).is_err(), "{bad}");
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
