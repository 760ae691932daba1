//! State survives.

use super::child::Node;
use super::solo::text;
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};

#[tokio::test]
async fn a_restarted_node_knows_everything_it_knew() {
    let dir = tempfile::tempdir().unwrap();
    let mut before = Node::start(dir.path(), "0s").await;
    before.ready().await;
    let made = before.ask(Method::POST, "keys", json!({"name": "app", "budget_usd": 3})).await;
    let cluster = before.ask(Method::GET, "cluster", Value::Null).await;
    before.signal(Signal::KILL);
    before.ended().await;

    let after = Node::start(dir.path(), "0s").await;
    after.ready().await;
    let status = after.ask(Method::GET, "status", Value::Null).await;
    assert_eq!(status["cluster"]["cluster_id"], cluster["cluster_id"]);
    assert_eq!(status["node"]["incarnation"], 2, "{status}");
    let key = after.ask(Method::GET, "keys/app", Value::Null).await;
    assert_eq!(key["changed_index"], made["changed_index"]);
    assert_eq!(after.call_with(&text(&made, "key")).await, 200);
    let budget = after.ask(Method::GET, "budgets/key:app", Value::Null).await;
    assert_eq!(budget["windows"][0]["limit_usd"], "3.00");
}
