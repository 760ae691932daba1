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
    /// Accounts of living budgets, and of deleted ones that nodes may still report on.
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
    /// What was used.
    pub usage: Map<UsageKey, UsageSums>,
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

    /// Whether this is the incarnation of the node that may spend and report.
    pub fn is_present(&self, node: NodeId, incarnation: u64) -> bool {
        self.nodes.get(&node).is_some_and(|record| {
            record.incarnation == incarnation && !record.is_retired() && incarnation > 0
        })
    }
}
