//! Giving up what silent nodes were granted.

use super::Surface;
use http::{Method, StatusCode};
use serde_json::json;

const WRITE_OFF: &str = "/admin/v1/budgets/team:write-off";

async fn surface() -> Surface {
    let surface = Surface::new();
    surface.put("/admin/v1/budgets/team", r#"{"limit_tokens":100}"#).await;
    surface
}

#[tokio::test]
async fn a_write_off_says_what_is_released_and_what_it_may_come_to() {
    let body = r#"{"amount_tokens":20,"reason":"disk lost","dry_run":true}"#;
    let answer = surface().await.ask(Method::POST, WRITE_OFF, body).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let json = answer.json();
    let released = json!([
        {"node": "7", "label": "n7", "incarnation": 1, "amount": {"tokens": 20}}
    ]);
    assert_eq!(json["released"], released);
    assert_eq!(json["overspend_bound"], json!({"tokens": 20}));
    assert_eq!((&json["dry_run"], &json["budget"]["name"]), (&json!(true), &json!("team")));
    assert!(json["log_index"].is_u64());
}

#[tokio::test]
async fn a_write_off_needs_a_reason_a_fitting_amount_and_the_token() {
    let surface = surface().await;
    let cases = [
        ("", (422, "invalid")),
        (r#"{"reason":"x","amount_usd":1}"#, (422, "invalid")),
        (r#"{"reason":"x","amount_token":1}"#, (422, "unknown_field")),
    ];
    for (body, (status, code)) in cases {
        let answer = surface.ask(Method::POST, WRITE_OFF, body).await;
        assert_eq!(answer.problem(), (status, code.to_owned()), "{body}");
    }
    let stale = [("if-match", "\"9\"")];
    let body = r#"{"reason":"x"}"#;
    let answer = surface.ask_with(Method::POST, WRITE_OFF, body, &stale).await;
    assert_eq!(answer.problem(), (412, "precondition".to_owned()));
    let bare = surface.ask_bare(Method::POST, WRITE_OFF, body, &[]).await;
    assert_eq!(bare.status, StatusCode::UNAUTHORIZED);
    let other = surface.ask(Method::POST, "/admin/v1/budgets/team:forget", "").await;
    assert_eq!(other.problem(), (405, "method_not_allowed".to_owned()));
    assert!(other.json()["fix"].as_str().unwrap().contains("{name}:write-off"));
}
