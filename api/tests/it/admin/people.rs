//! Customers, teams, users, selectors, profiles and webhooks.

use super::Surface;
use http::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn scopes_belong_to_one_another() {
    let surface = Surface::new();
    assert_eq!(surface.put("/admin/v1/customers/acme", "{}").await.status, StatusCode::CREATED);
    let team = surface
        .put("/admin/v1/teams/red", r#"{"customer":"acme","labels":{"env":"dev"}}"#)
        .await
        .json();
    assert_eq!((&team["customer"], &team["labels"]), (&json!("acme"), &json!({"env": "dev"})));
    let user = surface.put("/admin/v1/users/ann", r#"{"team":"red"}"#).await.json();
    assert_eq!((&user["team"], user.get("customer")), (&json!("red"), None));
    let key = surface.put("/admin/v1/keys/k", r#"{"user":"ann","tags":["batch"]}"#).await.json();
    assert_eq!((&key["user"], &key["tags"]), (&json!("ann"), &json!(["batch"])));
}

#[tokio::test]
async fn mistakes_of_the_new_kinds_are_named_with_their_field() {
    let surface = Surface::new();
    let cases = [
        ("customers/a", r#"{"customer":"b"}"#, "customer"),
        ("teams/a", r#"{"team":"b"}"#, "team"),
        ("users/a", r#"{"team":"b","customer":"c"}"#, "team"),
        ("keys/a", r#"{"team":"b","user":"c"}"#, "user"),
        ("keys/a", r#"{"narrowed":[{"budgets":["b"]}]}"#, "narrowed[0]"),
        ("selectors/a", r#"{"label":{}}"#, "label"),
        ("profiles/a", r#"{"models":"some"}"#, "models"),
        ("profiles/a", r#"{"modles":"all"}"#, "modles"),
        ("profiles/a", r#"{"narrowed":[{}]}"#, "narrowed[0]"),
        ("webhooks/a", r#"{"url":"http://x","secrt":"y"}"#, "secrt"),
        ("budgets/a", r#"{"limit_usd":1,"per":"keys"}"#, "per"),
        ("budgets/a", r#"{"limit_usd":1,"window":"rolling"}"#, "window"),
        ("budgets/a", r#"{"limit_usd":1,"steps":[{"at_percent":5}]}"#, "steps[0]"),
        (
            "budgets/a",
            r#"{"limit_usd":1,"without_quorum":{"degraded":{"tokens":1}}}"#,
            "without_quorum.degraded.tokens",
        ),
    ];
    for (path, body, field) in cases {
        let answer = surface.put(&format!("/admin/v1/{path}"), body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {answer:?}");
        assert_eq!(answer.json()["errors"][0]["field"], field, "{body}: {answer:?}");
    }
}

#[tokio::test]
async fn a_profile_owns_what_it_says_and_nothing_else() {
    let surface = Surface::new();
    let body = r#"{"models":["gpt-4o"],"providers":"all","limits":{"requests_per_minute":5}}"#;
    let profile = surface.put("/admin/v1/profiles/basic", body).await.json();
    assert_eq!((&profile["models"], &profile["providers"]), (&json!(["gpt-4o"]), &json!("all")));
    assert_eq!(profile.get("budgets"), None);
}

#[tokio::test]
async fn a_budget_says_how_it_is_shared_and_what_happens_on_the_way() {
    let surface = Surface::new();
    let body = json!({
        "limit_usd": 5, "window": "rolling:24h", "per": "session:1h", "time_zone": "Europe/Berlin",
        "without_quorum": {"degraded": {"usd": "0.50"}}, "thresholds": [50, 100],
        "steps": [{"at_percent": 80, "downgrade_to": "openai/small"}],
    });
    let made = surface.put("/admin/v1/budgets/run", &body.to_string()).await.json();
    for field in ["per", "time_zone", "without_quorum", "thresholds", "steps"] {
        assert_eq!(made[field], body[field], "{field}");
    }
    assert_eq!(made["windows"][0]["window"], "rolling:1d");
}

#[tokio::test]
async fn the_secret_of_a_webhook_is_shown_once() {
    let surface = Surface::new();
    let body = r#"{"url":"https://hooks.example/x"}"#;
    let made = surface.put("/admin/v1/webhooks/pager", body).await;
    assert_eq!(made.json()["secret"], "whsec_drawn");
    assert_eq!(surface.put("/admin/v1/webhooks/pager", body).await.json().get("secret"), None);
    let path = "/admin/v1/webhooks/pager";
    assert_eq!(surface.get(path).await.json().get("secret"), None);
    let rotated = surface.ask(Method::POST, &format!("{path}:rotate"), "").await;
    assert_eq!(rotated.json()["secret"], "whsec_rotated");
    let tested = surface.ask(Method::POST, &format!("{path}:test"), "").await;
    assert_eq!(tested.json(), json!({"delivered": true, "status": 204, "took_ms": 3}));
    let other = surface.ask(Method::POST, &format!("{path}:fire"), "").await;
    assert_eq!(other.problem(), (405, "method_not_allowed".to_owned()));
}

#[tokio::test]
async fn usage_is_grouped_as_asked() {
    let surface = Surface::new();
    let report = surface.get("/admin/v1/usage?from=2026-01-01&to=2026-01-31&by=team,day").await;
    let json = report.json();
    assert_eq!(json["by"], json!(["team", "day"]));
    assert_eq!((&json["from"], &json["to"]), (&json!("2026-01-01"), &json!("2026-01-31")));
    let odd = surface.get("/admin/v1/usage?by=tem").await;
    assert_eq!(odd.problem(), (422, "invalid".to_owned()));
    assert!(odd.text.contains("did you mean team?"), "{odd:?}");
}
