//! Virtual keys: who may ask, for what, and on whose budgets.

use crate::{ScopeId, UnixMillis};
use std::collections::BTreeMap;

/// Keyed BLAKE3 of a presented key; the key itself is never stored.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHash(pub [u8; 32]);

impl std::fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyHash({:02x}{:02x}..)", self.0[0], self.0[1])
    }
}

/// A list of what is allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Allow {
    /// Anything.
    #[default]
    All,
    /// Only these names. Empty allows nothing.
    Only(Vec<String>),
}

/// Limits that are shared out and not logged. `None` is no limit; zero lets nothing through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RateLimits {
    /// Requests begun in any minute.
    pub requests_per_minute: Option<u64>,
    /// Tokens (input and output) in any minute.
    pub tokens_per_minute: Option<u64>,
    /// Requests in flight at once.
    pub concurrent_requests: Option<u64>,
}

/// What is charged and limited besides, where a request goes to this provider or model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Narrowed {
    /// Only requests to this provider; `None`: to any.
    pub provider: Option<String>,
    /// Only requests to this model, as `provider/model` or a bare name, either with a `*` at its end for any
    /// rest; `None`: to any.
    pub model: Option<String>,
    /// Names of budgets.
    pub budgets: Vec<String>,
    /// Rates and concurrency.
    pub limits: RateLimits,
}

impl Narrowed {
    /// Whether it is about requests to this provider's model.
    pub fn matches(&self, provider: &str, model: &str) -> bool {
        let wanted = self.provider.as_deref();
        let pattern = self.model.as_deref();
        wanted.is_none_or(|wanted| wanted == provider)
            && pattern.is_none_or(|pattern| model_matches(pattern, provider, model))
    }

    /// Where it applies, as one pattern of models: `openai/*`, `openai/gpt-4o`, `gpt-4*`. A list has each
    /// at most once.
    pub fn place(&self) -> String {
        let model = self.model.as_deref().unwrap_or("*");
        match &self.provider {
            None => model.to_owned(),
            Some(provider) if below(model, provider).is_some() => model.to_owned(),
            Some(provider) => format!("{provider}/{model}"),
        }
    }
}

/// What stands behind `provider/`.
fn below<'a>(pattern: &'a str, provider: &str) -> Option<&'a str> {
    pattern.strip_prefix(provider)?.strip_prefix('/')
}

/// Whether a pattern means a provider's model: `provider/model` or the bare name; a `*` at the end stands
/// for any rest.
fn model_matches(pattern: &str, provider: &str, model: &str) -> bool {
    let means = |pattern: &str| match pattern.strip_suffix('*') {
        Some(begin) => model.starts_with(begin),
        None => pattern == model,
    };
    means(pattern) || below(pattern, provider).is_some_and(means)
}

/// A virtual key. By default it is disabled and nameless.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct VirtualKey {
    /// Public id: the middle part of `bsr-<public id>-<secret>`. May appear in logs and errors, and stays when
    /// the secret changes: usage and receipts are found by it.
    pub id: String,
    /// Unique name, the one operators use.
    pub name: String,
    /// Keyed hash of the whole key as presented.
    pub hash: KeyHash,
    /// A disabled key is refused with 403 and keeps its settings.
    pub enabled: bool,
    /// Refused from this moment on.
    pub expires_at: Option<UnixMillis>,
    /// Providers it may use, by name.
    pub providers: Allow,
    /// Models it may use, as `provider/model`, a bare model name, or an alias.
    pub models: Allow,
    /// Names of the budgets each of its requests is charged to, at most [`crate::budget::BUDGETS_MAX`].
    pub budgets: Vec<String>,
    /// Rates and concurrency.
    pub limits: RateLimits,
    /// Who owns it: `api:<actor>` or `file:<name>`.
    pub managed_by: String,
    /// When it was made.
    pub created_at: UnixMillis,
    /// Log index of its last change; its `ETag`.
    pub changed_index: u64,
    /// Set by `RevokeKey`, for ever.
    pub revoked_at: Option<UnixMillis>,
    /// The customer, team or user it belongs to: their budgets and limits count too.
    pub scope: Option<ScopeId>,
    /// What selectors look at.
    pub labels: BTreeMap<String, String>,
    /// Terms of single providers and models.
    pub narrowed: Vec<Narrowed>,
    /// The profile whose fields it has.
    pub profile: Option<String>,
    /// Its requests may open sessions: budgets [`crate::Per::Session`] among its budgets are charged then.
    pub may_open_sessions: bool,
    /// Tags each of its requests carries, for reports and budgets per tag.
    pub tags: Vec<String>,
    /// Streams whose caller left are read to their end, to learn what they cost.
    pub drain_on_disconnect: bool,
    /// Its requests may reach what a provider keeps for whoever has its credential: files, uploads, batches and
    /// lists of stored answers. Other keys' are among them.
    pub may_use_files: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn narrowed(provider: Option<&str>, model: Option<&str>) -> Narrowed {
        let (provider, model) = (provider.map(str::to_owned), model.map(str::to_owned));
        Narrowed { provider, model, ..Narrowed::default() }
    }

    #[test]
    fn terms_are_narrowed_to_a_provider_a_model_or_the_beginning_of_its_name() {
        for (provider, model, place) in [
            (None, None, "*"),
            (Some("openai"), None, "openai/*"),
            (None, Some("gpt-4o"), "gpt-4o"),
            (None, Some("openai/gpt-4o"), "openai/gpt-4o"),
            (Some("openai"), Some("gpt-4o"), "openai/gpt-4o"),
            (Some("openai"), Some("openai/gpt-4o"), "openai/gpt-4o"),
            (None, Some("gpt-4*"), "gpt-4*"),
            (None, Some("openai/*"), "openai/*"),
            (None, Some("openai/gpt*"), "openai/gpt*"),
        ] {
            let narrowed = narrowed(provider, model);
            assert!(narrowed.matches("openai", "gpt-4o"), "{narrowed:?}");
            assert_eq!(narrowed.place(), place);
        }
        for (provider, model) in [
            (Some("azure"), None),
            (Some("azure"), Some("gpt-4o")),
            (None, Some("gpt-4")),
            (None, Some("azure/gpt-4o")),
            (None, Some("azure/*")),
            (None, Some("open*")),
            (None, Some("o1*")),
            (Some("openai"), Some("azure/gpt-4o")),
        ] {
            let narrowed = narrowed(provider, model);
            assert!(!narrowed.matches("openai", "gpt-4o"), "{narrowed:?}");
        }
        let slashed = narrowed(None, Some("deepseek/chat"));
        assert!(slashed.matches("openrouter", "deepseek/chat"));
    }
}
