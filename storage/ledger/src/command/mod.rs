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
mod retire_node;
mod revoke_key;
mod rotate_key;
mod write_off;

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
pub use retire_node::RetireNode;
pub use revoke_key::RevokeKey;
pub use rotate_key::RotateKey;
pub use write_off::WriteOff;

use crate::{AccountId, Change, Denial, Ledger, Outcome, UnixMillis};

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

/// One account's line of a refill. Counters are of the node's present incarnation since its begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefillLine {
    /// The account.
    pub account: AccountId,
    /// The period the amounts belong to: that of their holds.
    pub period: u64,
    /// Spent so far: cumulative.
    pub settled_cum: i64,
    /// Given back so far: cumulative.
    pub returned_cum: i64,
    /// Spent beyond holds so far: cumulative.
    pub debt_cum: i64,
    /// Would like to be granted, on top of what it has. What is below `must` counts as `must`.
    pub want: i64,
    /// Needs, on top of what it has, for requests that are waiting now.
    pub must: i64,
    /// Lines of one path carry one number, so that no level is granted what another keeps from being
    /// spent. Zero: on no path.
    pub path: u32,
}

/// Where and when an entry stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    pub(crate) index: u64,
    pub(crate) at: UnixMillis,
}

impl At {
    /// Notes that a request can feel this entry.
    fn config_changed(self, ledger: &mut Ledger) -> Vec<Change> {
        ledger.config_index = self.index;
        vec![Change::Config]
    }
}

/// What may be put into the log. New ones go last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Names the cluster; the first entry of its log. Another one is denied.
    InitCluster(InitCluster),
    /// Gives a node its id; idempotent per uuid.
    AllocateNode(AllocateNode),
    /// Begins a node's new life: its older ones may not spend any more.
    EnrolNode(EnrolNode),
    /// Creates or replaces a key, by name.
    PutKey(PutKey),
    /// Gives an existing key another secret: the old one stops.
    RotateKey(RotateKey),
    /// Revokes a key for ever, by public id or name.
    RevokeKey(RevokeKey),
    /// Creates or replaces a budget, by name. Spend stays.
    PutBudget(PutBudget),
    /// Deletes a budget that no living key names.
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
    /// Opens the next period of an account.
    OpenPeriod(OpenPeriod),
    /// Closes a past period: what is still outstanding counts as spent.
    ClosePeriod(ClosePeriod),
    /// Removes a node for good: nothing it sends is taken any more.
    RetireNode(RetireNode),
    /// Releases what a lost node was granted, on an operator's word.
    WriteOff(WriteOff),
}

/// Applies an entry. Total and deterministic: what is denied changes nothing but the applied index.
pub fn apply(ledger: &mut Ledger, entry: &Entry) -> (Outcome, Vec<Change>) {
    ledger.applied_index = entry.index;
    let applied = dispatch(ledger, entry);
    applied.unwrap_or_else(|denial| (Outcome::Denied(denial), Vec::new()))
}

fn dispatch(ledger: &mut Ledger, entry: &Entry) -> Result<(Outcome, Vec<Change>), Denial> {
    let at = At { index: entry.index, at: entry.at };
    let changes = match &entry.command {
        Command::InitCluster(command) => command.apply(ledger, at)?,
        Command::AllocateNode(command) => {
            let id = command.apply(ledger, at)?;
            return Ok((Outcome::NodeAllocated(id), Vec::new()));
        }
        Command::EnrolNode(command) => unfelt(command.apply(ledger))?,
        Command::PutKey(command) => command.apply(ledger, at)?,
        Command::RotateKey(command) => command.apply(ledger, at)?,
        Command::RevokeKey(command) => command.apply(ledger, at)?,
        Command::PutBudget(command) => command.apply(ledger, at)?,
        Command::DeleteBudget(command) => command.apply(ledger, at)?,
        Command::PutProvider(command) => command.apply(ledger, at)?,
        Command::DeleteProvider(command) => command.apply(ledger, at)?,
        Command::PutAlias(command) => command.apply(ledger, at)?,
        Command::DeleteAlias(command) => command.apply(ledger, at)?,
        Command::Refill(command) => {
            let (grants, changes) = command.apply(ledger)?;
            return Ok((Outcome::Refilled(grants), changes));
        }
        Command::OpenPeriod(command) => command.apply(ledger, at)?,
        Command::ClosePeriod(command) => unfelt(command.apply(ledger))?,
        Command::RetireNode(command) => unfelt(command.apply(ledger))?,
        Command::WriteOff(command) => command.apply(ledger)?,
    };
    Ok((Outcome::Done, changes))
}

/// What no request can feel has no changes to tell.
fn unfelt(applied: Result<(), Denial>) -> Result<Vec<Change>, Denial> {
    applied.map(|()| Vec::new())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// `put_key` for `PutKey`.
    fn file_name(variant: &str) -> String {
        let mut name = String::new();
        for letter in variant.chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }

    #[test]
    fn every_command_file_is_a_command_and_the_other_way_round() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/command");
        let files: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter(|file| file != "mod.rs")
            .map(|file| file.trim_end_matches(".rs").to_owned())
            .collect();
        let source = include_str!("mod.rs");
        let (_, after) = source.split_once("pub enum Command {").unwrap();
        let (variants, _) = after.split_once("\n}").unwrap();
        let commands: BTreeSet<String> = variants
            .lines()
            .filter_map(|line| line.trim().split_once('('))
            .filter(|(variant, _)| !variant.starts_with("//"))
            .map(|(variant, _)| file_name(variant))
            .collect();
        assert_eq!(files, commands);
    }
}
