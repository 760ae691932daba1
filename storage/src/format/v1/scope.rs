//! Mirrors of scopes, selectors and profiles. Inside bodies only: none is a frame of its own.

use super::{AllowV1, NarrowedV1, RateLimitsV1, ScopeIdV1, mirror};
use ledger::{Profile, Scope, Selector};

mirror! {
    /// [`ledger::Scope`].
    ScopeV1 for Scope {
        id: ScopeIdV1,
        parent: Option<ScopeIdV1>,
        budgets: Vec<String>,
        limits: RateLimitsV1,
        narrowed: Vec<NarrowedV1>,
        labels: Vec<(String, String)>,
        managed_by: String,
        created_at: u64,
        changed_index: u64,
    }

    /// [`ledger::Selector`].
    SelectorV1 for Selector {
        name: String,
        labels: Vec<(String, String)>,
        budgets: Vec<String>,
        limits: RateLimitsV1,
        narrowed: Vec<NarrowedV1>,
        managed_by: String,
        changed_index: u64,
    }

    /// [`ledger::Profile`].
    ProfileV1 for Profile {
        name: String,
        providers: Option<AllowV1>,
        models: Option<AllowV1>,
        budgets: Option<Vec<String>>,
        limits: Option<RateLimitsV1>,
        narrowed: Option<Vec<NarrowedV1>>,
        labels: Option<Vec<(String, String)>>,
        tags: Option<Vec<String>>,
        may_open_sessions: Option<bool>,
        drain_on_disconnect: Option<bool>,
        may_use_files: Option<bool>,
        managed_by: String,
        changed_index: u64,
    }
}
