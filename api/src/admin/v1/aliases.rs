//! Model aliases: a name of the operator's for one or more models.

use crate::admin::call::Versioned;
use crate::admin::resource::Resource;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Model aliases.
#[derive(Clone, Copy, Debug)]
pub enum Aliases {}

impl Resource for Aliases {
    const KIND: &'static str = "alias";
    const PATH: &'static str = "aliases";
    const LISTS: &'static str = "Lists aliases.";
    const PUTS: &'static str = "Creates or replaces an alias.";
    const DELETES: &'static str = "Deletes an alias.";
    type Object = Alias;
    type Settings = AliasSettings;

    fn name(settings: &AliasSettings) -> Option<&str> {
        settings.name.as_deref()
    }
}

/// One model an alias may stand for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Name of the provider.
    pub provider: String,
    /// Name of the model there.
    pub model: String,
    /// Share among the targets. Zero: a fallback, in the order written.
    #[serde(default = "one")]
    pub weight: u32,
}

fn one() -> u32 {
    1
}

/// What an operator says of an alias.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AliasSettings {
    /// The name in the path, or absent.
    pub name: Option<String>,
    /// One to 32 targets.
    pub targets: Vec<Target>,
}

/// An alias.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Alias {
    /// Unique, without a slash.
    pub name: String,
    /// What it stands for.
    pub targets: Vec<Target>,
    /// Who owns it.
    pub managed_by: String,
    /// Log index of its last change; its `ETag`.
    pub changed_index: u64,
}

impl Versioned for Alias {
    fn changed_index(&self) -> u64 {
        self.changed_index
    }
}
