//! Do nodes that have applied the same entries know the same?

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::cluster::{Cluster, looks};
use crate::http::Call;

/// Longest wait for every node to be seen at a log index of another one.
const EQUAL_WITHIN: Duration = Duration::from_secs(60);
/// How long one answer may take.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// What is compared. The first is asked for again at the end: the index must not have moved.
const KINDS: [&str; 5] = ["budgets", "keys", "providers", "aliases", "budgets"];

/// Compares the nodes at every log index at which two of them were seen; answers at how many.
///
/// # Errors
///
/// Two nodes differ, or were never seen at the same index.
pub(super) async fn compare(cluster: &Cluster) -> Result<usize> {
    let deadline = Instant::now() + EQUAL_WITHIN;
    let members = cluster.members();
    let mut seen: BTreeMap<u64, BTreeMap<usize, String>> = BTreeMap::new();
    let mut looks = looks();
    loop {
        looks.tick().await;
        let mut asked = JoinSet::new();
        for node in &members {
            let (node, door) = (*node, cluster.doors()[*node].admin);
            let token = cluster.admin_token();
            asked.spawn(async move { (node, state_of(door, token).await) });
        }
        while let Some(answer) = asked.join_next().await {
            let (node, state) = answer?;
            let Some((index, state)) = state.with_context(|| format!("node {node}"))? else {
                continue;
            };
            let others = seen.entry(index).or_default();
            for (other, others) in &*others {
                let say = || format!("nodes {other} and {node} differ at log index {index}");
                ensure!(*others == state, "{}: {others} and {state}", say());
            }
            others.insert(node, state);
        }
        let shared = seen.values().filter(|nodes| nodes.len() > 1);
        let met: BTreeSet<usize> = shared.clone().flat_map(|nodes| nodes.keys().copied()).collect();
        if met.len() == members.len() {
            return Ok(shared.count());
        }
        ensure!(Instant::now() < deadline, "the log does not rest within {EQUAL_WITHIN:?}");
    }
}

/// What a node knows, without what it only believes: as JSON, with the log index it shows. `None`
/// where the index moved meanwhile.
async fn state_of(door: SocketAddr, token: &str) -> Result<Option<(u64, String)>> {
    let mut indexes = Vec::new();
    let mut state = String::new();
    for (nth, kind) in KINDS.iter().enumerate() {
        let path = format!("/admin/v1/{kind}?consistency=linearizable&limit=1000");
        let call = Call::new("GET", path).bearer(token);
        let told = call.send(door, ANSWERED_WITHIN).await?;
        ensure!(told.status == 200, "answered {}: {}", told.status, told.body);
        indexes.push(told.log_index.context("the answer names no log index")?);
        if nth + 1 < KINDS.len() {
            state.push_str(&told.body.to_string());
        }
    }
    Ok(indexes.iter().all(|index| *index == indexes[0]).then(|| (indexes[0], state)))
}
