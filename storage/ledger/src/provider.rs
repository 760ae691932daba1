//! Providers: where requests go, with which credentials, at what price.

use crate::Price;
use std::collections::BTreeMap;

/// A secret sealed with XChaCha20-Poly1305 under the key-encryption key: the ledger never sees it open.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Sealed {
    /// Which key-encryption key sealed it (first 8 bytes of its BLAKE3).
    pub kek_id: [u8; 8],
    /// Nonce, 24 bytes.
    pub nonce: [u8; 24],
    /// Ciphertext and tag.
    pub ciphertext: Vec<u8>,
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealed({} bytes)", self.ciphertext.len())
    }
}

/// One credential of a provider.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Credential {
    /// Unique within the provider.
    pub name: String,
    /// Share of the traffic, relative to the other credentials. Zero: only when the others fail.
    pub weight: u32,
    /// The API key. `None` for keyless providers.
    pub secret: Option<Sealed>,
}

/// A model a provider serves, with what the operator says of it. What is `None` comes from the catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Model {
    /// Name callers use.
    pub name: String,
    /// Name the provider knows it by, where different.
    pub upstream_name: Option<String>,
    /// Price, overriding the catalog.
    pub price: Option<Price>,
    /// Most output tokens, overriding the catalog.
    pub output_tokens_max: Option<u64>,
    /// Most input tokens, overriding the catalog.
    pub input_tokens_max: Option<u64>,
}

/// What to do with a model that has no price, when a money budget is on the path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Unpriced {
    /// Refuse it.
    #[default]
    Deny,
    /// Charge this price.
    Flat(Price),
    /// Charge nothing, count tokens and requests.
    Track,
}

/// How a provider tells usage in a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum StreamUsage {
    /// Only when `stream_options.include_usage` is asked for.
    #[default]
    Ask,
    /// Always, and asking may be refused.
    Always,
    /// Never: tokens are counted by us.
    Never,
}

/// How a provider is asked otherwise than its kind is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Overrides {
    /// The name of the dialect it speaks, in the place of its kind's.
    pub dialect: Option<String>,
    /// Headers that every request has, by name in lower case. `{secret}` in one stands for the credential,
    /// which is then shown nowhere else.
    pub headers: BTreeMap<String, String>,
    /// Paths behind the base URL, by operation, or by operation and `.stream`. `{model}` in one stands for
    /// the model.
    pub paths: BTreeMap<String, String>,
}

/// A provider.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Provider {
    /// Unique name; the part before the slash of `provider/model`.
    pub name: String,
    /// Name of the wire provider that speaks to it, e.g. `openai-compatible`.
    pub kind: String,
    /// Base URL, up to and with the version segment: `https://api.openai.com/v1`. No trailing slash.
    pub base_url: String,
    /// Credentials, at least one.
    pub credentials: Vec<Credential>,
    /// How it is asked otherwise than its kind.
    pub overrides: Overrides,
    /// Models it serves. Empty: any model the catalog lists for `kind`, or, failing that, any name.
    pub models: Vec<Model>,
    /// What to do with a model without a price.
    pub unpriced: Unpriced,
    /// How usage comes in streams.
    pub stream_usage: StreamUsage,
    /// Longest wait for the head of an answer, and between two pieces of a stream.
    pub timeout_ms: u64,
    /// Attempts in all, first one included.
    pub attempts_max: u32,
    /// May resolve to loopback and private addresses.
    pub allow_private_network: bool,
    /// A disabled provider is not routed to.
    pub enabled: bool,
    /// Who owns it.
    pub managed_by: String,
    /// Log index of its last change; its `ETag`.
    pub changed_index: u64,
}

impl Provider {
    /// The model of this name, if the provider lists it.
    pub fn model(&self, name: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.name == name)
    }
}
