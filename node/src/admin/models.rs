//! Models: what callers can ask for, and what is charged.

use super::Node;
use super::prices::price_out;
use crate::catalog::{Catalog, CatalogEntry};
use api::admin::v1::models::{ListedModel, Models, PriceSource};
use api::admin::{Listed, Page};
use ledger::{Alias, Model, Price, Provider, Unpriced};

impl Models for Node {
    fn list_models(&self, page: &Page) -> Listed<ListedModel> {
        let ledger = self.ledger();
        let enabled = ledger.providers.values().filter(|provider| provider.enabled);
        let mut models: Vec<ListedModel> = enabled
            .flat_map(|provider| of_provider(self.parts.catalog, provider))
            .chain(ledger.aliases.values().map(of_alias))
            .collect();
        models.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        page.cut(models, |model| &model.name)
    }
}

fn of_provider(catalog: &'static Catalog, provider: &Provider) -> Vec<ListedModel> {
    if provider.models.is_empty() {
        let listed = catalog.models(&provider.kind);
        let plain = listed.map(|(name, entry)| {
            let model = Model { name: name.to_owned(), ..Model::default() };
            of_model(provider, &model, Some(entry))
        });
        return plain.collect();
    }
    let of_listed = |model: &Model| {
        let upstream_name = model.upstream_name.as_ref().unwrap_or(&model.name);
        of_model(provider, model, catalog.find(&provider.kind, upstream_name))
    };
    provider.models.iter().map(of_listed).collect()
}

fn of_model(provider: &Provider, model: &Model, entry: Option<&CatalogEntry>) -> ListedModel {
    let (price, source) = priced(model, entry, &provider.unpriced);
    ListedModel {
        name: format!("{}/{}", provider.name, model.name),
        stands_for: Vec::new(),
        price: price.map(price_out),
        price_source: Some(source),
        input_tokens_max: model.input_tokens_max.or(entry.and_then(|entry| entry.input_tokens_max)),
        output_tokens_max: model
            .output_tokens_max
            .or(entry.and_then(|entry| entry.output_tokens_max)),
    }
}

/// The operator's price, else the catalog's, else what the provider's policy says.
fn priced<'a>(
    model: &'a Model,
    entry: Option<&'a CatalogEntry>,
    unpriced: &'a Unpriced,
) -> (Option<&'a Price>, PriceSource) {
    if let Some(price) = &model.price {
        return (Some(price), PriceSource::Operator);
    }
    if let Some(price) = entry.and_then(|entry| entry.price.as_ref()) {
        return (Some(price), PriceSource::Catalog);
    }
    match unpriced {
        Unpriced::Flat(price) => (Some(price), PriceSource::Flat),
        Unpriced::Track => (None, PriceSource::Track),
        Unpriced::Deny => (None, PriceSource::Deny),
    }
}

fn of_alias(alias: &Alias) -> ListedModel {
    let targets = alias.targets.iter();
    ListedModel {
        name: alias.name.clone(),
        stands_for: targets.map(|target| format!("{}/{}", target.provider, target.model)).collect(),
        price: None,
        price_source: None,
        input_tokens_max: None,
        output_tokens_max: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operators_price_comes_first_and_the_policy_last() {
        let price = Price { input_nano_usd_per_mtok: 5, ..Price::default() };
        let mut model = Model::default();
        assert_eq!(priced(&model, None, &Unpriced::Deny), (None, PriceSource::Deny));
        assert_eq!(priced(&model, None, &Unpriced::Track), (None, PriceSource::Track));
        let flat = Unpriced::Flat(price.clone());
        assert_eq!(priced(&model, None, &flat), (Some(&price), PriceSource::Flat));
        model.price = Some(price.clone());
        let own = priced(&model, None, &Unpriced::Deny);
        assert_eq!(own, (Some(&price), PriceSource::Operator));
    }
}
