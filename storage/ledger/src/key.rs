//! Virtual keys: who may ask, for what, and on whose budgets.

use crate::UnixMillis;

/// Keyed BLAKE3 of a presented key; the key itself is never stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// A virtual key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VirtualKey {
    /// Public id: the middle part of `bsr-<public id>-<secret>`. May appear in logs and errors.
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
}
