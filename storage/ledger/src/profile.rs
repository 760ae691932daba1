//! Profiles: templates of keys. What a profile says, its keys say; the rest is theirs.

use crate::{Allow, Narrowed, RateLimits};
use std::collections::BTreeMap;

/// A template of keys. A field that is `Some` is the profile's: its keys have that value, get the new one
/// with each change of the profile, and cannot have another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Profile {
    /// Unique name.
    pub name: String,
    /// [`crate::VirtualKey::providers`].
    pub providers: Option<Allow>,
    /// [`crate::VirtualKey::models`].
    pub models: Option<Allow>,
    /// [`crate::VirtualKey::budgets`].
    pub budgets: Option<Vec<String>>,
    /// [`crate::VirtualKey::limits`].
    pub limits: Option<RateLimits>,
    /// [`crate::VirtualKey::narrowed`].
    pub narrowed: Option<Vec<Narrowed>>,
    /// [`crate::VirtualKey::labels`].
    pub labels: Option<BTreeMap<String, String>>,
    /// [`crate::VirtualKey::tags`].
    pub tags: Option<Vec<String>>,
    /// [`crate::VirtualKey::may_open_sessions`].
    pub may_open_sessions: Option<bool>,
    /// [`crate::VirtualKey::drain_on_disconnect`].
    pub drain_on_disconnect: Option<bool>,
    /// Who owns it.
    pub managed_by: String,
    /// Log index of its last change; its `ETag`.
    pub changed_index: u64,
}
