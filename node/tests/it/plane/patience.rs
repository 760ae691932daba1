//! Callers that wait for so long and no longer, and providers that are passed over because they fail.

use super::client::{ask, chat, chat_with, once};
use super::node::{TestNode, USD};
use super::streams::{END, sends};
use super::upstream::{DONE, Does, FINISH, Upstream, answer, event, json, usage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_waits_as_long_as_it_says_for_a_plain_answer_and_for_a_stream() {
    let upstream = Upstream::start(Does::Hangs(Vec::new())).await;
    let node = TestNode::start().await;
    node.provider_with("up", &upstream.base_url(), |provider| provider.timeout_ms = 60_000).await;
    let key = node.key("k", USD).await;
    let plain = ask("up/m", r#","max_tokens":5"#);
    let late = once(node.addr, &chat_with(&key, "x-bursar-timeout-ms: 100\r\n", &plain)).await;
    assert_eq!((late.status, late.code().as_str()), (504, "upstream_timeout"));
    assert!(late.text().contains("100 ms of x-bursar-timeout-ms"), "{late:?}");
    let wrong = once(node.addr, &chat_with(&key, "x-bursar-timeout-ms: soon\r\n", &plain)).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (400, "invalid_headers"));
    // It begins in time and then takes too long.
    upstream.does(Does::Hangs(sends(&[&event("abcd")], "")));
    let stream = ask("up/m", r#","stream":true,"max_tokens":5"#);
    let cut = once(node.addr, &chat_with(&key, "x-bursar-timeout-ms: 300\r\n", &stream)).await;
    let text = cut.text();
    assert!(text.contains("abcd") && text.contains("300 ms of x-bursar-timeout-ms"), "{text}");
    assert!(!text.contains("[DONE]"), "{text}");
    node.spent().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_whose_first_token_is_late_is_asked_for_elsewhere() {
    let slow = Upstream::start(Does::Hangs(sends(&[], ""))).await;
    let (said, told) = (event("hello"), usage(7, 3));
    let bytes = sends(&[&said, FINISH, &told, DONE], END);
    let good = Upstream::start(Does::Sends(bytes)).await;
    let node = TestNode::start().await;
    node.provider("slow", &slow.base_url()).await;
    node.provider("good", &good.base_url()).await;
    node.alias("fast", &[("slow", 1), ("good", 0)]).await;
    let key = node.key("k", USD).await;
    let stream = ask("fast", r#","stream":true,"max_tokens":5"#);
    let header = "x-bursar-first-token-timeout-ms: 100\r\n";
    // However often callers run out of patience: that is no reason to pass a provider over.
    for _ in 0..4 {
        let answer = once(node.addr, &chat_with(&key, header, &stream)).await;
        assert!(answer.text().contains("hello"), "{answer:?}");
        assert_eq!(answer.header("x-bursar-provider"), Some("good"));
        assert_eq!(answer.header("x-bursar-attempts"), Some("2"));
    }
    node.spent().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_fails_is_passed_over_and_the_only_one_is_asked_all_the_same() {
    let busy = "HTTP/1.1 429 Slow Down\r\nretry-after: 30\r\ncontent-length: 2\r\n\r\n{}";
    let bad = Upstream::start(Does::Sends(json("503 Service Unavailable", "{}"))).await;
    let good = Upstream::start(Does::Sends(json("200 OK", &answer(7, 3)))).await;
    let node = TestNode::start_with(|settings| settings.threads = 1).await;
    node.provider("bad", &bad.base_url()).await;
    node.provider("good", &good.base_url()).await;
    node.alias("fast", &[("bad", 1), ("good", 0)]).await;
    let key = node.key("k", USD).await;
    let call = chat(&key, &ask("fast", r#","max_tokens":5"#));
    let mut attempts = Vec::new();
    for _ in 0..5 {
        let answer = once(node.addr, &call).await;
        assert_eq!(answer.header("x-bursar-provider"), Some("good"), "{answer:?}");
        attempts.push(answer.header("x-bursar-attempts").unwrap().to_owned());
    }
    assert_eq!(attempts, ["2", "2", "2", "1", "1"]);
    let metrics = node.metrics.render(&node.cluster);
    let line = r#"bursar_provider_passed_over{provider="bad",credential="main"} 1"#;
    assert!(metrics.contains(line), "{metrics}");
    // With nobody else to ask it is asked, and what it says is heard.
    let alone = once(node.addr, &chat(&key, &ask("bad/m", r#","max_tokens":5"#))).await;
    assert_eq!(alone.status, 503);
    // One that asks to be left alone is, from the first time.
    good.does(Does::Sends(busy.as_bytes().to_vec()));
    let other = Upstream::start(Does::Sends(json("200 OK", &answer(7, 3)))).await;
    node.provider("other", &other.base_url()).await;
    node.alias("two", &[("good", 1), ("other", 0)]).await;
    let call = chat(&key, &ask("two", r#","max_tokens":5"#));
    for attempts in ["2", "1"] {
        let answer = once(node.addr, &call).await;
        assert_eq!(answer.header("x-bursar-provider"), Some("other"), "{answer:?}");
        assert_eq!(answer.header("x-bursar-attempts"), Some(attempts));
    }
    node.stop().await;
}
