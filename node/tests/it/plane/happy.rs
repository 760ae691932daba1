//! What works, works to the byte and to the nano-USD.

use super::client::{Caller, ask, chat, once, post};
use super::node::{TestNode, USD};
use super::upstream::{Does, Upstream, answer, json};
use bursar::simulator::{Settings, Simulator};
use ledger::{Allow, RateLimits, Unit, UnixMillis};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_is_answered_end_to_end_and_spend_is_what_the_provider_billed() {
    let simulator = Simulator::start(Settings::default()).unwrap();
    let node = TestNode::start().await;
    node.provider("sim", &simulator.base_url()).await;
    let key = node.key("k", USD).await;
    let mut caller = Caller::connect(node.addr).await;
    for more in ["", r#","max_tokens":10"#, r#","stream":true"#, r#","stream":true,"n":2"#] {
        caller.send(&chat(&key, &ask("sim/m", more))).await;
        let answer = caller.answer().await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    for (path, body) in [
        ("/openai/v1/completions", r#"{"model":"m","prompt":"hello"}"#),
        ("/openai/embeddings", r#"{"model":"m","input":["a","b"]}"#),
    ] {
        caller.send(&post(path, &key, body)).await;
        let answer = caller.answer().await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    assert_eq!(node.spent().await, simulator.billed().nano_usd);
    assert_eq!(simulator.billed().requests, 6);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_go_through_but_for_the_edits_and_our_credential_replaces_the_callers() {
    let said = answer(7, 3);
    let upstream = Upstream::start(Does::Sends(json("200 OK", &said))).await;
    let node = TestNode::start().await;
    node.provider("up", &upstream.base_url()).await;
    let key = node.key("k", USD).await;
    let body =
        r#"{ "zeta": 1.0e2, "model":"up/m","messages":[],"fallbacks":["x/y"], "max_tokens": 5 }"#;
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: test\r\nx-api-key: {key}\r\nx-request-id: mine\r\nx-stainless-lang: rust\r\ntraceparent: 00-1-2-01\r\ncookie: a=b\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = once(node.addr, request.as_bytes()).await;
    assert_eq!((answer.status, answer.text()), (200, said.as_str()));
    for (name, value) in [
        ("x-request-id", "mine"),
        ("x-bursar-provider", "up"),
        ("x-bursar-model", "m"),
        ("x-bursar-route", "up/m"),
        ("x-bursar-attempts", "1"),
        ("x-bursar-cost-usd", "0.000019000"),
        // What was held beyond the cost is free again.
        ("x-bursar-budget-remaining-usd", "0.999981000"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{}", answer.head);
    }
    assert_eq!(answer.header("x-bursar-max-tokens"), None);
    let seen = upstream.requests().pop().unwrap();
    let (head, sent) = seen.split_once("\r\n\r\n").unwrap();
    assert_eq!(sent, r#"{ "zeta": 1.0e2, "model":"m","messages":[], "max_tokens": 5 }"#);
    assert!(head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{head}");
    let head = head.to_lowercase();
    for line in
        ["authorization: bearer sk-upstream", "traceparent: 00-1-2-01", "accept-encoding: identity"]
    {
        assert!(head.contains(line), "{line} is missing in {head}");
    }
    for secret in [key.to_lowercase().as_str(), "x-stainless", "cookie", "mine"] {
        assert!(!head.contains(secret), "{secret} leaked in {head}");
    }
    assert_eq!(node.spent().await, 7_000 + 12_000);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cap_is_set_where_the_caller_gave_none_and_reported() {
    let upstream = Upstream::start(Does::Sends(json("200 OK", &answer(7, 3)))).await;
    let node = TestNode::start().await;
    node.provider("up", &upstream.base_url()).await;
    let key = node.key("k", USD).await;
    let capped = once(node.addr, &chat(&key, &ask("up/m", ""))).await;
    assert_eq!(capped.header("x-bursar-max-tokens"), Some("4096"));
    assert!(upstream.requests()[0].contains(r#""max_tokens":4096,"#));
    let free = node.key_with("free", |_| ()).await;
    let uncapped = once(node.addr, &chat(&free, &ask("up/m", ""))).await;
    assert_eq!(uncapped.header("x-bursar-max-tokens"), None);
    assert!(!upstream.requests()[1].contains("max_tokens"));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_refused_each_for_its_own_reason_before_any_upstream_call() {
    let upstream = Upstream::start(Does::Sends(json("200 OK", &answer(1, 1)))).await;
    let node = TestNode::start().await;
    node.provider("up", &upstream.base_url()).await;
    node.provider("other", &upstream.base_url()).await;
    let good = node.key("good", USD).await;
    let revoked = node.key("revoked", USD).await;
    node.revoke("revoked").await;
    let expired = node.key_with("expired", |key| key.expires_at = Some(UnixMillis(1))).await;
    let disabled = node.key_with("disabled", |key| key.enabled = false).await;
    let narrow = Allow::Only(vec!["other".to_owned()]);
    let provider = node.key_with("provider", |key| key.providers = narrow).await;
    let narrow = Allow::Only(vec!["up/else".to_owned()]);
    let model = node.key_with("model", |key| key.models = narrow).await;
    let mut typo = good.clone();
    typo.pop();
    let cases = [
        ("", "up/m", 401, "virtual_key_required"),
        ("sk-nobody", "up/m", 401, "virtual_key_unknown"),
        (typo.as_str(), "up/m", 401, "virtual_key_unknown"),
        (&"x".repeat(5_000), "up/m", 401, "virtual_key_unknown"),
        (&revoked, "up/m", 403, "virtual_key_blocked"),
        (&expired, "up/m", 403, "virtual_key_blocked"),
        (&disabled, "up/m", 403, "virtual_key_blocked"),
        (&provider, "up/m", 403, "provider_blocked"),
        (&model, "up/m", 403, "model_blocked"),
        (&good, "up/nothing", 404, "model_not_found"),
        (&good, "nothing", 404, "model_not_found"),
    ];
    for (key, model, status, code) in cases {
        let answer = once(node.addr, &chat(key, &ask(model, ""))).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{model}");
        assert_eq!(answer.header("x-should-retry"), Some("false"));
        assert!(answer.header("x-request-id").unwrap().starts_with("req_"));
    }
    assert!(upstream.requests().is_empty());
    assert_eq!(node.spent().await, 0);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn budgets_of_every_unit_refuse_what_does_not_fit() {
    let upstream = Upstream::start(Does::Sends(json("200 OK", &answer(7, 3)))).await;
    let node = TestNode::start().await;
    node.provider("up", &upstream.base_url()).await;
    let small = node.key("small", 1_000).await;
    node.budget("tokens", Unit::Tokens, 50).await;
    node.budget("requests", Unit::Requests, 2).await;
    let tokens = node.key_with("tokens", |key| key.budgets = vec!["tokens".to_owned()]).await;
    let requests = node.key_with("requests", |key| key.budgets = vec!["requests".to_owned()]).await;
    for key in [&small, &tokens] {
        let answer = once(node.addr, &chat(key, &ask("up/m", r#","max_tokens":10"#))).await;
        assert_eq!((answer.status, answer.code().as_str()), (402, "request_exceeds_budget"));
    }
    for (status, code) in [(200, ""), (200, ""), (402, "budget_exceeded")] {
        let answer = once(node.addr, &chat(&requests, &ask("up/m", ""))).await;
        assert_eq!(answer.status, status, "{answer:?}");
        if status != 200 {
            assert_eq!(answer.code(), code);
            assert!(answer.text().contains("budget requests has 0 requests of 2 requests left"));
        }
    }
    assert_eq!(upstream.requests().len(), 2);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rates_are_kept_and_told_and_a_refused_request_burns_none() {
    let upstream = Upstream::start(Does::Sends(json("200 OK", &answer(7, 3)))).await;
    let node = TestNode::start().await;
    node.provider("up", &upstream.base_url()).await;
    let limits = RateLimits { requests_per_minute: Some(2), ..RateLimits::default() };
    node.budget("b", Unit::NanoUsd, 1_000_000).await;
    let key = node
        .key_with("k", |key| {
            key.limits = limits;
            key.budgets = vec!["b".to_owned()];
        })
        .await;
    let too_dear = ask("up/m", r#","max_tokens":4000"#);
    let cheap = ask("up/m", r#","max_tokens":1"#);
    let cases = [
        (&too_dear, 402, "request_exceeds_budget"),
        (&cheap, 200, ""),
        (&cheap, 200, ""),
        (&cheap, 429, "request_limited"),
    ];
    for (body, status, code) in cases {
        let answer = once(node.addr, &chat(&key, body)).await;
        assert_eq!(answer.status, status, "{answer:?}");
        if status == 200 {
            assert_eq!(answer.header("x-ratelimit-limit-requests"), Some("2"));
        } else {
            assert_eq!(answer.code(), code);
        }
        if status == 429 {
            assert!(answer.header("retry-after").is_some());
            assert!(answer.header("retry-after-ms").is_some());
        }
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn models_lists_what_the_key_may_use() {
    let upstream = Upstream::start(Does::Sends(json("200 OK", &answer(1, 1)))).await;
    let node = TestNode::start().await;
    node.provider("a", &upstream.base_url()).await;
    node.provider("b", &upstream.base_url()).await;
    node.alias("fast", &[("a", 1)]).await;
    let key = node.key_with("k", |key| key.providers = Allow::Only(vec!["a".to_owned()])).await;
    let get = |path: &str| {
        format!("GET {path} HTTP/1.1\r\nhost: t\r\napi-key: {key}\r\n\r\n").into_bytes()
    };
    let list = once(node.addr, &get("/v1/models")).await.json();
    let ids: Vec<_> =
        list["data"].as_array().unwrap().iter().map(|model| model["id"].clone()).collect();
    assert_eq!(ids, ["a/m", "fast"]);
    assert_eq!(once(node.addr, &get("/v1/models/a/m")).await.json()["id"], "a/m");
    assert_eq!(once(node.addr, &get("/openai/v1/models/b/m")).await.status, 404);
    node.stop().await;
}
