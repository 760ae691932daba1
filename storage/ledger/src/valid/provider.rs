//! Providers and aliases.

use super::price::price;
use super::url::base_url;
use super::{invalid, managed_by, model_name, name, unique};
use crate::{Alias, Credential, Denial, Model, Provider, Unpriced};

/// Most targets of one alias.
pub const TARGETS_MAX: usize = 32;
/// Most credentials of one provider.
pub const CREDENTIALS_MAX: usize = 64;
/// Most models of one provider.
pub const MODELS_MAX: usize = 4096;
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
