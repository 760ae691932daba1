//! A key asks what it may do and how much is left: for nothing, and when nothing is left.

use super::client::{ask, chat, get, once};
use super::node::{TestNode, until};
use super::upstream::{Does, Upstream, answer, json};
use ledger::{Narrowed, RateLimits, Unit};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_whose_budget_is_spent_can_still_ask_in_every_shape() {
    let upstream = Upstream::start(Does::Sends(json("200 OK", &answer(7, 3)))).await;
    let node = TestNode::start().await;
    node.provider("up", &upstream.base_url()).await;
    node.budget("usd", Unit::NanoUsd, 250_000).await;
    node.budget("at-up", Unit::Requests, 9).await;
    let key = node
        .key_with("k", |key| {
            key.budgets = vec!["usd".to_owned()];
            key.limits = RateLimits { requests_per_minute: Some(60), ..RateLimits::default() };
            key.narrowed = vec![Narrowed {
                provider: Some("up".to_owned()),
                budgets: vec!["at-up".to_owned()],
                ..Narrowed::default()
            }];
        })
        .await;
    let request = chat(&key, r#"{"model":"up/m","messages":[],"max_tokens":1}"#);
    let mut answered = 0;
    while once(node.addr, &request).await.status == 200 {
        answered += 1;
    }
    assert!(answered > 0);
    let spent = node.spent().await - answered;
    until("the ledger knows", || node.reported("usd") == spent).await;
    let before = upstream.requests().len();
    let own = once(node.addr, &get("/v1/key", &key)).await.json();
    assert_eq!((&own["name"], &own["enabled"]), (&"k".into(), &true.into()));
    let money = &own["budgets"][0];
    assert_eq!((&money["budget"], &money["limit"]), (&"usd".into(), &"0.00025".into()), "{own}");
    let usd =
        |value: &serde_json::Value| value.as_str().unwrap().parse::<api::admin::Usd>().unwrap().0;
    assert_eq!(usd(&money["spent"]), spent, "{own}");
    assert_eq!(
        usd(&money["spent"]) + usd(&money["out"]) + usd(&money["remaining"]),
        250_000,
        "{own}"
    );
    let narrowed = &own["budgets"][1];
    assert_eq!(
        (&narrowed["budget"], &narrowed["only"]),
        (&"at-up".into(), &"up/*".into()),
        "{own}"
    );
    assert_eq!(narrowed["spent"], answered);
    let open_router = once(node.addr, &get("/api/v1/key", &key)).await.json();
    assert_eq!(open_router["data"]["label"], "k");
    assert_eq!(open_router["data"]["rate_limit"]["requests"], 60);
    let credits = once(node.addr, &get("/api/v1/credits", &key)).await;
    assert!(credits.text().contains(r#""total_credits":0.00025"#), "{}", credits.text());
    let bifrost = once(node.addr, &get("/api/governance/virtual-keys/quota", &key)).await.json();
    assert_eq!(bifrost["virtual_key_name"], "k");
    let lite = once(node.addr, &get("/key/info", &key)).await.json();
    assert_eq!(lite["info"]["key_alias"], "k");
    let another = once(node.addr, &get("/key/info?key=sk-other", &key)).await;
    assert_eq!(another.status, 403);
    let nobody = once(node.addr, &get("/v1/key", "sk-nobody")).await;
    assert_eq!(nobody.status, 401);
    assert_eq!(upstream.requests().len(), before);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_without_budgets_is_told_that_it_has_none() {
    let node = TestNode::start().await;
    let key = node.key_with("k", |_| ()).await;
    let own = once(node.addr, &get("/v1/key", &key)).await.json();
    assert_eq!((own["budgets"].as_array().unwrap().len(), &own["object"]), (0, &"key".into()));
    let refused = once(node.addr, &chat(&key, &ask("nobody/m", ""))).await;
    assert_eq!(refused.status, 404);
    node.stop().await;
}
