//! Which models may a key use? Pure.

use crate::catalog::{Catalog, CatalogEntry, Mode};
use api::inference::Model;
use api::inference::models::Kind;
use ledger::{Ledger, Provider, VirtualKey, view};
use std::collections::BTreeMap;

/// Names a key may ask for: aliases, and `provider/model` of every provider that lists models or whose
/// kind the catalog knows. Sorted by name.
pub(crate) fn of(ledger: &Ledger, key: &VirtualKey, catalog: &Catalog) -> Vec<Model> {
    let mut models: BTreeMap<String, Model> = BTreeMap::new();
    for provider in ledger.providers.values() {
        if !provider.enabled || !view::provider_allowed(key, &provider.name) {
            continue;
        }
        let listed: Vec<&str> = if provider.models.is_empty() {
            let known = catalog.models(&provider.kind);
            known
                .filter(|(name, entry)| kind(Some(*entry), name) != Kind::Other)
                .map(|(name, _)| name)
                .collect()
        } else {
            provider.models.iter().map(|model| model.name.as_str()).collect()
        };
        for model in listed {
            let name = format!("{}/{model}", provider.name);
            if view::model_allowed(key, &provider.name, model, &name) {
                models.insert(name.clone(), described(name, provider, model, catalog));
            }
        }
    }
    for alias in ledger.aliases.values() {
        let usable = alias.targets.iter().find_map(|target| {
            let provider = ledger.providers.get(&target.provider).filter(|found| found.enabled)?;
            let allowed = view::provider_allowed(key, &target.provider)
                && view::model_allowed(key, &target.provider, &target.model, &alias.name);
            allowed.then_some((provider, &target.model))
        });
        if let Some((provider, model)) = usable {
            let described = described(alias.name.clone(), provider, model, catalog);
            let owned_by = "bursar".to_owned();
            models.insert(alias.name.clone(), Model { owned_by, ..described });
        }
    }
    models.into_values().collect()
}

/// What is known of a model, by the operator's word first.
fn described(id: String, provider: &Provider, model: &str, catalog: &Catalog) -> Model {
    let own = provider.models.iter().find(|listed| listed.name == model);
    let theirs = own.and_then(|own| own.upstream_name.as_deref()).unwrap_or(model);
    let entry = catalog.find(&provider.kind, theirs);
    let (input, output) =
        own.map_or((None, None), |own| (own.input_tokens_max, own.output_tokens_max));
    Model {
        id,
        owned_by: provider.name.clone(),
        kind: kind(entry, theirs),
        input_tokens_max: input.or_else(|| entry?.input_tokens_max),
        output_tokens_max: output.or_else(|| entry?.output_tokens_max),
    }
}

/// What a model is good for; the names of those that are in no catalog mostly tell it.
fn kind(entry: Option<&CatalogEntry>, name: &str) -> Kind {
    match entry.map(|entry| entry.mode) {
        Some(Mode::Chat | Mode::Completion) => Kind::Chat,
        Some(Mode::Embedding) => Kind::Embed,
        Some(Mode::Other) | None if name.contains("rerank") => Kind::Rerank,
        Some(Mode::Other) => Kind::Other,
        None if name.contains("embed") => Kind::Embed,
        None => Kind::Chat,
    }
}
