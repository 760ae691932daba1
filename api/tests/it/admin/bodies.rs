//! What is taken, what is refused, and what is shown.

use super::Surface;
use http::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn a_created_key_is_shown_once() {
    let surface = Surface::new();
    let made = surface.ask(Method::POST, "/admin/v1/keys", r#"{"name":"app"}"#).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let json = made.json();
    assert_eq!((&json["key"], &json["name"]), (&json!("bsr-secret"), &json!("app")));
    assert_eq!((&json["log_index"], &json["not_confirmed_by"]), (&json!(1), &json!([])));
    assert_eq!((made.header("etag"), made.header("x-bursar-log-index")), ("\"1\"", "1"));
    assert!(surface.get("/admin/v1/keys/app").await.json().get("key").is_none());
    assert!(!surface.get("/admin/v1/keys").await.text.contains("bsr-secret"));
}

#[tokio::test]
async fn a_key_without_a_name_gets_one() {
    let made = Surface::new().ask(Method::POST, "/admin/v1/keys", "").await;
    assert_eq!((made.status, &made.json()["name"]), (StatusCode::CREATED, &json!("made-up")));
}

#[tokio::test]
async fn a_key_is_not_created_twice_and_put_replaces_it() {
    let surface = Surface::new();
    surface.put("/admin/v1/keys/app", "{}").await;
    let again = surface.ask(Method::POST, "/admin/v1/keys", r#"{"name":"app"}"#).await;
    assert_eq!(again.problem(), (409, "conflict".to_owned()));
    assert!(again.json()["fix"].as_str().unwrap().contains("PUT"));
    let put = surface.put("/admin/v1/keys/app", r#"{"enabled":false}"#).await;
    assert_eq!((put.status, &put.json()["enabled"]), (StatusCode::OK, &json!(false)));
    assert!(put.json().get("key").is_none());
}

#[tokio::test]
async fn actions_stand_behind_a_colon() {
    let surface = Surface::new();
    surface.put("/admin/v1/keys/app", "{}").await;
    let rotated = surface.ask(Method::POST, "/admin/v1/keys/app:rotate", "").await;
    assert_eq!(rotated.json()["key"], "bsr-rotated");
    assert_eq!(rotated.json()["not_confirmed_by"], json!(["n3"]));
    let revoked = surface.ask(Method::POST, "/admin/v1/keys/app:revoke", "").await;
    assert_eq!(revoked.status, StatusCode::OK);
    let gone = surface.ask(Method::DELETE, "/admin/v1/keys/app", "").await;
    assert_eq!(gone.problem(), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn mistakes_are_named_with_their_field() {
    let surface = Surface::new();
    let provider = "/admin/v1/providers/p";
    let cases = [
        ("/admin/v1/keys/k", r#"{"budget":["b"]}"#, "unknown_field", "budget"),
        ("/admin/v1/keys/k", r#"{"limits":{"requests":1}}"#, "unknown_field", "limits.requests"),
        ("/admin/v1/keys/k", r#"{"enabled":"yes"}"#, "invalid", "enabled"),
        ("/admin/v1/keys/k", r#"{"expires_at":"tomorrow"}"#, "invalid", "expires_at"),
        ("/admin/v1/keys/k", r#"{"budget_usd":0.0000000001}"#, "invalid", "budget_usd"),
        ("/admin/v1/keys/k", r#"{"budget_window":"day"}"#, "invalid", "budget_window"),
        ("/admin/v1/keys/k", r#"{"name":"other"}"#, "invalid", "name"),
        ("/admin/v1/budgets/b", r#"{"limit_usd":1,"window":"monthly"}"#, "invalid", "window"),
        ("/admin/v1/budgets/b", "{}", "invalid", "budget"),
        (
            provider,
            r#"{"base_url":"u","models":[{"name":"m","prize":1}]}"#,
            "unknown_field",
            "models[0].prize",
        ),
        (
            provider,
            r#"{"base_url":"u","credentials":[{"secrte":"s"}]}"#,
            "unknown_field",
            "credentials[0].secrte",
        ),
        ("/admin/v1/aliases/a", r#"{"targets":[{"provider":"p"}]}"#, "invalid", "targets[0]"),
    ];
    for (path, body, code, field) in cases {
        let answer = surface.put(path, body).await;
        assert_eq!(answer.problem(), (422, code.to_owned()), "{body}: {answer:?}");
        assert_eq!(answer.json()["errors"][0]["field"], field, "{body}: {answer:?}");
    }
}

#[tokio::test]
async fn what_is_not_json_and_what_is_too_large_is_told_apart() {
    let surface = Surface::new();
    assert_eq!(surface.put("/admin/v1/keys/k", "{").await.problem(), (400, "malformed".to_owned()));
    let large = format!(r#"{{"name":"{}"}}"#, "x".repeat(1 << 20));
    let answer = surface.put("/admin/v1/keys/k", &large).await;
    assert_eq!(answer.problem(), (413, "too_large".to_owned()));
}

#[tokio::test]
async fn money_passes_exactly() {
    let surface = Surface::new();
    for (written, nano) in [
        (r#""1.00""#, 1_000_000_000_i64),
        ("0.1", 100_000_000),
        ("9007199.254740993", 9_007_199_254_740_993),
    ] {
        let body = format!(r#"{{"limit_usd":{written},"window":"month"}}"#);
        let budget = surface.put("/admin/v1/budgets/b", &body).await.json();
        assert_eq!(budget["windows"][0]["limit_nano_usd"], nano, "{budget}");
    }
    let budget = surface.get("/admin/v1/budgets/b").await.json();
    assert_eq!(budget["windows"][0]["limit_usd"], "9007199.254740993");
    assert_eq!(budget["windows"][0]["overspend_bound_usd"], "0.00");
}

#[tokio::test]
async fn secrets_go_in_and_do_not_come_out() {
    let surface = Surface::new();
    let body = r#"{"base_url":"https://u/v1","credentials":[{"secret":"sk-hidden"}]}"#;
    let put = surface.put("/admin/v1/providers/p", body).await;
    assert_eq!(put.status, StatusCode::CREATED, "{put:?}");
    let shown = surface.get("/admin/v1/providers/p").await;
    assert_eq!(shown.json()["credentials"][0], json!({"name":"default","weight":1,"set":true}));
    let listed = surface.get("/admin/v1/providers").await;
    for answer in [put, shown, listed] {
        assert!(!answer.text.contains("sk-hidden"), "{answer:?}");
    }
}

#[tokio::test]
async fn numbers_of_nodes_are_text_because_they_are_larger_than_a_double_holds() {
    let cluster = Surface::new().get("/admin/v1/cluster").await.json();
    assert_eq!(cluster["leader"], u64::MAX.to_string());
}

#[tokio::test]
async fn a_node_asked_to_leave_is_not_ready() {
    let surface = Surface::new();
    let drained = surface.ask(Method::POST, "/admin/v1/nodes/self:drain", "").await;
    assert_eq!(drained.json()["draining"], true);
    let ready = surface.ask_bare(Method::GET, "/readyz", "", &[]).await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
}
