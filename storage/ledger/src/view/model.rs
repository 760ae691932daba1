//! Where could a request for a model go?

use crate::{Alias, Ledger, Provider};

/// What a model name stands for. Whether a provider is enabled, healthy and allowed is for the router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution<'a> {
    /// An alias: its targets.
    Alias(&'a Alias),
    /// `provider/model`: that provider and its model, which it may or may not list.
    Qualified(&'a Provider, &'a str),
    /// A bare name: the providers that list a model of that name, by name. Never empty.
    Bare(Vec<&'a Provider>, &'a str),
    /// Nothing the ledger knows; a provider without a model list may still serve it.
    Unknown,
}

/// What a model name stands for: an alias; else `provider/model`, split at the first slash and only if
/// what stands before it is a provider; else a model some providers list.
pub fn resolve_model<'a>(ledger: &'a Ledger, name: &'a str) -> Resolution<'a> {
    if let Some(alias) = ledger.aliases.get(name) {
        return Resolution::Alias(alias);
    }
    if let Some((prefix, model)) = name.split_once('/')
        && let Some(provider) = ledger.providers.get(prefix)
    {
        return Resolution::Qualified(provider, model);
    }
    let listing: Vec<&Provider> =
        ledger.providers.values().filter(|provider| provider.model(name).is_some()).collect();
    if listing.is_empty() {
        return Resolution::Unknown;
    }
    Resolution::Bare(listing, name)
}
