//! Which models may a key use? Pure.

use crate::catalog::{Catalog, Mode};
use api::inference::Model;
use ledger::{Ledger, VirtualKey, view};
use std::collections::BTreeMap;

/// Names a key may ask for: aliases, and `provider/model` of every provider that lists models or whose
/// kind the catalog knows. Sorted by name.
pub(crate) fn of(ledger: &Ledger, key: &VirtualKey, catalog: &Catalog) -> Vec<Model> {
    let mut models: BTreeMap<String, String> = BTreeMap::new();
    for provider in ledger.providers.values() {
        if !provider.enabled || !view::provider_allowed(key, &provider.name) {
            continue;
        }
        let listed: Vec<&str> = if provider.models.is_empty() {
            let known = catalog.models(&provider.kind);
            known.filter(|(_, entry)| entry.mode != Mode::Other).map(|(name, _)| name).collect()
        } else {
            provider.models.iter().map(|model| model.name.as_str()).collect()
        };
        for model in listed {
            let name = format!("{}/{model}", provider.name);
            if view::model_allowed(key, &provider.name, model, &name) {
                models.insert(name, provider.name.clone());
            }
        }
    }
    for alias in ledger.aliases.values() {
        let usable = alias.targets.iter().any(|target| {
            let enabled = ledger.providers.get(&target.provider).is_some_and(|found| found.enabled);
            enabled
                && view::provider_allowed(key, &target.provider)
                && view::model_allowed(key, &target.provider, &target.model, &alias.name)
        });
        if usable {
            models.insert(alias.name.clone(), "bursar".to_owned());
        }
    }
    models.into_iter().map(|(id, owned_by)| Model { id, owned_by }).collect()
}
