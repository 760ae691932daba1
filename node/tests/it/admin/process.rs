//! A node as a process: how it ends, and what it writes.

use super::child::{Node, TOKEN};
use reqwest::Method;
use rustix::process::Signal;
use serde_json::json;

#[tokio::test]
async fn the_first_signal_drains_and_ends_well() {
    let dir = tempfile::tempdir().unwrap();
    let mut node = Node::start(dir.path(), "400ms").await;
    node.ready().await;
    node.signal(Signal::TERM);
    node.hear("draining").await;
    // Still answering, and telling balancers to look elsewhere.
    assert_eq!(node.readyz().await, 503);
    assert_eq!(node.ended().await.code(), Some(0), "{:#?}", node.said);
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut node = Node::start(dir.path(), "20m").await;
    node.signal(Signal::TERM);
    node.hear("draining").await;
    node.signal(Signal::INT);
    assert_eq!(node.ended().await.code(), Some(1), "{:#?}", node.said);
}

#[tokio::test]
async fn an_operator_can_have_a_node_leave() {
    let dir = tempfile::tempdir().unwrap();
    let mut node = Node::start(dir.path(), "0s").await;
    node.ready().await;
    let url = format!("{}/admin/v1/nodes/self:drain", node.admin_url);
    let answer = node.client.post(url).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(node.ended().await.code(), Some(0), "{:#?}", node.said);
}

#[tokio::test]
async fn no_secret_is_ever_logged() {
    let dir = tempfile::tempdir().unwrap();
    let mut node = Node::start(dir.path(), "0s").await;
    node.ready().await;
    let credentials = json!([{"secret": "sk-upstream-secret"}]);
    let provider = json!({"base_url": "https://u.example/v1", "credentials": credentials});
    assert_eq!(node.ask(Method::PUT, "providers/p", provider).await["name"], "p");
    let key =
        node.ask(Method::PUT, "keys/app", json!({})).await["key"].as_str().unwrap().to_owned();
    node.signal(Signal::TERM);
    node.ended().await;
    assert!(node.said.len() > 10, "{:#?}", node.said);
    for line in &node.said {
        for secret in ["sk-upstream-secret", TOKEN, &key] {
            assert!(!line.contains(secret), "{line}");
        }
    }
}
