//! The ledger itself: persistent maps, so that a snapshot is a clone of a few pointers.

use crate::{
    Account, AccountId, Alias, Audit, Budget, Event, Instance, KeyHash, NodeId, NodeRecord,
    Profile, Provider, Scope, ScopeId, Sealed, Selector, UsageKey, UsageSums, VirtualKey, Webhook,
};
use rpds::RedBlackTreeMapSync as Map;

/// Everything the nodes agree on. Cloning is O(1): the maps share structure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ledger {
    /// Log index of the last entry applied.
    pub applied_index: u64,
    /// Log index of the last entry that changed what a request can feel, grants aside.
    pub config_index: u64,
    /// Set once, by `InitCluster`.
    pub cluster_id: String,
    /// Key of the keyed hash of virtual keys, sealed; set once, by `InitCluster`.
    pub key_pepper: Option<Sealed>,
    /// Format version all members can read.
    pub cluster_version: u32,
    /// Nodes ever allocated, by id.
    pub nodes: Map<NodeId, NodeRecord>,
    /// Virtual keys by public id, revoked ones included.
    pub keys: Map<String, VirtualKey>,
    /// Public id by hash, of revoked keys too: they are told from unknown ones, and their hashes stay taken.
    pub keys_by_hash: Map<KeyHash, String>,
    /// Public id by name, of living keys: a revoked key gives its name free.
    pub keys_by_name: Map<String, String>,
    /// Budgets by name.
    pub budgets: Map<String, Budget>,
    /// Accounts of living budgets, and of deleted ones that nodes may still report on; they come and go only
    /// by [`Ledger::put_account`] and [`Ledger::drop_account`].
    pub accounts: Map<AccountId, Account>,
    /// Providers by name.
    pub providers: Map<String, Provider>,
    /// Aliases by name.
    pub aliases: Map<String, Alias>,
    /// Customers, teams and users.
    pub scopes: Map<ScopeId, Scope>,
    /// Selectors by name; changed only by [`Ledger::file_selector`] and [`Ledger::drop_selector`].
    pub selectors: Map<String, Selector>,
    /// Names of selectors by [`Selector::index_label`], rising. Made from `selectors`, so a snapshot need
    /// not hold it.
    pub selectors_by_label: Map<(String, String), Vec<String>>,
    /// Profiles by name.
    pub profiles: Map<String, Profile>,
    /// Instances by their budget's handle and subject.
    pub instances: Map<(u64, String), Instance>,
    /// Webhooks by name.
    pub webhooks: Map<String, Webhook>,
    /// Events that wait for a webhook, by id.
    pub outbox: Map<u64, Event>,
    /// Events there ever were: the id of the last one.
    pub events_ever: u64,
    /// Events given up because the outbox was full.
    pub events_dropped: u64,
    /// Money moved by hand, by log index: the last [`crate::event::AUDIT_MAX`].
    pub audit: Map<u64, Audit>,
    /// What was used; changed only by [`Ledger::add_usage`] and [`Ledger::forget_usage`].
    pub usage: Map<UsageKey, UsageSums>,
    /// What was used by public id of the key and by day: sums of rows, for one key is asked for often. Made
    /// from `usage`, so a snapshot need not hold it.
    pub usage_of_keys: Map<(String, u32), UsageSums>,
    /// Instances with accounts on the books, by name of their budget: open ones, and closed ones that nodes may
    /// still report on. Made from `accounts`, so a snapshot need not hold it.
    pub instances_of: Map<String, u64>,
}

impl Ledger {
    /// The first format version: what a new cluster begins with.
    pub const FIRST_VERSION: u32 = 1;

    /// The key of that name that was not revoked.
    pub fn living_key(&self, name: &str) -> Option<&VirtualKey> {
        self.keys.get(self.keys_by_name.get(name)?)
    }

    /// Files a selector under its name and its label, in place of one of that name.
    pub fn file_selector(&mut self, selector: Selector) {
        self.drop_selector(&selector.name);
        let label = selector.index_label();
        let mut names = self.selectors_by_label.get(&label).cloned().unwrap_or_default();
        let place = names.partition_point(|name| *name < selector.name);
        names.insert(place, selector.name.clone());
        self.selectors_by_label.insert_mut(label, names);
        self.selectors.insert_mut(selector.name.clone(), selector);
    }

    /// Takes a selector out of both maps.
    pub(crate) fn drop_selector(&mut self, name: &str) {
        let Some(selector) = self.selectors.get(name) else {
            return;
        };
        let label = selector.index_label();
        self.selectors.remove_mut(name);
        let Some(names) = self.selectors_by_label.get_mut(&label) else {
            return;
        };
        names.retain(|other| other != name);
        if names.is_empty() {
            self.selectors_by_label.remove_mut(&label);
        }
    }

    /// Adds to a row of usage, new or there already.
    pub fn add_usage(&mut self, key: UsageKey, sums: &UsageSums) {
        let of_key = (key.key.clone(), key.day);
        match self.usage_of_keys.get_mut(&of_key) {
            Some(known) => known.add(sums),
            None => self.usage_of_keys.insert_mut(of_key, *sums),
        }
        match self.usage.get_mut(&key) {
            Some(known) => known.add(sums),
            None => self.usage.insert_mut(key, *sums),
        }
    }

    /// Takes all rows of usage of earlier days out.
    pub(crate) fn forget_usage(&mut self, before_day: u32) {
        let old = self.usage.keys().take_while(|key| key.day < before_day);
        let old: Vec<UsageKey> = old.cloned().collect();
        for key in old {
            self.usage.remove_mut(&key);
            self.usage_of_keys.remove_mut(&(key.key, key.day));
        }
    }

    /// Puts an account on the books, new or in place of itself.
    pub fn put_account(&mut self, id: AccountId, account: Account) {
        if !account.subject.is_empty() && !self.has_accounts(id.budget) {
            let instances = self.instances_of.get(&account.budget).copied().unwrap_or(0);
            self.instances_of.insert_mut(account.budget.clone(), instances.saturating_add(1));
        }
        self.accounts.insert_mut(id, account);
    }

    /// Takes an account off the books.
    pub(crate) fn drop_account(&mut self, id: AccountId) {
        let Some(account) = self.accounts.get(&id).cloned() else {
            return;
        };
        self.accounts.remove_mut(&id);
        if account.subject.is_empty() || self.has_accounts(id.budget) {
            return;
        }
        match self.instances_of.get(&account.budget).copied() {
            Some(instances) if instances > 1 => {
                self.instances_of.insert_mut(account.budget, instances - 1);
            }
            Some(_) | None => {
                self.instances_of.remove_mut(&account.budget);
            }
        }
    }

    /// Whether any account carries that number.
    fn has_accounts(&self, handle: u64) -> bool {
        let first = AccountId { budget: handle, window: 0 };
        let last = AccountId { budget: handle, window: u8::MAX };
        self.accounts.range(first..=last).next().is_some()
    }

    /// Whether this is the incarnation of the node that may spend and report.
    pub fn is_present(&self, node: NodeId, incarnation: u64) -> bool {
        self.nodes.get(&node).is_some_and(|record| {
            record.incarnation == incarnation && !record.is_retired() && incarnation > 0
        })
    }
}
