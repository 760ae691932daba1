//! Customers, teams, users, selectors and profiles, from their creation to their end.

use super::solo::Solo;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scopes_hold_together_and_go_only_when_nothing_belongs_to_them() {
    let dir = tempfile::tempdir().unwrap();
    let solo = Solo::start(dir.path()).await;
    solo.put("budgets/acme-year", json!({"limit_usd": 100, "window": "year"})).await;
    solo.put("customers/acme", json!({"budgets": ["acme-year"]})).await;
    let team = solo.put("teams/red", json!({"customer": "acme", "labels": {"env": "dev"}})).await;
    assert_eq!((team.status, &team.json["customer"]), (201, &json!("acme")), "{team:?}");
    solo.put("users/ann", json!({"team": "red"})).await;
    let key = solo.put("keys/laptop", json!({"user": "ann"})).await;
    assert_eq!((key.status, &key.json["user"]), (201, &json!("ann")), "{key:?}");

    let orphan = solo.put("users/bob", json!({"team": "blue"})).await;
    assert_eq!((orphan.status, &orphan.json["fix"]), (422, &json!("create the team first")));
    for (path, by) in [("users/ann", "laptop"), ("teams/red", "ann"), ("customers/acme", "red")] {
        let refused = solo.ask(Method::DELETE, path, Value::Null).await;
        assert_eq!(refused.status, 409, "{path}: {refused:?}");
        assert!(refused.json["detail"].as_str().unwrap().contains(by), "{path}: {refused:?}");
    }
    let named = solo.ask(Method::DELETE, "budgets/acme-year", Value::Null).await;
    assert_eq!(named.status, 409, "{named:?}");
    for path in ["keys/laptop", "users/ann", "teams/red", "customers/acme", "budgets/acme-year"] {
        let gone = solo.ask(Method::DELETE, path, Value::Null).await;
        assert_eq!(gone.status, 200, "{path}: {gone:?}");
    }
    assert_eq!(solo.get("teams").await.json["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_is_applied_and_applied_again() {
    let dir = tempfile::tempdir().unwrap();
    let solo = Solo::start(dir.path()).await;
    solo.put("profiles/basic", json!({"models": ["small"], "tags": ["basic"]})).await;
    let key = solo.put("keys/app", json!({"profile": "basic", "providers": ["openai"]})).await;
    assert_eq!((key.status, &key.json["models"]), (201, &json!(["small"])), "{key:?}");
    assert_eq!(key.json["profile_owns"], json!(["models", "tags"]));

    let own = solo.put("keys/app", json!({"profile": "basic", "models": ["large"]})).await;
    assert_eq!(own.status, 422, "{own:?}");
    assert!(own.json["detail"].as_str().unwrap().contains("profile basic"), "{own:?}");
    solo.put("profiles/basic", json!({"models": ["small", "large"]})).await;
    let key = solo.get("keys/app").await.json;
    assert_eq!(
        (&key["models"], &key["providers"]),
        (&json!(["small", "large"]), &json!(["openai"]))
    );
    assert_eq!(key["profile_owns"], json!(["models"]));
    assert_eq!(solo.get("profiles/basic").await.json["keys"], 1);
    let used = solo.ask(Method::DELETE, "profiles/basic", Value::Null).await;
    assert_eq!(used.status, 409, "{used:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_selector_names_budgets_that_exist() {
    let dir = tempfile::tempdir().unwrap();
    let solo = Solo::start(dir.path()).await;
    let settings = json!({"labels": {"env": "dev"}, "budgets": ["each"]});
    let early = solo.put("selectors/dev", settings.clone()).await;
    assert_eq!(early.json["errors"][0]["field"], "budgets", "{early:?}");
    let each = json!({"limit_usd": 5, "window": "day", "per": "key"});
    let each = solo.put("budgets/each", each).await;
    assert_eq!(
        (&each.json["per"], &each.json["instances"]),
        (&json!("key"), &json!(0)),
        "{each:?}"
    );
    let made = solo.put("selectors/dev", settings.clone()).await;
    assert_eq!((made.status, &made.json["labels"]), (201, &json!({"env": "dev"})), "{made:?}");
    let again = solo.put("selectors/dev", settings).await;
    assert_eq!((again.status, again.etag), (200, made.etag));
}
