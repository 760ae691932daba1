//! Keys and budgets from their creation to their end, over HTTP.

use super::solo::{Solo, text};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_lives_from_creation_over_rotation_to_revocation() {
    let dir = tempfile::tempdir().unwrap();
    let solo = Solo::start(dir.path()).await;

    let made = solo.ask(Method::POST, "keys", json!({"name": "app", "budget_usd": "1.00"})).await;
    assert_eq!(made.status, 201, "{made:?}");
    let first = text(&made.json, "key");
    assert_eq!(made.json["budgets"], json!(["key:app"]));
    assert_eq!(made.json["managed_by"], "api:admin");
    assert_eq!(solo.call_with(&first).await.0, 200);
    let shown = solo.get("keys/app").await;
    assert!(shown.json.get("key").is_none());
    assert_eq!(shown.etag, made.etag);

    let rotated = solo.ask(Method::POST, "keys/app:rotate", Value::Null).await;
    let second = text(&rotated.json, "key");
    assert_eq!(rotated.json["not_confirmed_by"], json!([]));
    let unknown = (401, "virtual_key_unknown".to_owned());
    assert_eq!(solo.call_with(&first).await, unknown);
    assert_eq!(solo.call_with(&second).await.0, 200);

    let revoked = solo.ask(Method::DELETE, "keys/app", Value::Null).await;
    assert_eq!(revoked.status, 200, "{revoked:?}");
    assert!(revoked.json["revoked_at"].is_string());
    assert_eq!(solo.call_with(&second).await, (403, "virtual_key_blocked".to_owned()));
    assert_eq!(solo.get("keys/app").await.status, 404);
    let by_id = solo.get(&format!("keys/{}", text(&revoked.json, "id"))).await;
    assert_eq!(by_id.json["name"], "app");
    assert_eq!(solo.get("keys").await.json["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_key_of_an_old_name_begins_with_a_fresh_budget() {
    let dir = tempfile::tempdir().unwrap();
    let solo = Solo::start(dir.path()).await;
    let create = json!({"name": "app", "budget_usd": 2});
    solo.ask(Method::POST, "keys", create.clone()).await;
    let old = solo.get("budgets/key:app").await;
    assert_eq!(old.json["windows"][0]["limit_nano_usd"], 2_000_000_000);
    solo.ask(Method::DELETE, "keys/app", Value::Null).await;
    assert_eq!(solo.ask(Method::POST, "keys", create).await.status, 201);
    let new = solo.get("budgets/key:app").await;
    assert_ne!(new.json["created_at"], old.json["created_at"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn put_is_idempotent_and_a_stale_change_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let solo = Solo::start(dir.path()).await;
    let settings = json!({"models": ["gpt-4o"], "limits": {"requests_per_minute": 5}});
    let made = solo.put("keys/app", settings.clone()).await;
    let again = solo.put("keys/app", settings).await;
    assert_eq!((made.status, again.status), (201, 200));
    assert_eq!(made.etag, again.etag);
    assert!(again.json.get("key").is_none());

    let changed = json!({"enabled": false});
    let first = solo.ask_if(Method::PUT, "keys/app", changed.clone(), &made.etag).await;
    assert_eq!(first.status, 200, "{first:?}");
    let stale = solo.ask_if(Method::PUT, "keys/app", changed, &made.etag).await;
    assert_eq!(stale.status, 412, "{stale:?}");
    assert_eq!(stale.json["present_index"], first.json["changed_index"]);
    assert_eq!(solo.call_with(&text(&made.json, "key")).await.0, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_cannot_be_made_leaves_no_budget_behind() {
    let dir = tempfile::tempdir().unwrap();
    let solo = Solo::start(dir.path()).await;
    let settings = json!({"budget_usd": 1, "budgets": ["nowhere"]});
    let refused = solo.put("keys/app", settings).await;
    assert_eq!((refused.status, &refused.json["errors"][0]["field"]), (422, &json!("budgets")));
    assert_eq!(solo.get("budgets").await.json["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_in_use_is_not_deleted_and_its_kind_does_not_change() {
    let dir = tempfile::tempdir().unwrap();
    let solo = Solo::start(dir.path()).await;
    let made = solo.put("budgets/team", json!({"limit_tokens": 100, "window": "day"})).await;
    assert_eq!(made.json["windows"][0]["remaining_tokens"], 100);
    assert!(made.json["windows"][0]["resets_at"].is_string());
    solo.put("keys/app", json!({"budgets": ["team"]})).await;
    let used = solo.ask(Method::DELETE, "budgets/team", Value::Null).await;
    assert_eq!((used.status, &used.json["detail"]), (409, &json!("still in use by key app")));
    let other = solo.put("budgets/team", json!({"limit_tokens": 100, "window": "month"})).await;
    assert_eq!(other.status, 422, "{other:?}");
    let raised = solo.put("budgets/team", json!({"limit_tokens": 250, "window": "day"})).await;
    assert_eq!(raised.json["windows"][0]["limit_tokens"], 250);
    solo.ask(Method::DELETE, "keys/app", Value::Null).await;
    assert_eq!(solo.ask(Method::DELETE, "budgets/team", Value::Null).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_can_be_read_by_its_log_index() {
    let dir = tempfile::tempdir().unwrap();
    let solo = Solo::start(dir.path()).await;
    let made = solo.put("budgets/b", json!({"limit_requests": 1})).await;
    let index = made.json["log_index"].as_u64().unwrap();
    for query in [format!("min_index={index}"), "consistency=linearizable".to_owned()] {
        assert_eq!(solo.get(&format!("budgets/b?{query}")).await.status, 200, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_node_and_its_cluster_are_shown() {
    let dir = tempfile::tempdir().unwrap();
    let solo = Solo::start(dir.path()).await;
    let status = solo.get("status").await.json;
    assert_eq!(status["node"]["ready"], true, "{status}");
    assert_eq!(status["cluster"]["leader"], status["node"]["id"]);
    assert_eq!(status["cluster"]["quorum_ok"], true);
    let checks = status["node"]["checks"].as_array().unwrap();
    let names: std::collections::BTreeSet<String> =
        checks.iter().map(|check| text(check, "name")).collect();
    assert_eq!(names.len(), checks.len(), "each check once: {checks:?}");
    let members = solo.get("cluster/members").await.json;
    assert_eq!(members["items"][0]["id"], status["node"]["id"]);
    let last = text(&status["node"], "id");
    let removed = solo.ask(Method::DELETE, &format!("cluster/members/{last}"), Value::Null).await;
    assert!((400..600).contains(&removed.status), "the last voter stays: {removed:?}");
    assert_eq!(solo.ask(Method::DELETE, "cluster/members/nobody", Value::Null).await.status, 404);
}
