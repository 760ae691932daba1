//! Mirrors of budgets. Inside bodies only: none is a frame of its own.

use super::{Mirror, codes, mirror};
use crate::format::FormatError;
use ledger::{
    AccountId, Action, Budget, BudgetWindow, Mode, Per, Step, Unit, Window, WithoutQuorum,
};
use serde::{Deserialize, Serialize};

codes!(Unit, "unit" { 0 => NanoUsd, 1 => Tokens, 2 => Requests });
codes!(Mode, "mode" { 0 => Hard, 1 => Soft });

mirror! {
    /// [`ledger::AccountId`].
    #[derive(Copy, Debug)]
    AccountIdV1 for AccountId { budget: u64, window: u8 }

    /// [`ledger::BudgetWindow`].
    BudgetWindowV1 for BudgetWindow { window: WindowV1, limit: i64 }

    /// [`ledger::Step`].
    StepV1 for Step { at_percent: u8, action: ActionV1 }

    /// [`ledger::Budget`].
    BudgetV1 for Budget {
        name: String,
        handle: u64,
        unit: u16,
        windows: Vec<BudgetWindowV1>,
        mode: u16,
        managed_by: String,
        created_at: u64,
        changed_index: u64,
        time_zone: String,
        per: PerV1,
        without_quorum: WithoutQuorumV1,
        thresholds: Vec<u8>,
        steps: Vec<StepV1>,
    }
}

/// [`ledger::Window`].
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowV1 {
    /// 0 never, 1 fixed, 2 hour, 3 day, 4 week, 5 month, 6 quarter, 7 year, 8 rolling.
    pub code: u16,
    /// Of a fixed or rolling window; else zero.
    pub span_ms: u64,
}

/// [`ledger::Per`].
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PerV1 {
    /// 0 all, 1 key, 2 user, 3 tag, 4 session.
    pub code: u16,
    /// Of a session; else zero.
    pub ttl_ms: u64,
}

/// [`ledger::WithoutQuorum`].
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithoutQuorumV1 {
    /// 0 strict, 1 degraded, 2 open.
    pub code: u16,
    /// With 1: so much more; else zero.
    pub more: i64,
}

/// [`ledger::Action`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionV1 {
    /// 0 downgrade, 1 throttle.
    pub code: u16,
    /// With 0: the model or alias; else empty.
    pub model: String,
    /// With 1: requests per minute; else zero.
    pub requests_per_minute: u64,
}

impl Mirror<WindowV1> for Window {
    fn out(&self) -> WindowV1 {
        let (code, span_ms) = match self {
            Window::Never => (0, 0),
            Window::Fixed(ms) => (1, *ms),
            Window::Hour => (2, 0),
            Window::Day => (3, 0),
            Window::Week => (4, 0),
            Window::Month => (5, 0),
            Window::Quarter => (6, 0),
            Window::Year => (7, 0),
            Window::Rolling(ms) => (8, *ms),
        };
        WindowV1 { code, span_ms }
    }

    fn back(wire: WindowV1) -> Result<Self, FormatError> {
        match wire.code {
            0 => Ok(Window::Never),
            1 => Ok(Window::Fixed(wire.span_ms)),
            2 => Ok(Window::Hour),
            3 => Ok(Window::Day),
            4 => Ok(Window::Week),
            5 => Ok(Window::Month),
            6 => Ok(Window::Quarter),
            7 => Ok(Window::Year),
            8 => Ok(Window::Rolling(wire.span_ms)),
            code => Err(FormatError::UnknownCode { what: "window", code }),
        }
    }
}

impl Mirror<PerV1> for Per {
    fn out(&self) -> PerV1 {
        let (code, ttl_ms) = match self {
            Per::All => (0, 0),
            Per::Key => (1, 0),
            Per::User => (2, 0),
            Per::Tag => (3, 0),
            Per::Session { ttl_ms } => (4, *ttl_ms),
        };
        PerV1 { code, ttl_ms }
    }

    fn back(wire: PerV1) -> Result<Self, FormatError> {
        match wire.code {
            0 => Ok(Per::All),
            1 => Ok(Per::Key),
            2 => Ok(Per::User),
            3 => Ok(Per::Tag),
            4 => Ok(Per::Session { ttl_ms: wire.ttl_ms }),
            code => Err(FormatError::UnknownCode { what: "per", code }),
        }
    }
}

impl Mirror<WithoutQuorumV1> for WithoutQuorum {
    fn out(&self) -> WithoutQuorumV1 {
        let (code, more) = match self {
            WithoutQuorum::Strict => (0, 0),
            WithoutQuorum::Degraded(more) => (1, *more),
            WithoutQuorum::Open => (2, 0),
        };
        WithoutQuorumV1 { code, more }
    }

    fn back(wire: WithoutQuorumV1) -> Result<Self, FormatError> {
        match wire.code {
            0 => Ok(WithoutQuorum::Strict),
            1 => Ok(WithoutQuorum::Degraded(wire.more)),
            2 => Ok(WithoutQuorum::Open),
            code => Err(FormatError::UnknownCode { what: "policy without quorum", code }),
        }
    }
}

impl Mirror<ActionV1> for Action {
    fn out(&self) -> ActionV1 {
        let (code, model, requests_per_minute) = match self {
            Action::Downgrade(model) => (0, model.clone(), 0),
            Action::Throttle(rate) => (1, String::new(), *rate),
        };
        ActionV1 { code, model, requests_per_minute }
    }

    fn back(wire: ActionV1) -> Result<Self, FormatError> {
        match wire.code {
            0 => Ok(Action::Downgrade(wire.model)),
            1 => Ok(Action::Throttle(wire.requests_per_minute)),
            code => Err(FormatError::UnknownCode { what: "step", code }),
        }
    }
}
