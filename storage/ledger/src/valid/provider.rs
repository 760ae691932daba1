//! Providers and aliases.

use super::price::price;
use super::url::base_url;
use super::{invalid, managed_by, model_name, name, unique};
use crate::{Alias, Credential, Denial, Model, Overrides, Provider, Unpriced};

/// Most targets of one alias.
pub const TARGETS_MAX: usize = 32;
/// Most credentials of one provider.
pub const CREDENTIALS_MAX: usize = 64;
/// Most models of one provider.
pub const MODELS_MAX: usize = 4096;
/// Most headers, and most paths, of one provider.
const OVERRIDES_MAX: usize = 32;
/// Longest value of a header, and longest path.
const OVERRIDE_BYTES_MAX: usize = 2048;
/// Longest name of a header.
const HEADER_NAME_BYTES_MAX: usize = 64;
/// Headers that belong to the connection, or to what is sent over it.
const FRAMING: [&str; 12] = [
    "host",
    "content-length",
    "content-type",
    "content-encoding",
    "accept-encoding",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "proxy-authorization",
];
/// Longest wait for a provider: a day.
pub const TIMEOUT_MS_MAX: u64 = 86_400_000;
/// Most attempts of one request.
pub const ATTEMPTS_MAX: u32 = 32;

/// A provider.
pub(crate) fn provider(provider: &Provider) -> Result<(), Denial> {
    name("name", &provider.name)?;
    name("kind", &provider.kind)?;
    managed_by(&provider.managed_by)?;
    base_url(&provider.base_url)?;
    credentials(&provider.credentials)?;
    overrides(&provider.overrides)?;
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

fn overrides(overrides: &Overrides) -> Result<(), Denial> {
    overrides.dialect.iter().try_for_each(|dialect| name("dialect", dialect))?;
    if overrides.headers.len() > OVERRIDES_MAX || overrides.paths.len() > OVERRIDES_MAX {
        return invalid("headers", "there are more than 32 headers or paths");
    }
    for (name, value) in &overrides.headers {
        let token = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        if name.is_empty() || name.len() > HEADER_NAME_BYTES_MAX || !name.bytes().all(token) {
            return invalid("headers", format!("{name:?} is no name of a header in lower case"));
        }
        if FRAMING.contains(&name.as_str()) {
            return invalid("headers", format!("{name} is not an operator's to set"));
        }
        let printable = value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if value.len() > OVERRIDE_BYTES_MAX || !printable {
            return invalid("headers", format!("{name} is longer than 2048 bytes, or not ascii"));
        }
    }
    for (operation, path) in &overrides.paths {
        let graphic = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        if !path.starts_with('/') || path.len() > OVERRIDE_BYTES_MAX || !graphic {
            return invalid(
                "paths",
                format!("that of {operation:?} is no path of at most 2048 bytes"),
            );
        }
    }
    Ok(())
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
