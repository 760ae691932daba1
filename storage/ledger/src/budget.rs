//! Budgets: a limit in money, tokens or requests over one or more windows.

use crate::{AccountId, UnixMillis};

/// Most budgets one key may be charged to.
pub const BUDGETS_MAX: usize = 16;
/// Most windows one budget may have.
pub const WINDOWS_MAX: usize = 3;
/// Shortest fixed window: a second, since every period costs an entry of the log.
pub const FIXED_MS_MIN: u64 = 1_000;
/// Longest fixed window: ten years of 365 days.
pub const FIXED_MS_MAX: u64 = 10 * 365 * 86_400_000;

/// What a budget counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// Nano-USD.
    NanoUsd,
    /// Input and output tokens.
    Tokens,
    /// Requests that reached a provider.
    Requests,
}

/// When a budget starts anew. Calendar windows are in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Window {
    /// Never: prepaid.
    Never,
    /// Every so many milliseconds from the budget's creation.
    Fixed(u64),
    /// At the full hour.
    Hour,
    /// At midnight.
    Day,
    /// At Monday's midnight.
    Week,
    /// At midnight of the first of the month.
    Month,
    /// At midnight of the first of January, April, July, October.
    Quarter,
    /// At midnight of the first of January.
    Year,
}

/// One window with its own limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BudgetWindow {
    /// When it starts anew.
    pub window: Window,
    /// Most that may be spent in one period, in the budget's unit. Zero lets nothing through.
    pub limit: i64,
}

/// What happens at the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Nothing is admitted that could pass the limit.
    #[default]
    Hard,
    /// Requests go on; the excess is recorded as debt.
    Soft,
}

/// A budget. Each of its windows is one account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Unique name.
    pub name: String,
    /// Log index of its creation: the number its accounts carry, never reused, so a budget deleted and
    /// made again under the same name starts with fresh accounts.
    pub handle: u64,
    /// What it counts.
    pub unit: Unit,
    /// One to [`WINDOWS_MAX`] windows.
    pub windows: Vec<BudgetWindow>,
    /// What happens at the limit.
    pub mode: Mode,
    /// Who owns it.
    pub managed_by: String,
    /// Start of fixed windows.
    pub created_at: UnixMillis,
    /// Log index of its last change; its `ETag`.
    pub changed_index: u64,
}

impl Budget {
    /// Its accounts, one per window, in order.
    pub fn accounts(&self) -> impl Iterator<Item = (AccountId, BudgetWindow)> + use<'_> {
        // A budget has at most three windows.
        (0..).zip(&self.windows).map(|(window, terms)| {
            let budget = self.handle;
            (AccountId { budget, window }, *terms)
        })
    }
}
