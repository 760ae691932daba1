//! What a purse is made from, and what it shows of itself.

use ledger::{AccountId, Mode, Unit, UnixMillis, WithoutQuorum};

/// What the ledger says of an account at the moment a purse is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PurseTerms {
    /// The account.
    pub account: AccountId,
    /// The number of its present period.
    pub period: u64,
    /// What it counts.
    pub unit: Unit,
    /// What happens at the limit.
    pub mode: Mode,
    /// The limit.
    pub limit: i64,
    /// End of the period.
    pub ends_at: Option<UnixMillis>,
    /// What may go on where the cluster cannot be asked.
    pub without_quorum: WithoutQuorum,
}

/// A purse at one moment, for metrics and tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PurseBooks {
    /// The account.
    pub account: AccountId,
    /// The period.
    pub period: u64,
    /// What it counts.
    pub unit: Unit,
    /// The limit, as last told.
    pub limit: i64,
    /// May be held, what is sealed included.
    pub available: i64,
    /// Granted, and not to be held before the journal says so: some milliseconds from being needed.
    pub sealed: i64,
    /// Held by requests in flight.
    pub held: i64,
    /// Spent by this life of the node.
    pub settled: i64,
    /// The part of `settled` that the ledger has not applied yet.
    pub unreported: i64,
    /// Given back by this life of the node.
    pub returned: i64,
    /// Granted to this life of the node.
    pub granted: i64,
    /// Billed beyond what was granted.
    pub owed: i64,
    /// Let through beyond what was granted, held or spent, and not covered by a grant since: by a soft
    /// budget, or while the cluster could not be asked.
    pub overspend: i64,
    /// Charges that wait.
    pub waiting: i64,
    /// The pool as last applied; `None` where nothing was heard yet.
    pub pool: Option<i64>,
    /// The pool is low: only exact needs are asked for.
    pub low: bool,
}
