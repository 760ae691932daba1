//! Providers: where requests go, with which credentials, at what price.

mod model;
mod price;
mod rate;

pub use model::{Model, Unpriced};
pub use price::Price;
pub use rate::{PictureQuality, Rate, RateClass, ServiceClass};

use crate::admin::Hidden;
use crate::admin::call::Versioned;
use crate::admin::resource::Resource;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Providers.
#[derive(Clone, Copy, Debug)]
pub enum Providers {}

impl Resource for Providers {
    const KIND: &'static str = "provider";
    const PATH: &'static str = "providers";
    const LISTS: &'static str = "Lists providers.";
    const PUTS: &'static str =
        "Creates or replaces a provider. Secrets that are absent stay as they were.";
    const DELETES: &'static str = "Deletes a provider that no alias names.";
    type Object = Provider;
    type Settings = ProviderSettings;

    fn name(settings: &ProviderSettings) -> Option<&str> {
        settings.name.as_deref()
    }
}

/// How a provider tells usage in a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StreamUsage {
    /// Only when `stream_options.include_usage` is asked for.
    #[default]
    Ask,
    /// Always, and asking may be refused.
    Always,
    /// Never: tokens are counted by the gateway.
    Never,
}

/// A credential as it is set.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CredentialSettings {
    /// Unique within the provider.
    #[serde(default = "default_name")]
    pub name: String,
    /// Share of the traffic, relative to the other credentials. Zero: only when the others fail.
    #[serde(default = "one")]
    pub weight: u32,
    /// The provider's API key. Stored sealed and never shown. Absent: the one set before under this
    /// name stays. Empty: the provider needs none.
    ///
    /// At `bedrock`, `vertex` and `azure` also what the cloud issues keys and tokens for: `default`, for whatever
    /// the node's machine has, or JSON: `{"access_key_id", "secret_access_key", "session_token", "region"}` of AWS,
    /// the document of a service account or of a user's login of Google, or `{"tenant_id", "client_id",
    /// "client_secret"}` of Entra.
    #[schema(write_only)]
    pub secret: Option<Hidden>,
}

/// A credential as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Credential {
    /// Unique within the provider.
    pub name: String,
    /// Share of the traffic.
    pub weight: u32,
    /// Whether a secret is set.
    pub set: bool,
}

/// What an operator says of a provider. A PUT replaces all of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderSettings {
    /// The name in the path, or absent.
    pub name: Option<String>,
    /// How it is spoken to.
    #[serde(default = "default_kind")]
    pub kind: String,
    /// Base URL up to and with the version: `https://api.openai.com/v1`. A query in it goes with every request.
    /// Empty: that of the kind, where it has one.
    #[serde(default)]
    pub base_url: String,
    /// Region of the account, for a base URL that is that of the kind: `eu-west-1` at Bedrock, the location at
    /// Vertex. Not shown.
    #[schema(write_only)]
    pub region: Option<String>,
    /// Project of the account at Vertex, likewise.
    #[schema(write_only)]
    pub project: Option<String>,
    /// Resource of the account at Azure, likewise.
    #[schema(write_only)]
    pub resource: Option<String>,
    /// The dialect that a server of kind `openai-compatible` speaks, where it is another.
    pub dialect: Option<String>,
    /// Headers that every request has, by name in lower case. `{secret}` in one stands for the credential,
    /// which is then shown nowhere else.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Paths behind the base URL where they differ from the dialect's, by operation (`chat_completions`), or by
    /// operation and `.stream`. `{model}` in one stands for the model.
    #[serde(default)]
    pub paths: BTreeMap<String, String>,
    /// Credentials. Empty: the provider needs none; at `bedrock` and `vertex`, whatever the node's machine has.
    #[serde(default)]
    pub credentials: Vec<CredentialSettings>,
    /// Models it serves. Empty: those the catalog lists for `kind`, or, failing that, any.
    #[serde(default)]
    pub models: Vec<Model>,
    /// What to do with a model without a price.
    #[serde(default)]
    pub unpriced: Unpriced,
    /// How usage comes in streams.
    #[serde(default)]
    pub stream_usage: StreamUsage,
    /// Longest wait for the head of an answer, and between two pieces of a stream, in milliseconds.
    #[serde(default = "default_timeout_ms")]
    pub timeout_ms: u64,
    /// Attempts in all, the first one included.
    #[serde(default = "default_attempts")]
    pub attempts_max: u32,
    /// Whether it may resolve to loopback and private addresses.
    #[serde(default)]
    pub allow_private_network: bool,
    /// A disabled provider is not asked.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn default_kind() -> String {
    "openai-compatible".to_owned()
}

fn default_name() -> String {
    "default".to_owned()
}

fn default_timeout_ms() -> u64 {
    600_000
}

fn default_attempts() -> u32 {
    3
}

fn one() -> u32 {
    1
}

fn yes() -> bool {
    true
}

/// A provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Provider {
    /// Unique; the part before the slash of `provider/model`.
    pub name: String,
    /// How it is spoken to.
    pub kind: String,
    /// Base URL.
    pub base_url: String,
    /// The dialect it speaks, where an operator says so.
    pub dialect: Option<String>,
    /// Headers that every request has beside those of its kind.
    pub headers: BTreeMap<String, String>,
    /// Paths that differ from the dialect's, by operation.
    pub paths: BTreeMap<String, String>,
    /// Credentials, without their secrets.
    pub credentials: Vec<Credential>,
    /// Models as the operator listed them.
    pub models: Vec<Model>,
    /// What to do with a model without a price.
    pub unpriced: Unpriced,
    /// How usage comes in streams.
    pub stream_usage: StreamUsage,
    /// Longest wait for the head of an answer, and between two pieces of a stream, in milliseconds.
    pub timeout_ms: u64,
    /// Attempts in all.
    pub attempts_max: u32,
    /// Whether it may resolve to loopback and private addresses.
    pub allow_private_network: bool,
    /// A disabled provider is not asked.
    pub enabled: bool,
    /// Who owns it.
    pub managed_by: String,
    /// Log index of its last change; its `ETag`.
    pub changed_index: u64,
}

impl Versioned for Provider {
    fn changed_index(&self) -> u64 {
        self.changed_index
    }
}
