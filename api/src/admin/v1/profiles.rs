//! Access profiles: templates of keys. What a profile says, its keys say; the rest is theirs.

use super::terms::{Allowed, Labels, Limits, Narrowed, check_narrowed};
use crate::admin::Answer;
use crate::admin::call::Versioned;
use crate::admin::resource::Resource;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Access profiles.
#[derive(Clone, Copy, Debug)]
pub enum Profiles {}

impl Resource for Profiles {
    const KIND: &'static str = "profile";
    const PATH: &'static str = "profiles";
    const LISTS: &'static str = "Lists access profiles.";
    const PUTS: &'static str =
        "Creates or replaces an access profile, and applies it to the keys that have it.";
    const DELETES: &'static str = "Deletes an access profile that no key has.";
    type Object = Profile;
    type Settings = ProfileSettings;

    fn name(settings: &ProfileSettings) -> Option<&str> {
        settings.name.as_deref()
    }

    fn check(settings: &ProfileSettings) -> Answer<()> {
        check_narrowed(settings.owned.narrowed.as_deref().unwrap_or_default())
    }
}

/// The fields a profile owns: its keys have these values and cannot have others. An absent one is each
/// key's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Owned {
    /// Providers its keys may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub providers: Option<Allowed>,
    /// Models its keys may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub models: Option<Allowed>,
    /// Budgets its keys are charged to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budgets: Option<Vec<String>>,
    /// Rates and concurrency of each of its keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Terms of single providers and models.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub narrowed: Option<Vec<Narrowed>>,
    /// What selectors look at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Labels>,
    /// Tags each request of its keys carries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// Whether its keys may open sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub may_open_sessions: Option<bool>,
    /// Whether streams whose caller left are read to their end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain_on_disconnect: Option<bool>,
    /// Whether its requests may reach what a provider keeps for whoever has its credential: files, uploads,
    /// batches and lists of stored answers. Other keys' are among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub may_use_files: Option<bool>,
}

/// What an operator says of a profile. A PUT replaces all of it. What is absent is each key's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(from = "Written")]
pub struct ProfileSettings {
    /// The name in the path, or absent.
    pub name: Option<String>,
    /// The fields it owns.
    #[serde(flatten)]
    pub owned: Owned,
}

/// The same, flat: an unknown field is refused only where nothing is flattened.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Option<String>,
    providers: Option<Allowed>,
    models: Option<Allowed>,
    budgets: Option<Vec<String>>,
    limits: Option<Limits>,
    narrowed: Option<Vec<Narrowed>>,
    labels: Option<Labels>,
    tags: Option<Vec<String>>,
    may_open_sessions: Option<bool>,
    drain_on_disconnect: Option<bool>,
    may_use_files: Option<bool>,
}

impl From<Written> for ProfileSettings {
    fn from(written: Written) -> Self {
        let owned = Owned {
            providers: written.providers,
            models: written.models,
            budgets: written.budgets,
            limits: written.limits,
            narrowed: written.narrowed,
            labels: written.labels,
            tags: written.tags,
            may_open_sessions: written.may_open_sessions,
            drain_on_disconnect: written.drain_on_disconnect,
            may_use_files: written.may_use_files,
        };
        Self { name: written.name, owned }
    }
}

/// An access profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Profile {
    /// Unique.
    pub name: String,
    /// The fields it owns.
    #[serde(flatten)]
    pub owned: Owned,
    /// Keys that have it.
    pub keys: usize,
    /// Who owns it.
    pub managed_by: String,
    /// Log index of its last change; its `ETag`.
    pub changed_index: u64,
}

impl Versioned for Profile {
    fn changed_index(&self) -> u64 {
        self.changed_index
    }
}
