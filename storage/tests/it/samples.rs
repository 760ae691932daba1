//! One value of every kind and of every shape of it, always the same.

mod configuration;
mod spending;
mod story;
mod values;

use ledger::Command;
use std::collections::{BTreeMap, BTreeSet};
use storage::{Membership, Peer};
pub(crate) use story::story;

/// Commands by the name of their case; the part before the first dot is the kind.
pub(crate) fn commands() -> Vec<(&'static str, Command)> {
    let mut all = configuration::commands();
    all.extend(spending::commands());
    all
}

pub(crate) fn membership() -> Membership {
    let peer = |port: u16| Peer { addr: format!("127.0.0.1:{port}") };
    let sets = vec![BTreeSet::from([1, 2, 3]), BTreeSet::from([2, 3, 4])];
    let nodes: BTreeMap<u64, Peer> = (1..=5).map(|id| (id, peer(7_000 + id as u16))).collect();
    Membership::new(sets, nodes).unwrap()
}
