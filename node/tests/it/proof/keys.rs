//! What one node says of a key, the others know.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::client::{Call, Ended};
use super::cluster::Cluster;

const ROUNDS: usize = 20;

#[tokio::test]
async fn a_key_works_on_every_node_in_the_next_request_and_on_none_once_it_is_revoked() {
    let cluster = Cluster::start(&["--nodes", "3"]).await;
    for round in 0..ROUNDS {
        let (maker, user, revoker) = (round % 3, (round + 1) % 3, (round + 2) % 3);
        let name = format!("round-{round}");
        let key = json!({"name": name, "budget_usd": "0.01"});
        let (status, made) = cluster.admin(maker, Method::POST, "keys", Some(key)).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let call = Call::new(made["key"].as_str().unwrap());
        let ended = call.send(&cluster.client, &cluster.facts.nodes[user].base_url).await;
        assert_eq!(ended, Ended::Answered, "made on node {maker}, used on node {user}");

        let path = format!("keys/{name}");
        let (status, revoked) = cluster.admin(revoker, Method::DELETE, &path, None).await;
        assert_eq!(status, StatusCode::OK, "{revoked}");
        for node in &cluster.facts.nodes {
            let ended = call.send(&cluster.client, &node.base_url).await;
            let refused = matches!(&ended, Ended::Refused { status: 403, code, .. } if code == "virtual_key_blocked");
            assert!(refused, "{} after the revocation returned: {ended:?}", node.id);
        }
    }
    println!("key proof: {ROUNDS} keys made, used elsewhere, revoked elsewhere");
}
