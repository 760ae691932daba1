//! A receipt is found on every node, and where its node is gone that is what one hears.

use reqwest::{Method, StatusCode};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::cluster::Cluster;

/// Asks a node for a receipt.
async fn ask(cluster: &Cluster, node: usize, key: &str, id: &str) -> (StatusCode, Value) {
    let url = format!("{}/v1/receipts/{id}", cluster.facts.nodes[node].base_url);
    let answer = cluster.client.get(url).bearer_auth(key).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test]
async fn a_receipt_is_found_on_every_node_by_its_key_alone_until_its_node_is_gone() {
    let cluster = Cluster::start(&["--nodes", "3"]).await;
    let key = cluster.facts.virtual_key.clone();
    let url = format!("{}/v1/chat/completions", cluster.facts.nodes[0].base_url);
    let body = json!({"model": "chat", "messages": [{"role": "user", "content": "hello"}]});
    let request = cluster.client.post(url).bearer_auth(&key).json(&body);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let id = answer.headers()["x-bursar-receipt"].to_str().unwrap().to_owned();
    for node in 0..3 {
        let settled = || async {
            let (_, receipt) = ask(&cluster, node, &key, &id).await;
            receipt["settlement"]["log_index"].is_u64()
        };
        cluster.eventually("the receipt is settled, on every node", settled).await;
    }
    let other = json!({"name": "other"});
    let (status, made) = cluster.admin(1, Method::POST, "keys", Some(other)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let other = made["key"].as_str().unwrap();
    for node in 0..3 {
        let (status, refused) = ask(&cluster, node, other, &id).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{refused}");
    }
    cluster.signal(0, Signal::STOP);
    let (status, refused) = ask(&cluster, 1, &key, &id).await;
    cluster.signal(0, Signal::CONT);
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{refused}");
    let said = refused["error"]["message"].as_str().unwrap();
    assert!(said.contains(&cluster.facts.nodes[0].id), "{said}");
}
