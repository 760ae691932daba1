//! Money moved by hand.

use super::Surface;
use http::{Method, StatusCode};
use serde_json::json;

async fn surface() -> Surface {
    let surface = Surface::new();
    surface.put("/admin/v1/budgets/team", r#"{"limit_usd":10}"#).await;
    surface.put("/admin/v1/budgets/ops", r#"{"limit_usd":10}"#).await;
    surface
}

const INCREASE: &str = "/admin/v1/budgets/team:increase";
const MORE: &str = r#"{"amount_usd":"2.5","until":"2026-12-31T00:00:00Z","reason":"launch"}"#;

#[tokio::test]
async fn an_increase_answers_with_the_books_after_it() {
    let answer = surface().await.ask(Method::POST, INCREASE, MORE).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let json = answer.json();
    assert_eq!(json["budget"]["windows"][0]["limit_usd"], "12.50");
    assert_eq!(json["budget"]["windows"][0]["increased_usd"], "2.50");
    assert!(json["log_index"].is_u64());
}

#[tokio::test]
async fn an_operation_of_one_name_is_done_once_and_leaves_one_entry() {
    let surface = surface().await;
    let named = [("idempotency-key", "ticket-7")];
    let first = surface.ask_with(Method::POST, INCREASE, MORE, &named).await;
    let again = surface.ask_with(Method::POST, INCREASE, MORE, &named).await;
    assert_eq!(first.json()["log_index"], again.json()["log_index"]);
    surface.ask(Method::POST, "/admin/v1/budgets/team:reset", r#"{"reason":"mistake"}"#).await;
    let audit = surface.get("/admin/v1/audit").await.json();
    let said: Vec<_> = audit["items"].as_array().unwrap().iter().map(|e| &e["reason"]).collect();
    assert_eq!(said, [&json!("mistake"), &json!("launch")]);
    assert_eq!(audit["items"][1]["operation"], "ticket-7");
    let odd = [("idempotency-key", " ")];
    let refused = surface.ask_with(Method::POST, INCREASE, MORE, &odd).await;
    assert_eq!(refused.problem(), (400, "malformed".to_owned()));
}

#[tokio::test]
async fn a_transfer_shows_both_sides() {
    let surface = surface().await;
    let path = "/admin/v1/budgets/team:transfer";
    let body = r#"{"to":"ops","amount_usd":3,"reason":"quiet month"}"#;
    let json = surface.ask(Method::POST, path, body).await.json();
    assert_eq!(json["budget"]["windows"][0]["moved_usd"], "-3.00");
    assert_eq!(json["to"]["windows"][0]["moved_usd"], "3.00");
    let nowhere = r#"{"to":"nowhere","amount_usd":3,"reason":"x"}"#;
    let refused = surface.ask(Method::POST, path, nowhere).await;
    assert_eq!(refused.problem(), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn what_is_moved_by_hand_has_a_reason_and_an_amount() {
    let surface = surface().await;
    let cases = [
        (":increase", r#"{"until":"2026-12-31T00:00:00Z","reason":"x"}"#, "amount"),
        (":increase", r#"{"until":"never","amount_usd":1,"reason":"x"}"#, "until"),
        (":reset", r#"{"reason":" "}"#, "reason"),
        (":reset", r#"{"reason":"x","windw":"day"}"#, "windw"),
        (":transfer", r#"{"to":"ops","amount_tokens":1,"reason":"x"}"#, "amount_tokens"),
    ];
    for (action, body, field) in cases {
        let path = format!("/admin/v1/budgets/team{action}");
        let answer = surface.ask(Method::POST, &path, body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {answer:?}");
        assert_eq!(answer.json()["errors"][0]["field"], field, "{body}: {answer:?}");
    }
}

#[tokio::test]
async fn instances_come_in_pages() {
    let surface = surface().await;
    let first = surface.get("/admin/v1/budgets/team/instances?limit=2").await.json();
    assert_eq!(first["items"][0]["subject"], "a");
    assert_eq!(first["items"][0]["windows"][0]["limit_usd"], "10.00");
    let next = surface.get("/admin/v1/budgets/team/instances?cursor=b").await.json();
    assert_eq!(next["items"][0]["subject"], "c");
    let none = surface.get("/admin/v1/budgets/nowhere/instances").await;
    assert_eq!(none.problem(), (404, "not_found".to_owned()));
}
