//! Where members are reached now: what they say in gossip, else what the membership remembers.

use super::client::To;
use crate::gossip::Heard;
use arc_swap::ArcSwap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Addresses by Raft id. Cloning shares it.
#[derive(Clone, Default)]
pub(crate) struct Book {
    said: Arc<ArcSwap<BTreeMap<u64, String>>>,
}

impl Book {
    /// Takes over what is said in gossip, of the nodes of one cluster.
    pub(crate) fn update(&self, cluster_id: Option<&str>, heard: &[Heard]) {
        let mut said = BTreeMap::new();
        for node in heard.iter().filter(|node| node.cluster_id.as_deref() == cluster_id) {
            if let (Some(id), Some(addr)) = (node.raft_id, &node.peer_addr) {
                said.insert(id, addr.clone());
            }
        }
        self.said.store(Arc::new(said));
    }

    /// How to reach a member; `remembered` is what the membership says.
    pub(crate) fn to(&self, raft_id: u64, remembered: &str) -> To {
        let said = self.said.load();
        To {
            raft_id,
            uuid: String::new(),
            addr: said.get(&raft_id).map_or(remembered, String::as_str).to_owned(),
        }
    }
}
