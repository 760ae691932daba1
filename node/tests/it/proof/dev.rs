//! `bursar dev`: what a newcomer runs first.

use reqwest::Method;

use super::client::{Call, Ended};
use super::cluster::Cluster;

#[tokio::test]
async fn one_node_keeps_its_state_and_its_key_over_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("dev");
    let arguments = ["--nodes", "1", "--data-dir", data_dir.to_str().unwrap()];
    let cluster = Cluster::start(&arguments).await;
    let call = Call::new(&cluster.facts.virtual_key);
    let ended = call.send(&cluster.client, &cluster.facts.nodes[0].base_url).await;
    assert_eq!(ended, Ended::Answered);
    let spent = spent(&cluster).await;
    let key = cluster.facts.virtual_key.clone();
    drop(cluster);

    let cluster = Cluster::start(&arguments).await;
    assert_eq!(cluster.facts.virtual_key, key);
    assert_eq!(self::spent(&cluster).await, spent, "what was spent stays spent");
    let ended = call.send(&cluster.client, &cluster.facts.nodes[0].base_url).await;
    assert_eq!(ended, Ended::Answered);
}

/// Spend of the budget `dev`, once it has been reported.
async fn spent(cluster: &Cluster) -> i64 {
    let mut spent = 0;
    while spent == 0 {
        let (_, body) = cluster.admin(0, Method::GET, "budgets/dev", None).await;
        spent = body["windows"][0]["spent_nano_usd"].as_i64().unwrap();
        tokio::task::yield_now().await;
    }
    spent
}

#[tokio::test]
async fn what_was_started_stops_with_it() {
    let cluster = Cluster::start(&["--nodes", "3"]).await;
    let pids: Vec<i32> = cluster.facts.nodes.iter().map(|node| node.pid).collect();
    let data_dir = cluster.facts.data_dir.clone();
    drop(cluster);
    for pid in pids {
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "node {pid} still runs");
    }
    assert!(!std::path::Path::new(&data_dir).exists(), "{data_dir} is left behind");
}
