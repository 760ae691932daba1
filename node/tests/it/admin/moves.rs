//! Money moved by hand, and the shape of budgets.

use super::solo::Solo;
use super::spender::Spender;
use ledger::UsageKey;
use reqwest::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn increases_transfers_and_resets_show_in_the_books_and_in_the_audit() {
    let dir = tempfile::tempdir().unwrap();
    let solo = Solo::start(dir.path()).await;
    solo.put("budgets/team", json!({"limit_usd": 10, "window": "month"})).await;
    solo.put("budgets/ops", json!({"limit_usd": 1})).await;
    let mut spender = Spender::new(&solo).await;
    spender.spend("team", 4_000_000_000, UsageKey::default()).await;

    let more = json!({"amount_usd": 5, "until": "2100-01-01T00:00:00Z", "reason": "launch"});
    let raised = solo.post("budgets/team:increase", more).await;
    let books = &raised.json["budget"]["windows"][0];
    assert_eq!((&books["limit_usd"], &books["increased_usd"]), (&json!("15.00"), &json!("5.00")));
    assert_eq!(books["increases"][0]["until"], "2100-01-01T00:00:00Z", "{raised:?}");

    let over = json!({"to": "ops", "amount_usd": "2", "reason": "quiet"});
    let passed = solo.post("budgets/team:transfer", over.clone()).await;
    assert_eq!(passed.json["budget"]["windows"][0]["moved_usd"], "-2.00", "{passed:?}");
    assert_eq!(passed.json["to"]["windows"][0]["limit_usd"], "3.00");
    let mut too_much = over;
    too_much["amount_usd"] = json!(100);
    assert_eq!(solo.post("budgets/team:transfer", too_much).await.status, 422);

    let named = ("idempotency-key", "ticket-9");
    let reset = async || {
        let body = json!({"reason": "mistake"});
        solo.ask_with(Method::POST, "budgets/team:reset", body, named).await
    };
    let first = reset().await;
    let books = first.json["budget"]["windows"][0].clone();
    assert_eq!((&books["period"], &books["spent_usd"]), (&json!(2), &json!("0.00")), "{first:?}");
    let again = reset().await;
    assert_eq!(again.json["budget"]["windows"][0]["period"], 2, "{again:?}");

    let audit = solo.get("audit?limit=2").await.json;
    let newest = &audit["items"][0];
    assert_eq!((&newest["reason"], &newest["actor"]), (&json!("mistake"), &json!("api:admin")));
    assert_eq!(newest["operation"], "ticket-9");
    let cursor = audit["next_cursor"].as_str().unwrap();
    let rest = solo.get(&format!("audit?cursor={cursor}")).await.json;
    assert_eq!(rest["items"][0]["reason"], "launch", "{rest}");
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_keeps_its_zone_its_policies_and_its_steps() {
    let dir = tempfile::tempdir().unwrap();
    let solo = Solo::start(dir.path()).await;
    let settings = json!({
        "limit_usd": 5, "window": "day", "time_zone": "Europe/Berlin", "thresholds": [50, 100],
        "without_quorum": {"degraded": {"usd": "0.50"}},
        "steps": [{"at_percent": 80, "requests_per_minute": 3}],
    });
    let made = solo.put("budgets/run", settings.clone()).await;
    assert_eq!(made.status, 201, "{made:?}");
    for field in ["time_zone", "thresholds", "steps"] {
        assert_eq!(made.json[field], settings[field], "{field}");
    }
    let window = &made.json["windows"][0];
    let resets = window["resets_at"].as_str().unwrap();
    assert!(resets.ends_with("T22:00:00Z") || resets.ends_with("T23:00:00Z"), "{resets}");
    assert_eq!(window["overspend_because"][0]["why"], "degraded");
    let again = solo.put("budgets/run", settings.clone()).await;
    assert_eq!((again.status, &again.etag), (200, &made.etag));

    let mut nowhere = settings;
    nowhere["time_zone"] = json!("Berlin");
    let unknown = solo.put("budgets/walk", nowhere).await;
    assert_eq!((unknown.status, &unknown.json["errors"][0]["field"]), (422, &json!("time_zone")));
    assert_eq!(unknown.json["fix"], "did you mean Europe/Berlin?");
    let soft = solo.put("budgets/soft", json!({"limit_tokens": 5, "mode": "soft"})).await;
    let window = &soft.json["windows"][0];
    assert_eq!(window["overspend_bound_tokens"], json!(null));
    assert_eq!(window["overspend_because"], json!([{"why": "soft"}]));
    let rolling = solo.put("budgets/rolling", json!({"limit_tokens": 5, "window": "rolling:24h"}));
    assert_eq!(rolling.await.json["windows"][0]["window"], "rolling:1d");
}
