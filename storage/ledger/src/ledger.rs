//! The ledger itself: persistent maps, so that a snapshot is a clone of a few pointers.

use crate::{
    Account, AccountId, Alias, Budget, KeyHash, NodeId, NodeRecord, Provider, Sealed, VirtualKey,
};
use rpds::RedBlackTreeMapSync as Map;

/// Everything the nodes agree on. Cloning is O(1): the maps share structure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// Public id by hash.
    pub keys_by_hash: Map<KeyHash, String>,
    /// Public id by name; a revoked key gives its name free.
    pub keys_by_name: Map<String, String>,
    /// Budgets by name.
    pub budgets: Map<String, Budget>,
    /// Accounts of living and deleted budgets that still have open lanes.
    pub accounts: Map<AccountId, Account>,
    /// Providers by name.
    pub providers: Map<String, Provider>,
    /// Aliases by name.
    pub aliases: Map<String, Alias>,
}
