//! Mirrors of virtual keys and of what they share with the scopes above them. Inside bodies only: none
//! is a frame of its own.

use super::{Bytes, Mirror, codes, mirror};
use crate::format::FormatError;
use ledger::{Allow, Narrowed, RateLimits, ScopeId, ScopeKind, Sealed, VirtualKey};
use serde::{Deserialize, Serialize};

codes!(ScopeKind, "scope kind" { 0 => Customer, 1 => Team, 2 => User });

mirror! {
    /// [`ledger::Sealed`].
    SealedV1 for Sealed { kek_id: [u8; 8], nonce: [u8; 24], ciphertext: Bytes }

    /// [`ledger::ScopeId`].
    ScopeIdV1 for ScopeId { kind: u16, name: String }

    /// [`ledger::RateLimits`].
    RateLimitsV1 for RateLimits {
        requests_per_minute: Option<u64>,
        tokens_per_minute: Option<u64>,
        concurrent_requests: Option<u64>,
    }

    /// [`ledger::Narrowed`].
    NarrowedV1 for Narrowed {
        provider: Option<String>,
        model: Option<String>,
        budgets: Vec<String>,
        limits: RateLimitsV1,
    }

    /// [`ledger::VirtualKey`].
    VirtualKeyV1 for VirtualKey {
        id: String,
        name: String,
        hash: [u8; 32],
        enabled: bool,
        expires_at: Option<u64>,
        providers: AllowV1,
        models: AllowV1,
        budgets: Vec<String>,
        limits: RateLimitsV1,
        managed_by: String,
        created_at: u64,
        changed_index: u64,
        revoked_at: Option<u64>,
        scope: Option<ScopeIdV1>,
        labels: Vec<(String, String)>,
        narrowed: Vec<NarrowedV1>,
        profile: Option<String>,
        may_open_sessions: bool,
        tags: Vec<String>,
        drain_on_disconnect: bool,
        may_use_files: bool,
    }
}

/// [`ledger::Allow`]: all, or only these.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowV1 {
    /// Absent: anything.
    pub only: Option<Vec<String>>,
}

impl Mirror<AllowV1> for Allow {
    fn out(&self) -> AllowV1 {
        match self {
            Allow::All => AllowV1 { only: None },
            Allow::Only(names) => AllowV1 { only: Some(names.clone()) },
        }
    }

    fn back(wire: AllowV1) -> Result<Self, FormatError> {
        Ok(wire.only.map_or(Allow::All, Allow::Only))
    }
}
