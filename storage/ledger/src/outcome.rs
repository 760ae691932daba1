//! What a command came to, and what the node that applied it must do about it.

use crate::{AccountId, NodeId};

/// One grant, or the lack of one, on one (account, period).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The account.
    pub account: AccountId,
    /// The period.
    pub period: u64,
    /// Cumulative granted to this lane after the entry: the receiver adds what is new to it.
    pub granted_cum: i64,
    /// What is left in the pool after it. Zero where the period does not admit; negative after the limit
    /// was lowered below what is out.
    pub pool: i64,
    /// The pool is below 2 % of the limit or holds less than the line wanted, or the period does not admit:
    /// every node keeps 150 ms of its rate and asks for exact needs only.
    pub low: bool,
}

/// Why a command changed nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// The object does not exist: kind and name.
    NotFound(&'static str, String),
    /// `If-Match` named another index than the present one.
    IndexMismatch {
        /// Log index of the object's last change; zero where there is none.
        present: u64,
    },
    /// The object is owned by somebody else: its `managed_by`.
    ManagedBy(String),
    /// Something still refers to the object: what.
    InUse(String),
    /// A name or value the ledger does not take: field and reason.
    Invalid(&'static str, String),
    /// The name or hash is taken: kind and name.
    Taken(&'static str, String),
    /// The key was revoked; a revoked key stays revoked.
    Revoked,
    /// An older incarnation than the node's present one.
    StaleIncarnation {
        /// The present one; [`crate::NodeRecord::RETIRED`] where the node was removed for good.
        present: u64,
    },
    /// The cluster was initialised before, under this id.
    AlreadyInitialised(String),
    /// There is no room for another: what, and of whom there are too many.
    Full(&'static str, String),
}

/// What a command came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Applied; or a repetition of what was applied before.
    Done,
    /// The id of the node asked for, new or as allocated before.
    NodeAllocated(NodeId),
    /// A refill's grants, in the order asked.
    Refilled(Vec<Grant>),
    /// Nothing changed.
    Denied(Denial),
}

/// What changed, for those on this node who must hear of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Something a request can feel other than grants: keys, budgets, providers, aliases, periods.
    /// [`crate::Ledger::config_index`] has moved.
    Config,
    /// Grants to a node's present incarnation. A repeated refill is answered by this too, and grants
    /// nothing new: amounts are cumulative.
    Granted {
        /// The node.
        node: NodeId,
        /// Its incarnation.
        incarnation: u64,
        /// The refill this answers.
        seq: u64,
        /// The grants, in the order asked.
        grants: Vec<Grant>,
    },
    /// A period was opened; the one before no longer admits.
    PeriodOpened {
        /// The account.
        account: AccountId,
        /// The new period.
        period: u64,
    },
    /// Pool grew without a grant (limit raised, returns, a period): remembered refusals are void.
    PoolGrew(AccountId),
}
