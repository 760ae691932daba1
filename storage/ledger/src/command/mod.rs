//! The commands of the log, one file each, and [`apply`].

mod ack_events;
mod adopt;
mod allocate_node;
mod close_instance;
mod close_period;
mod delete_alias;
mod delete_budget;
mod delete_profile;
mod delete_provider;
mod delete_scope;
mod delete_selector;
mod delete_webhook;
mod enrol_node;
mod expire_increase;
mod increase_budget;
mod init_cluster;
mod open_instance;
mod open_period;
mod prune_usage;
mod put_alias;
mod put_budget;
mod put_key;
mod put_profile;
mod put_provider;
mod put_scope;
mod put_selector;
mod put_webhook;
mod refill;
mod reset_budget;
mod retire_node;
mod revoke_key;
mod rotate_key;
mod transfer_budget;
mod write_off;

pub use ack_events::AckEvents;
pub use adopt::Adopt;
pub use allocate_node::AllocateNode;
pub use close_instance::CloseInstance;
pub use close_period::ClosePeriod;
pub use delete_alias::DeleteAlias;
pub use delete_budget::DeleteBudget;
pub use delete_profile::DeleteProfile;
pub use delete_provider::DeleteProvider;
pub use delete_scope::DeleteScope;
pub use delete_selector::DeleteSelector;
pub use delete_webhook::DeleteWebhook;
pub use enrol_node::EnrolNode;
pub use expire_increase::ExpireIncrease;
pub use increase_budget::IncreaseBudget;
pub use init_cluster::InitCluster;
pub use open_instance::OpenInstance;
pub use open_period::OpenPeriod;
pub use prune_usage::PruneUsage;
pub use put_alias::PutAlias;
pub use put_budget::PutBudget;
pub use put_key::PutKey;
pub use put_profile::PutProfile;
pub use put_provider::PutProvider;
pub use put_scope::PutScope;
pub use put_selector::PutSelector;
pub use put_webhook::PutWebhook;
pub use refill::Refill;
pub use reset_budget::ResetBudget;
pub use retire_node::RetireNode;
pub use revoke_key::RevokeKey;
pub use rotate_key::RotateKey;
pub use transfer_budget::TransferBudget;
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

/// What a past life spent on one account and period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdoptLine {
    /// The account.
    pub account: AccountId,
    /// The period.
    pub period: u64,
    /// Spent in all, holds that were in flight counted in full: cumulative.
    pub settled_cum: i64,
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
    /// Creates or replaces a customer, a team or a user.
    PutScope(PutScope),
    /// Deletes a scope that no living key and no other scope names.
    DeleteScope(DeleteScope),
    /// Creates or replaces a selector, by name.
    PutSelector(PutSelector),
    /// Deletes a selector.
    DeleteSelector(DeleteSelector),
    /// Creates or replaces a profile, by name, and applies it to its keys.
    PutProfile(PutProfile),
    /// Deletes a profile that no living key has.
    DeleteProfile(DeleteProfile),
    /// Creates or replaces a webhook, by name.
    PutWebhook(PutWebhook),
    /// Deletes a webhook; events do not wait for it any more.
    DeleteWebhook(DeleteWebhook),
    /// Notes that webhooks have taken events.
    AckEvents(AckEvents),
    /// Opens the accounts of one subject of a budget that is not shared by all.
    OpenInstance(OpenInstance),
    /// Closes an instance: it admits no more, late reports are still booked.
    CloseInstance(CloseInstance),
    /// Books what a past life of a node spent, by its journal.
    Adopt(Adopt),
    /// Raises a limit for a while.
    IncreaseBudget(IncreaseBudget),
    /// Takes an increase back that is over.
    ExpireIncrease(ExpireIncrease),
    /// Begins the present period of an account anew, by hand.
    ResetBudget(ResetBudget),
    /// Moves limit from one account to another of the same unit, for their present periods.
    TransferBudget(TransferBudget),
    /// Forgets rows of usage of days long past.
    PruneUsage(PruneUsage),
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
            let (grants, changes) = command.apply(ledger, at)?;
            return Ok((Outcome::Refilled(grants), changes));
        }
        Command::OpenPeriod(command) => command.apply(ledger, at)?,
        Command::ClosePeriod(command) => unfelt(command.apply(ledger))?,
        Command::RetireNode(command) => unfelt(command.apply(ledger))?,
        Command::WriteOff(command) => command.apply(ledger, at)?,
        Command::PutScope(command) => command.apply(ledger, at)?,
        Command::DeleteScope(command) => command.apply(ledger, at)?,
        Command::PutSelector(command) => command.apply(ledger, at)?,
        Command::DeleteSelector(command) => command.apply(ledger, at)?,
        Command::PutProfile(command) => command.apply(ledger, at)?,
        Command::DeleteProfile(command) => command.apply(ledger, at)?,
        Command::PutWebhook(command) => command.apply(ledger, at)?,
        Command::DeleteWebhook(command) => command.apply(ledger, at)?,
        Command::AckEvents(command) => unfelt(command.apply(ledger))?,
        Command::OpenInstance(command) => command.apply(ledger, at)?,
        Command::CloseInstance(command) => command.apply(ledger, at)?,
        Command::Adopt(command) => command.apply(ledger, at)?,
        Command::IncreaseBudget(command) => command.apply(ledger, at)?,
        Command::ExpireIncrease(command) => command.apply(ledger, at)?,
        Command::ResetBudget(command) => command.apply(ledger, at)?,
        Command::TransferBudget(command) => command.apply(ledger, at)?,
        Command::PruneUsage(command) => unfelt(command.apply(ledger))?,
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
