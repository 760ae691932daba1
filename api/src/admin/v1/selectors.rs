//! Selectors: terms of every key that bears some labels.

use super::terms::{Labels, Limits, Narrowed, check_narrowed};
use crate::admin::Answer;
use crate::admin::call::Versioned;
use crate::admin::resource::Resource;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Selectors.
#[derive(Clone, Copy, Debug)]
pub enum Selectors {}

impl Resource for Selectors {
    const KIND: &'static str = "selector";
    const PATH: &'static str = "selectors";
    const LISTS: &'static str = "Lists selectors.";
    const PUTS: &'static str =
        "Creates or replaces a selector: terms of every key with these labels.";
    const DELETES: &'static str = "Deletes a selector.";
    type Object = Selector;
    type Settings = SelectorSettings;

    fn name(settings: &SelectorSettings) -> Option<&str> {
        settings.name.as_deref()
    }

    fn check(settings: &SelectorSettings) -> Answer<()> {
        check_narrowed(&settings.narrowed)
    }
}

/// What an operator says of a selector. A PUT replaces all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SelectorSettings {
    /// The name in the path, or absent.
    pub name: Option<String>,
    /// All of these must be on the key, or on whom it belongs to. Empty: every key.
    pub labels: Labels,
    /// Names of budgets. One per key is each key's own; any other is shared by these keys.
    pub budgets: Vec<String>,
    /// Rates and concurrency of all these keys together.
    pub limits: Limits,
    /// Terms of single providers and models.
    pub narrowed: Vec<Narrowed>,
}

/// A selector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Selector {
    /// Unique.
    pub name: String,
    /// All of these must be on the key, or on whom it belongs to. Empty: every key.
    pub labels: Labels,
    /// Names of budgets. One per key is each key's own; any other is shared by these keys.
    pub budgets: Vec<String>,
    /// Rates and concurrency of all these keys together.
    pub limits: Limits,
    /// Terms of single providers and models.
    pub narrowed: Vec<Narrowed>,
    /// Who owns it.
    pub managed_by: String,
    /// Log index of its last change; its `ETag`.
    pub changed_index: u64,
}

impl Versioned for Selector {
    fn changed_index(&self) -> u64 {
        self.changed_index
    }
}
