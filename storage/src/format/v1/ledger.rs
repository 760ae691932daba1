//! Mirrors of the ledger's keys, budgets and accounts. Inside bodies only: none is a frame of its own.

use super::Bytes;
use crate::format::FormatError;
use ledger::{
    AccountId, Allow, Budget, BudgetWindow, KeyHash, Mode, RateLimits, Sealed, Unit, UnixMillis,
    VirtualKey, Window,
};
use serde::{Deserialize, Serialize};

/// [`ledger::Sealed`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedV1 {
    /// Which key sealed it.
    pub kek_id: [u8; 8],
    /// Nonce.
    pub nonce: [u8; 24],
    /// Ciphertext and tag.
    pub ciphertext: Bytes,
}

/// [`ledger::Allow`]: all, or only these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowV1 {
    /// Absent: anything.
    pub only: Option<Vec<String>>,
}

/// [`ledger::VirtualKey`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are those of the type it mirrors")]
pub struct VirtualKeyV1 {
    pub id: String,
    pub name: String,
    pub hash: [u8; 32],
    pub enabled: bool,
    pub expires_at_ms: Option<u64>,
    pub providers: AllowV1,
    pub models: AllowV1,
    pub budgets: Vec<String>,
    pub requests_per_minute: Option<u64>,
    pub tokens_per_minute: Option<u64>,
    pub concurrent_requests: Option<u64>,
    pub managed_by: String,
    pub created_at_ms: u64,
    pub changed_index: u64,
    pub revoked_at_ms: Option<u64>,
}

/// [`ledger::BudgetWindow`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetWindowV1 {
    /// 0 never, 1 fixed, 2 hour, 3 day, 4 week, 5 month, 6 quarter, 7 year.
    pub window: u16,
    /// Of a fixed window; else zero.
    pub window_ms: u64,
    /// Limit.
    pub limit: i64,
}

/// [`ledger::Budget`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetV1 {
    /// Name.
    pub name: String,
    /// Handle.
    pub handle: u64,
    /// 0 nano-USD, 1 tokens, 2 requests.
    pub unit: u16,
    /// Windows.
    pub windows: Vec<BudgetWindowV1>,
    /// 0 hard, 1 soft.
    pub mode: u16,
    /// Owner.
    pub managed_by: String,
    /// Creation.
    pub created_at_ms: u64,
    /// Last change.
    pub changed_index: u64,
}

/// [`ledger::AccountId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are those of the type it mirrors")]
pub struct AccountIdV1 {
    pub budget: u64,
    pub window: u8,
}

pub(super) fn unknown<T>(what: &'static str, code: u16) -> Result<T, FormatError> {
    Err(FormatError::UnknownCode { what, code })
}

impl From<&Sealed> for SealedV1 {
    fn from(sealed: &Sealed) -> Self {
        SealedV1 {
            kek_id: sealed.kek_id,
            nonce: sealed.nonce,
            ciphertext: Bytes(sealed.ciphertext.clone()),
        }
    }
}

impl From<SealedV1> for Sealed {
    fn from(wire: SealedV1) -> Self {
        Sealed { kek_id: wire.kek_id, nonce: wire.nonce, ciphertext: wire.ciphertext.0 }
    }
}

impl From<&Allow> for AllowV1 {
    fn from(allow: &Allow) -> Self {
        match allow {
            Allow::All => AllowV1 { only: None },
            Allow::Only(names) => AllowV1 { only: Some(names.clone()) },
        }
    }
}

impl From<AllowV1> for Allow {
    fn from(wire: AllowV1) -> Self {
        wire.only.map_or(Allow::All, Allow::Only)
    }
}

impl From<&VirtualKey> for VirtualKeyV1 {
    fn from(key: &VirtualKey) -> Self {
        VirtualKeyV1 {
            id: key.id.clone(),
            name: key.name.clone(),
            hash: key.hash.0,
            enabled: key.enabled,
            expires_at_ms: key.expires_at.map(|at| at.0),
            providers: (&key.providers).into(),
            models: (&key.models).into(),
            budgets: key.budgets.clone(),
            requests_per_minute: key.limits.requests_per_minute,
            tokens_per_minute: key.limits.tokens_per_minute,
            concurrent_requests: key.limits.concurrent_requests,
            managed_by: key.managed_by.clone(),
            created_at_ms: key.created_at.0,
            changed_index: key.changed_index,
            revoked_at_ms: key.revoked_at.map(|at| at.0),
        }
    }
}

impl From<VirtualKeyV1> for VirtualKey {
    fn from(wire: VirtualKeyV1) -> Self {
        VirtualKey {
            id: wire.id,
            name: wire.name,
            hash: KeyHash(wire.hash),
            enabled: wire.enabled,
            expires_at: wire.expires_at_ms.map(UnixMillis),
            providers: wire.providers.into(),
            models: wire.models.into(),
            budgets: wire.budgets,
            limits: RateLimits {
                requests_per_minute: wire.requests_per_minute,
                tokens_per_minute: wire.tokens_per_minute,
                concurrent_requests: wire.concurrent_requests,
            },
            managed_by: wire.managed_by,
            created_at: UnixMillis(wire.created_at_ms),
            changed_index: wire.changed_index,
            revoked_at: wire.revoked_at_ms.map(UnixMillis),
        }
    }
}

impl From<&BudgetWindow> for BudgetWindowV1 {
    fn from(window: &BudgetWindow) -> Self {
        let (code, window_ms) = match window.window {
            Window::Never => (0, 0),
            Window::Fixed(ms) => (1, ms),
            Window::Hour => (2, 0),
            Window::Day => (3, 0),
            Window::Week => (4, 0),
            Window::Month => (5, 0),
            Window::Quarter => (6, 0),
            Window::Year => (7, 0),
        };
        BudgetWindowV1 { window: code, window_ms, limit: window.limit }
    }
}

impl TryFrom<BudgetWindowV1> for BudgetWindow {
    type Error = FormatError;

    fn try_from(wire: BudgetWindowV1) -> Result<Self, FormatError> {
        let window = match wire.window {
            0 => Window::Never,
            1 => Window::Fixed(wire.window_ms),
            2 => Window::Hour,
            3 => Window::Day,
            4 => Window::Week,
            5 => Window::Month,
            6 => Window::Quarter,
            7 => Window::Year,
            code => return unknown("window", code),
        };
        Ok(BudgetWindow { window, limit: wire.limit })
    }
}

impl From<&Budget> for BudgetV1 {
    fn from(budget: &Budget) -> Self {
        BudgetV1 {
            name: budget.name.clone(),
            handle: budget.handle,
            unit: match budget.unit {
                Unit::NanoUsd => 0,
                Unit::Tokens => 1,
                Unit::Requests => 2,
            },
            windows: budget.windows.iter().map(BudgetWindowV1::from).collect(),
            mode: match budget.mode {
                Mode::Hard => 0,
                Mode::Soft => 1,
            },
            managed_by: budget.managed_by.clone(),
            created_at_ms: budget.created_at.0,
            changed_index: budget.changed_index,
        }
    }
}

impl TryFrom<BudgetV1> for Budget {
    type Error = FormatError;

    fn try_from(wire: BudgetV1) -> Result<Self, FormatError> {
        let windows = wire.windows.into_iter().map(BudgetWindow::try_from);
        Ok(Budget {
            name: wire.name,
            handle: wire.handle,
            unit: match wire.unit {
                0 => Unit::NanoUsd,
                1 => Unit::Tokens,
                2 => Unit::Requests,
                code => return unknown("unit", code),
            },
            windows: windows.collect::<Result<_, _>>()?,
            mode: match wire.mode {
                0 => Mode::Hard,
                1 => Mode::Soft,
                code => return unknown("mode", code),
            },
            managed_by: wire.managed_by,
            created_at: UnixMillis(wire.created_at_ms),
            changed_index: wire.changed_index,
        })
    }
}

impl From<AccountId> for AccountIdV1 {
    fn from(id: AccountId) -> Self {
        AccountIdV1 { budget: id.budget, window: id.window }
    }
}

impl From<AccountIdV1> for AccountId {
    fn from(wire: AccountIdV1) -> Self {
        AccountId { budget: wire.budget, window: wire.window }
    }
}
