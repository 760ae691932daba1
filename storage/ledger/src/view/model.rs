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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Log, alias, provider, put_alias, put_provider};
    use crate::{Model, Outcome};

    fn listing(name: &str, models: &[&str]) -> Provider {
        let mut listing = provider(name);
        let model = |name: &&str| Model { name: (*name).to_owned(), ..Model::default() };
        listing.models = models.iter().map(model).collect();
        listing
    }

    #[test]
    fn a_slash_splits_only_behind_a_provider() {
        let mut log = Log::sample();
        log.done(put_provider(listing("router", &["deepseek/chat", "gpt-4o"])));
        log.done(put_provider(listing("azure", &["gpt-4o"])));
        let resolve = |name| resolve_model(&log.ledger, name);
        assert!(matches!(resolve("fast"), Resolution::Alias(_)));
        let Resolution::Qualified(provider, model) = resolve("router/deepseek/chat") else {
            panic!("router is a provider");
        };
        assert_eq!((provider.name.as_str(), model), ("router", "deepseek/chat"));
        for (name, serving) in
            [("deepseek/chat", vec!["router"]), ("gpt-4o", vec!["azure", "router"])]
        {
            let Resolution::Bare(found, model) = resolve(name) else {
                panic!("{name} is listed");
            };
            let found: Vec<&str> = found.iter().map(|found| found.name.as_str()).collect();
            assert_eq!((found, model), (serving, name));
        }
        assert_eq!(resolve("gpt-5"), Resolution::Unknown);
    }

    #[test]
    fn an_alias_hides_a_model_of_its_name() {
        let mut log = Log::sample();
        log.done(put_provider(listing("azure", &["gpt-4o"])));
        assert_eq!(log.propose(put_alias(alias("gpt-4o", "openai"))).0, Outcome::Done);
        let found = resolve_model(&log.ledger, "gpt-4o");
        assert!(matches!(found, Resolution::Alias(_)));
    }
}
