//! The official SDKs, and frameworks built upon them, against three nodes; each asks models of foreign providers.

use std::path::Path;

use super::cluster::Cluster;

#[tokio::test]
async fn the_official_sdks_work_and_raise_the_right_exceptions() {
    let cluster = Cluster::start(&["--nodes", "3", "--budget-usd", "100"]).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/sdk/run");
    let mut tests = tokio::process::Command::new(script);
    tests.env("BURSAR_FACTS", &cluster.facts_json).kill_on_drop(true);
    assert!(tests.status().await.unwrap().success(), "the SDKs' own tests say why above");
}
