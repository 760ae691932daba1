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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// Nano-USD.
    #[default]
    NanoUsd,
    /// Input and output tokens.
    Tokens,
    /// Requests that reached a provider.
    Requests,
}

/// Most thresholds one budget may have.
pub const THRESHOLDS_MAX: usize = 8;
/// Most steps one budget may have.
pub const STEPS_MAX: usize = 8;
/// A rolling window counts the sub-period that runs and this many full ones before it.
pub const ROLLING_PARTS: u64 = 24;
/// Shortest rolling window: its sub-periods last a second.
pub const ROLLING_MS_MIN: u64 = ROLLING_PARTS * 1_000;

/// When a budget starts anew. Calendar windows are in the budget's time zone.
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
    /// Never at once: at any time the last so many milliseconds count.
    ///
    /// Kept as sub-periods of a [`ROLLING_PARTS`]th of it each; the one that runs and all full ones before
    /// it count, so what counts reaches back up to a part further than asked, never less.
    Rolling(u64),
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

/// Who shares a budget's accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Per {
    /// All that are charged to it.
    #[default]
    All,
    /// Each virtual key has accounts of its own.
    Key,
    /// Each user, where the key has one; else each key.
    User,
    /// Each tag a request carries.
    Tag,
    /// Each session or run a key names in a header, closed by itself so many milliseconds after it was
    /// opened. Requests that name none are not charged to it.
    Session {
        /// From the opening to the close.
        ttl_ms: u64,
    },
}

/// What a node may let through once it cannot ask the cluster any more and its allowance is spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WithoutQuorum {
    /// Nothing.
    #[default]
    Strict,
    /// So much more per node and period, in the budget's unit. What passes the limit becomes debt.
    Degraded(i64),
    /// Everything. What passes the limit becomes debt.
    Open,
}

/// What happens on the way to the limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// From so many percent of the limit spent on, 1 to 100.
    pub at_percent: u8,
    /// What happens.
    pub action: Action,
}

/// What a step does to requests charged to the budget.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// They are served by this model, or alias, instead of the one asked for.
    Downgrade(String),
    /// At most so many a minute go on, over all that are charged to the budget.
    Throttle(u64),
}

/// A budget. Each of its windows is one account, or one for each of those that [`Per`] names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
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
    /// IANA name of the time zone of calendar windows; empty: UTC.
    pub time_zone: String,
    /// Who shares its accounts.
    pub per: Per,
    /// What a node may do that cannot ask.
    pub without_quorum: WithoutQuorum,
    /// Percentages of the limit, 1 to 100, rising; reaching one for the first time in a period is told
    /// to the webhooks.
    pub thresholds: Vec<u8>,
    /// What happens before the limit, rising by `at_percent`.
    pub steps: Vec<Step>,
}

impl Budget {
    /// Its accounts where all share them, one per window, in order.
    pub fn accounts(&self) -> impl Iterator<Item = (AccountId, BudgetWindow)> + use<'_> {
        self.accounts_under(self.handle)
    }

    /// The accounts of one of its instances, one per window, in order.
    pub fn accounts_under(
        &self,
        handle: u64,
    ) -> impl Iterator<Item = (AccountId, BudgetWindow)> + use<'_> {
        // A budget has at most three windows.
        (0..)
            .zip(&self.windows)
            .map(move |(window, terms)| (AccountId { budget: handle, window }, *terms))
    }
}
