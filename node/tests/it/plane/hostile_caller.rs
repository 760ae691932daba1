//! Callers that send too much, too little, too slowly or nonsense.

use super::client::{Caller, ask, chat, once, post};
use super::node::{TestNode, USD, until};
use super::upstream::{Does, Upstream, answer, json};
use std::time::Duration;

/// A node with a good upstream, and a key.
async fn house() -> (TestNode, Upstream, String) {
    let upstream = Upstream::start(Does::Sends(json("200 OK", &answer(7, 3)))).await;
    let node = TestNode::start_with(|settings| {
        settings.body_bytes_max = 4 << 20;
        settings.body_within = Duration::from_secs(1);
        settings.head_within = Duration::from_secs(1);
        settings.idle_for = Duration::from_secs(2);
    })
    .await;
    node.provider("up", &upstream.base_url()).await;
    let key = node.key("k", USD).await;
    (node, upstream, key)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_in_the_body_is_refused_with_its_place_and_costs_nothing() {
    let (node, upstream, key) = house().await;
    let deep =
        format!(r#"{{"model":"up/m","messages":{}{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    let cases = [
        "",
        "{",
        "[]",
        "null",
        "{\"model\":\"up/m\",\"messages\":[]} trailing",
        "{\"model\":\"up/m\"\"messages\":[]}",
        "{\"messages\":[]}",
        "{\"model\":7,\"messages\":[]}",
        "{\"model\":\"\",\"messages\":[]}",
        "{\"model\":\"up/m\",\"messages\":[],\"stream\":\"yes\"}",
        "{\"model\":\"up/m\",\"messages\":[],\"max_tokens\":\"many\"}",
        &deep,
    ];
    let mut caller = Caller::connect(node.addr).await;
    for body in cases {
        caller.send(&chat(&key, body)).await;
        let answer = caller.answer().await;
        assert_eq!(answer.status, 400, "{body:.60}: {answer:?}");
        assert_eq!(answer.json()["error"]["type"], "invalid_request_error", "{body:.60}");
        answer.code();
    }
    assert!(upstream.requests().is_empty());
    assert_eq!(node.spent().await, 0);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paths_and_methods_are_told_apart() {
    let (node, _upstream, key) = house().await;
    let request = |method: &str, path: &str| {
        format!(
            "{method} {path} HTTP/1.1\r\nhost: t\r\nauthorization: Bearer {key}\r\ncontent-length: 0\r\n\r\n"
        )
    };
    let cases = [
        ("DELETE", "/v1/chat/completions", 405, "method_not_allowed", Some("POST")),
        ("DELETE", "/v1/models", 405, "method_not_allowed", Some("GET, HEAD")),
        ("POST", "/livez", 405, "method_not_allowed", Some("GET, HEAD")),
        ("POST", "/v1/nothing", 404, "unknown_url", None),
        ("GET", "/", 404, "unknown_url", None),
    ];
    for (method, path, status, code, allow) in cases {
        let answer = once(node.addr, request(method, path).as_bytes()).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{method} {path}");
        assert_eq!(answer.header("allow"), allow);
    }
    for path in ["/livez", "/readyz", "/readyz?verbose", "/healthz", "/startupz", "/health"] {
        let answer = once(node.addr, request("GET", path).as_bytes()).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_bodies_pass_up_to_the_limit_and_beyond_it_are_refused_in_words() {
    let (node, upstream, key) = house().await;
    let filler = "x".repeat(1 << 20);
    let body = format!(
        r#"{{"model":"up/m","max_tokens":5,"messages":[{{"role":"user","content":"{filler}"}}]}}"#
    );
    node.budget("ample", ledger::Unit::NanoUsd, 100 * USD).await;
    let rich = node.key_with("rich", |key| key.budgets = vec!["ample".to_owned()]).await;
    let answer = once(node.addr, &chat(&rich, &body)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(upstream.requests()[0].len() > 1 << 20);
    // A body of 100 MB that is really sent: its sender hears why before its connection ends.
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: t\r\napi-key: {key}\r\ncontent-length: 104857600\r\n\r\n"
    );
    let mut caller = Caller::connect(node.addr).await;
    caller.send(head.as_bytes()).await;
    for _ in 0..100 {
        caller.send(filler.as_bytes()).await;
    }
    let answer = caller.answer().await;
    assert_eq!((answer.status, answer.code().as_str()), (413, "request_too_large"));
    // One that waits to be asked is not asked.
    let expecting = head.replace("\r\n\r\n", "\r\nexpect: 100-continue\r\n\r\n");
    let answer = once(node.addr, expecting.as_bytes()).await;
    assert_eq!(answer.status, 413);
    // Without a length the limit holds as well.
    let mut caller = Caller::connect(node.addr).await;
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: t\r\napi-key: {key}\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    caller.send(head.as_bytes()).await;
    for _ in 0..5 {
        caller.send(format!("100000\r\n{filler}\r\n").as_bytes()).await;
    }
    caller.send(b"0\r\n\r\n").await;
    assert_eq!(caller.answer().await.status, 413);
    assert_eq!(upstream.requests().len(), 1);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_expects_100_continue_is_told_to_go_on() {
    let (node, _upstream, key) = house().await;
    let request = chat(&key, &ask("up/m", r#","max_tokens":5"#));
    let request = String::from_utf8(request).unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut caller = Caller::connect(node.addr).await;
    caller.send(format!("{head}\r\nexpect: 100-continue\r\n\r\n").as_bytes()).await;
    caller.read_until("100 Continue").await;
    assert_eq!(caller.answer().await.status, 100);
    caller.send(body.as_bytes()).await;
    assert_eq!(caller.answer().await.status, 200);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compressed_bodies_are_refused_in_words() {
    let (node, _upstream, key) = house().await;
    let request = chat(&key, "{}");
    let request = String::from_utf8(request).unwrap();
    let request = request.replace("\r\n\r\n", "\r\ncontent-encoding: gzip\r\n\r\n");
    let answer = once(node.addr, request.as_bytes()).await;
    assert_eq!((answer.status, answer.code().as_str()), (415, "unsupported_content_encoding"));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn header_floods_are_refused() {
    let (node, upstream, key) = house().await;
    let many: String = (0..200).map(|n| format!("x-{n}: 1\r\n")).collect();
    let long = format!("x-long: {}\r\n", "a".repeat(80_000));
    for flood in [many, long] {
        let request = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: t\r\napi-key: {key}\r\n{flood}content-length: 0\r\n\r\n"
        );
        let mut caller = Caller::connect(node.addr).await;
        caller.send(request.as_bytes()).await;
        assert_eq!(caller.answer().await.status, 431);
        caller.closed().await;
    }
    let answer = once(node.addr, b"\x16\x03\x01 no http at all\r\n\r\n").await;
    assert_eq!(answer.status, 400);
    assert!(upstream.requests().is_empty());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_that_dawdle_are_let_go() {
    let (node, upstream, key) = house().await;
    let mut head = Caller::connect(node.addr).await;
    head.send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: t\r\n").await;
    let mut body = Caller::connect(node.addr).await;
    let started = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: t\r\napi-key: {key}\r\ncontent-length: 100\r\n\r\n{{"
    );
    body.send(started.as_bytes()).await;
    let silent = Caller::connect(node.addr).await;
    let mut idle = Caller::connect(node.addr).await;
    idle.send(&chat(&key, &ask("up/m", r#","max_tokens":5"#))).await;
    assert_eq!(idle.answer().await.status, 200);
    let answer = body.answer().await;
    assert_eq!((answer.status, answer.code().as_str()), (408, "request_timeout"));
    assert_eq!(head.closed().await, "");
    assert_eq!(silent.closed().await, "");
    assert_eq!(idle.closed().await, "");
    assert_eq!(upstream.requests().len(), 1);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_in_one_write_are_answered_in_order() {
    let (node, _upstream, key) = house().await;
    let mut caller = Caller::connect(node.addr).await;
    let mut bytes = chat(&key, &ask("up/m", r#","max_tokens":5"#));
    bytes.extend(chat(&key, "{"));
    bytes.extend(post("/v1/nothing", &key, "{}"));
    bytes.extend(chat(&key, &ask("up/m", r#","max_tokens":5"#)));
    caller.send(&bytes).await;
    for status in [200, 400, 404, 200] {
        assert_eq!(caller.answer().await.status, status);
    }
    assert_eq!(node.spent().await, 2 * 19_000);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_on_its_way_out_answers_and_asks_to_connect_elsewhere() {
    let (node, _upstream, key) = house().await;
    let mut caller = Caller::connect(node.addr).await;
    let request = chat(&key, &ask("up/m", r#","max_tokens":5"#));
    caller.send(&request).await;
    assert_eq!(caller.answer().await.header("connection"), None);
    node.health.set_draining();
    caller.send(&request).await;
    let last = caller.answer().await;
    assert_eq!((last.status, last.header("connection")), (200, Some("close")));
    assert_eq!(caller.closed().await, "");
    let probe = once(node.addr, b"GET /readyz?verbose HTTP/1.1\r\nhost: t\r\n\r\n").await;
    assert_eq!(probe.status, 503);
    assert!(probe.text().contains("[-]not_draining"), "{}", probe.text());
    assert_eq!(once(node.addr, &request).await.status, 200);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_leaves_before_the_answer_is_settled_and_its_upstream_cancelled() {
    let (node, upstream, key) = house().await;
    upstream.does(Does::Hangs(Vec::new()));
    let mut caller = Caller::connect(node.addr).await;
    caller.send(&chat(&key, &ask("up/m", r#","max_tokens":5"#))).await;
    until("the request is upstream", || upstream.requests().len() == 1).await;
    drop(caller);
    let spent = node.spent().await;
    // Nobody knows what the provider did: the whole hold, and no more.
    assert!(spent > 20_000 && spent < 500_000, "{spent}");
    until("the upstream connection is closed", || upstream.open_connections() == 0).await;
    node.stop().await;
}
