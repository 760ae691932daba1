//! Usage: over HTTP, and by the program's own commands.

use super::command_line::{bursar, err, out};
use super::solo::Solo;
use super::spender::Spender;
use ledger::UsageKey;
use serde_json::json;

fn used(day: u32, team: &str, model: &str) -> UsageKey {
    UsageKey {
        day,
        team: team.to_owned(),
        provider: "openai".to_owned(),
        model: model.to_owned(),
        tags: vec!["batch".to_owned()],
        ..UsageKey::default()
    }
}

/// 2026-01-01, in days since 1970.
const DAY: u32 = 20_454;

async fn with_usage(solo: &Solo) {
    solo.put("budgets/team", json!({"limit_usd": 10, "window": "month"})).await;
    let mut spender = Spender::new(solo).await;
    spender.spend("team", 500_000_001, used(DAY, "red", "gpt-4o")).await;
    spender.spend("team", 7, used(DAY + 1, "blue", "o3")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_add_up_to_the_books_to_the_nano_dollar() {
    let dir = tempfile::tempdir().unwrap();
    let solo = Solo::start(dir.path()).await;
    with_usage(&solo).await;
    let report = solo.get("usage?by=team,day").await.json;
    let expected =
        json!([["2026-01-01", "red", "0.500000001"], ["2026-01-02", "blue", "0.000000007"],]);
    let rows = report["rows"].as_array().unwrap().iter();
    let rows: Vec<_> = rows.map(|row| json!([row["day"], row["team"], row["cost_usd"]])).collect();
    assert_eq!(json!(rows), expected, "{report}");
    assert_eq!(report["total"]["cost_nano_usd"], 500_000_008);
    let books = &report["reconciliation"][0];
    assert_eq!((&books["budget"], &books["spent_nano_usd"]), (&json!("team"), &json!(500_000_008)));
    assert_eq!(books["difference_nano_usd"], 0, "{report}");
    let one_day = solo.get("usage?from=2026-01-02&to=2026-01-02&by=tag").await.json;
    assert_eq!(one_day["rows"][0]["tag"], "batch");
    assert_eq!(one_day["total"]["cost_nano_usd"], 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_reports_and_compares_with_an_export() {
    let dir = tempfile::tempdir().unwrap();
    let solo = Solo::start(dir.path()).await;
    with_usage(&solo).await;
    let csv = bursar(&solo, &["usage", "report", "--by", "day,model", "-o", "csv"]).await;
    let text = out(&csv);
    let mut lines = text.lines();
    assert!(lines.next().unwrap().starts_with("day,model,requests,"), "{text}");
    assert_eq!(lines.next(), Some("2026-01-01,gpt-4o,1,0,0,0,0,0,0.500000001"));
    let table = bursar(&solo, &["usage", "report", "--by", "team"]).await;
    assert!(out(&table).contains("red"), "{table:?}");
    assert!(err(&table).contains("add up to the budgets' books"), "{table:?}");

    let file = dir.path().join("costs.csv");
    let costs = |o3: &str| {
        format!(
            "day,model,cost_usd\n2026-01-01,gpt-4o-2024-08-06,0.500000001\n2026-01-02,o3,{o3}\n"
        )
    };
    let path = file.to_str().unwrap();
    let line = ["usage", "reconcile", "--provider", "openai", "--file", path];
    std::fs::write(&file, costs("0.000000007")).unwrap();
    let same = bursar(&solo, &line).await;
    assert_eq!(same.status.code(), Some(0), "{same:?}");
    std::fs::write(&file, costs("0.25")).unwrap();
    let differs = bursar(&solo, &line).await;
    assert_eq!(differs.status.code(), Some(1), "{differs:?}");
    assert!(out(&differs).contains("2026-01-02  o3     0.25"), "{differs:?}");
    assert!(err(&differs).contains("1 of 2 days and models differ"), "{differs:?}");
    let tolerant = [&line[..], &["--tolerance", "0.25"]].concat();
    assert_eq!(bursar(&solo, &tolerant).await.status.code(), Some(0));
}
