//! The commands of the log, one file each, and [`apply`].

mod allocate_node;
mod close_period;
mod delete_alias;
mod delete_budget;
mod delete_provider;
mod enrol_node;
mod init_cluster;
mod open_period;
mod put_alias;
mod put_budget;
mod put_key;
mod put_provider;
mod refill;
mod revoke_key;
mod rotate_key;

pub use allocate_node::AllocateNode;
pub use close_period::ClosePeriod;
pub use delete_alias::DeleteAlias;
pub use delete_budget::DeleteBudget;
pub use delete_provider::DeleteProvider;
pub use enrol_node::EnrolNode;
pub use init_cluster::InitCluster;
pub use open_period::OpenPeriod;
pub use put_alias::PutAlias;
pub use put_budget::PutBudget;
pub use put_key::PutKey;
pub use put_provider::PutProvider;
pub use refill::Refill;
pub use revoke_key::RevokeKey;
pub use rotate_key::RotateKey;

use crate::{AccountId, Change, Ledger, Outcome, UnixMillis};

/// A command at its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Log index.
    pub index: u64,
    /// When it was proposed, by the proposer's clock.
    pub at: UnixMillis,
    /// What to do.
    pub command: Command,
}

/// One account's line of a refill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefillLine {
    /// The account.
    pub account: AccountId,
    /// The period.
    pub period: u64,
    /// Spent by this incarnation so far: cumulative.
    pub settled_cum: i64,
    /// Given back by this incarnation so far: cumulative.
    pub returned_cum: i64,
    /// Debt by this incarnation so far (spent beyond holds), cumulative.
    pub debt_cum: i64,
    /// Would like.
    pub want: i64,
    /// Needs for requests that are waiting now.
    pub must: i64,
    /// Lines of one path carry one number: their grants are cut to the least of them.
    pub path: u32,
}

/// Where and when an entry stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    pub(crate) index: u64,
    pub(crate) at: UnixMillis,
}

/// What may be put into the log. New ones go last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Names the cluster; the first entry of its log. A second one is denied.
    InitCluster(InitCluster),
    /// Gives a node its id; idempotent per uuid. `id` is set for founders, else the log index is the id.
    AllocateNode(AllocateNode),
    /// Begins a node's new life: its older ones may not spend any more.
    EnrolNode(EnrolNode),
    /// Creates or replaces a key, by name. `hash` and `id` of an existing key change only by rotation.
    PutKey(PutKey),
    /// Gives an existing key another secret: the old one stops.
    RotateKey(RotateKey),
    /// Revokes a key for ever, by public id or name.
    RevokeKey(RevokeKey),
    /// Creates or replaces a budget, by name. Spend stays.
    PutBudget(PutBudget),
    /// Deletes a budget that no key names.
    DeleteBudget(DeleteBudget),
    /// Creates or replaces a provider, by name.
    PutProvider(PutProvider),
    /// Deletes a provider that no alias names.
    DeleteProvider(DeleteProvider),
    /// Creates or replaces an alias, by name.
    PutAlias(PutAlias),
    /// Deletes an alias.
    DeleteAlias(DeleteAlias),
    /// Reports, gives back and asks, for all accounts of a node.
    Refill(Refill),
    /// Opens the next period of an account; `period` is the present one plus one, else a no-op.
    OpenPeriod(OpenPeriod),
    /// Closes a past period: its lanes' reports become closed spend, and outstanding ones are charged.
    ClosePeriod(ClosePeriod),
}

/// Applies an entry. Total and deterministic.
pub fn apply(ledger: &mut Ledger, entry: &Entry) -> (Outcome, Vec<Change>) {
    let at = At {
        index: entry.index,
        at: entry.at,
    };
    match &entry.command {
        Command::InitCluster(command) => command.apply(ledger, at),
        Command::AllocateNode(command) => command.apply(ledger, at),
        Command::EnrolNode(command) => command.apply(ledger, at),
        Command::PutKey(command) => command.apply(ledger, at),
        Command::RotateKey(command) => command.apply(ledger, at),
        Command::RevokeKey(command) => command.apply(ledger, at),
        Command::PutBudget(command) => command.apply(ledger, at),
        Command::DeleteBudget(command) => command.apply(ledger, at),
        Command::PutProvider(command) => command.apply(ledger, at),
        Command::DeleteProvider(command) => command.apply(ledger, at),
        Command::PutAlias(command) => command.apply(ledger, at),
        Command::DeleteAlias(command) => command.apply(ledger, at),
        Command::Refill(command) => command.apply(ledger, at),
        Command::OpenPeriod(command) => command.apply(ledger, at),
        Command::ClosePeriod(command) => command.apply(ledger, at),
    }
}
