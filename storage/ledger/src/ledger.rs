//! The ledger itself: persistent maps, so that a snapshot is a clone of a few pointers.

use crate::{
    Account, AccountId, Alias, Budget, KeyHash, NodeId, NodeRecord, Provider, Sealed, VirtualKey,
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
}

impl Ledger {
    /// The first format version: what a new cluster begins with.
    pub const FIRST_VERSION: u32 = 1;

    /// The key of that name that was not revoked.
    pub fn living_key(&self, name: &str) -> Option<&VirtualKey> {
        self.keys.get(self.keys_by_name.get(name)?)
    }

    /// Whether this is the incarnation of the node that may spend and report.
    pub fn is_present(&self, node: NodeId, incarnation: u64) -> bool {
        self.nodes.get(&node).is_some_and(|record| {
            record.incarnation == incarnation && !record.is_retired() && incarnation > 0
        })
    }
}
