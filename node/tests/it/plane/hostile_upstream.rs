//! Upstreams that fail, lie, break off or never end.

use super::client::{Caller, ask, chat, once};
use super::node::{TestNode, USD, until};
use super::upstream::{Does, Upstream, answer, json};

async fn house(does: Does) -> (TestNode, Upstream, String) {
    let upstream = Upstream::start(does).await;
    let node = TestNode::start().await;
    node.provider_with("up", &upstream.base_url(), |provider| provider.timeout_ms = 500).await;
    let key = node.key("k", USD).await;
    (node, upstream, key)
}

fn body() -> String {
    ask("up/m", r#","max_tokens":5"#)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_of_a_provider_are_told_in_words_and_cost_what_may_have_been_billed() {
    let (node, upstream, key) = house(Does::Hangs(Vec::new())).await;
    let whole = |bytes: &str| Does::SendsAndCloses(bytes.as_bytes().to_vec());
    let cut =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{\"id\":";
    let cases = [
        // (what it does, status, code, whether it is free)
        (Does::Hangs(Vec::new()), 504, "upstream_timeout", false),
        (Does::SendsAndCloses(Vec::new()), 502, "upstream_unreachable", false),
        (whole("\x01\x02 this is not http\r\n\r\n"), 502, "upstream_invalid_answer", false),
        (whole(cut), 502, "upstream_invalid_answer", false),
        (Does::Sends(json("200 OK", "no json")), 502, "upstream_invalid_answer", false),
        (Does::Sends(json("302 Found", "")), 502, "upstream_invalid_answer", true),
        (Does::Sends(json("401 Unauthorized", "{}")), 502, "provider_credential_refused", true),
        (Does::Sends(json("403 Forbidden", "{}")), 502, "provider_credential_refused", true),
        (Does::Sends(json("500 Internal Server Error", "<html>")), 500, "", true),
    ];
    for (does, status, code, free) in cases {
        upstream.does(does);
        let before = node.spent().await;
        let answer = once(node.addr, &chat(&key, &body())).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{answer:?}");
        assert_eq!(node.spent().await == before, free, "{status} {code}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_providers_own_refusal_keeps_its_status_and_words() {
    let said = r#"{"error":{"message":"too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#;
    let (node, _upstream, key) = house(Does::Sends(json("400 Bad Request", said))).await;
    let answer = once(node.addr, &chat(&key, &body())).await;
    assert_eq!((answer.status, answer.text()), (400, said));
    assert_eq!(node.spent().await, 0);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_place_is_asked_where_one_fails_and_each_is_settled() {
    let bad = Upstream::start(Does::Sends(json("503 Service Unavailable", "{}"))).await;
    let good = Upstream::start(Does::Sends(json("200 OK", &answer(7, 3)))).await;
    let node = TestNode::start().await;
    node.provider("bad", &bad.base_url()).await;
    node.provider("good", &good.base_url()).await;
    node.provider("gone", "http://127.0.0.1:1/v1").await;
    node.alias("fast", &[("bad", 1), ("gone", 0), ("good", 0)]).await;
    let key = node.key("k", USD).await;
    let answer = once(node.addr, &chat(&key, &ask("fast", r#","max_tokens":5"#))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("x-bursar-provider"), Some("good"));
    assert_eq!(answer.header("x-bursar-attempts"), Some("3"));
    let fallbacks = ask("bad/m", r#","max_tokens":5,"fallbacks":["good/m"]"#);
    let answer = once(node.addr, &chat(&key, &fallbacks)).await;
    assert_eq!(answer.header("x-bursar-provider"), Some("good"));
    assert!(!good.requests()[1].contains("fallbacks"));
    assert_eq!(node.spent().await, 2 * 19_000);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn private_addresses_are_not_reached_unless_allowed() {
    let upstream = Upstream::start(Does::Sends(json("200 OK", &answer(1, 1)))).await;
    let node = TestNode::start().await;
    node.provider_with("up", &upstream.base_url(), |provider| {
        provider.allow_private_network = false;
    })
    .await;
    let key = node.key("k", USD).await;
    let answer = once(node.addr, &chat(&key, &body())).await;
    assert_eq!((answer.status, answer.code().as_str()), (502, "upstream_unreachable"));
    assert_eq!(upstream.accepted(), 0);
    assert_eq!(node.spent().await, 0);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_used_again_and_one_that_closed_in_idleness_is_replaced_unseen() {
    let good = json("200 OK", &answer(7, 3));
    let (node, upstream, key) = house(Does::Sends(good.clone())).await;
    let mut caller = Caller::connect(node.addr).await;
    for _ in 0..5 {
        caller.send(&chat(&key, &body())).await;
        assert_eq!(caller.answer().await.status, 200);
    }
    assert_eq!(upstream.accepted(), 1);
    upstream.does(Does::SendsAndCloses(good));
    caller.send(&chat(&key, &body())).await;
    assert_eq!(caller.answer().await.status, 200);
    until("the upstream has closed", || upstream.open_connections() == 0).await;
    caller.send(&chat(&key, &body())).await;
    assert_eq!(caller.answer().await.status, 200);
    assert_eq!((upstream.accepted(), upstream.requests().len()), (2, 7));
    assert_eq!(node.spent().await, 7 * 19_000);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_went_out_is_paid_for_and_never_sent_a_second_time() {
    let (node, upstream, key) = house(Does::Sends(json("200 OK", &answer(7, 3)))).await;
    let mut caller = Caller::connect(node.addr).await;
    caller.send(&chat(&key, &body())).await;
    assert_eq!(caller.answer().await.status, 200);
    let before = node.spent().await;
    // It takes the next request on the same connection and hangs up at once, without a byte: it may
    // have begun all the same, and it would be billed for each that it began.
    upstream.does(Does::SendsAndCloses(Vec::new()));
    caller.send(&chat(&key, &body())).await;
    let refused = caller.answer().await;
    assert_eq!((refused.status, refused.code().as_str()), (502, "upstream_unreachable"));
    assert_eq!(upstream.requests().len(), 2);
    assert!(node.spent().await > before);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_is_told_of_the_place_that_failed_and_not_of_one_that_was_never_asked() {
    let (node, upstream, key) = house(Does::Sends(json("500 Oh", "{}"))).await;
    node.provider_with("new", &upstream.base_url(), |provider| {
        provider.models[0].price = None;
        provider.unpriced = ledger::Unpriced::Deny;
    })
    .await;
    let fallbacks = ask("up/m", r#","max_tokens":5,"fallbacks":["new/m"]"#);
    let failed = once(node.addr, &chat(&key, &fallbacks)).await;
    assert_eq!((failed.status, failed.header("x-bursar-provider")), (500, Some("up")));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_without_a_price_follows_the_providers_policy() {
    let (node, upstream, key) = house(Does::Sends(json("200 OK", &answer(7, 3)))).await;
    for (unpriced, status) in [
        (ledger::Unpriced::Deny, 403),
        (ledger::Unpriced::Track, 200),
        (ledger::Unpriced::Flat(super::node::PRICE), 200),
    ] {
        node.provider_with("new", &upstream.base_url(), |provider| {
            provider.models[0].price = None;
            provider.unpriced = unpriced.clone();
        })
        .await;
        let answer = once(node.addr, &chat(&key, &ask("new/m", r#","max_tokens":5"#))).await;
        assert_eq!(answer.status, status, "{unpriced:?} {answer:?}");
    }
    assert_eq!(node.spent().await, 19_000);
    node.stop().await;
}
