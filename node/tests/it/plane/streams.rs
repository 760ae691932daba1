//! Streams: to the byte, at the caller's pace, settled whichever way they end.

use super::client::{Caller, ask, chat, once};
use super::node::{TestNode, USD, until};
use super::upstream::{DONE, Does, FINISH, STREAM_HEAD, Upstream, chunk, event, usage};
use ledger::Unit;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

pub(crate) async fn house(does: Does) -> (TestNode, Upstream, String) {
    let upstream = Upstream::start(does).await;
    let node = TestNode::start().await;
    node.provider_with("up", &upstream.base_url(), |provider| provider.timeout_ms = 500).await;
    let key = node.key("k", USD).await;
    (node, upstream, key)
}

pub(crate) fn stream(key: &str, more: &str) -> Vec<u8> {
    chat(key, &ask("up/m", &format!(r#","stream":true,"max_tokens":100{more}"#)))
}

/// A stream in HTTP chunks, with or without the chunk that ends it.
pub(crate) fn sends(events: &[&str], end: &str) -> Vec<u8> {
    let chunks: String = events.iter().map(|event| chunk(event)).collect();
    format!("{STREAM_HEAD}{chunks}{end}").into_bytes()
}

pub(crate) const END: &str = "0\r\n\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_the_providers_but_for_the_usage_nobody_asked_for() {
    let (one, two, told) = (event("a"), event("b"), usage(7, 3));
    let bytes = sends(&[&one, &two, FINISH, &told, DONE], END);
    let (node, upstream, key) = house(Does::Sends(bytes)).await;
    let mut caller = Caller::connect(node.addr).await;
    caller.send(&stream(&key, "")).await;
    let hidden = caller.answer().await;
    assert_eq!(hidden.text(), [&one, &two, FINISH, DONE].concat());
    assert_eq!(hidden.header("content-type"), Some("text/event-stream"));
    assert!(upstream.requests()[0].contains(r#""stream_options":{"include_usage":true}"#));
    caller.send(&stream(&key, r#","stream_options":{"include_usage":true}"#)).await;
    let asked = caller.answer().await;
    assert_eq!(asked.text(), [&one, &two, FINISH, &told, DONE].concat());
    assert_eq!(node.spent().await, 2 * 19_000);
    assert_eq!(upstream.accepted(), 1);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_go_out_as_they_come() {
    let (node, upstream, key) = house(Does::Hangs(sends(&[&event("first")], ""))).await;
    let mut caller = Caller::connect(node.addr).await;
    caller.send(&stream(&key, r#","stream_options":{"include_usage":true}"#)).await;
    caller.read_until("first").await;
    assert_eq!(node.in_flight().streams, 1);
    // Silence beyond the provider's time ends it with an error event, never with [DONE].
    let text = caller.answer().await.body;
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("upstream_timeout") && !text.contains("[DONE]"), "{text}");
    until("the upstream connection is closed", || upstream.open_connections() == 0).await;
    node.spent().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_truncated_stream_ends_with_an_error_event_and_is_charged_for_what_came() {
    let events = [event("abcd"), event("efgh")];
    let events = [events[0].as_str(), events[1].as_str()];
    let unfinished = sends(&events, END);
    let cut = sends(&events, "");
    for bytes in [unfinished, cut] {
        let (node, _upstream, key) = house(Does::SendsAndCloses(bytes)).await;
        let answer = once(node.addr, &stream(&key, "")).await;
        let text = answer.text();
        assert!(text.starts_with(&events.concat()), "{text}");
        assert!(text.contains(r#"data: {"error":{"#) && !text.contains("[DONE]"), "{text}");
        let spent = node.spent().await;
        // All input as bounded, and a token for each of eight bytes.
        assert!(spent > 8 * 4_000 && spent < 8 * 4_000 + 500_000, "{spent}");
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_ends_before_its_answer_is_charged_for_what_came_and_not_as_it_told_halfway()
{
    // Usage in every event counts up: what was told last came before the rest of the output.
    let halfway = event("abcdefghijklmnop").replace(
        "}\n\n",
        r#","usage":{"prompt_tokens":7,"completion_tokens":1,"total_tokens":8}}"#,
    );
    let (halfway, rest) = (format!("{halfway}\n\n"), event("qrstuvwx"));
    let sent = sends(&[&halfway, &rest], END);
    let (node, _upstream, key) = house(Does::SendsAndCloses(sent)).await;
    let answer = once(node.addr, &stream(&key, "")).await;
    assert!(answer.text().contains(r#"data: {"error":{"#), "{answer:?}");
    let spent = node.spent().await;
    assert!((24 * 4_000..24 * 4_000 + 500_000).contains(&spent), "{spent}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_truncated_stream_of_a_model_that_thinks_unseen_costs_its_hold() {
    let upstream = Upstream::start(Does::SendsAndCloses(sends(&[&event("abcd")], ""))).await;
    let node = TestNode::start().await;
    let thinks = |provider: &mut ledger::Provider| {
        provider.models[0].upstream_name = Some("o3-mini".to_owned());
    };
    node.provider_with("up", &upstream.base_url(), thinks).await;
    let key = node.key("k", USD).await;
    once(node.addr, &stream(&key, "")).await;
    let spent = node.spent().await;
    assert!(spent > 100 * 4_000, "{spent}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_whole_without_done_gets_one() {
    let (one, told) = (event("a"), usage(7, 3));
    let (node, _upstream, key) =
        house(Does::SendsAndCloses(sends(&[&one, FINISH, &told], END))).await;
    let answer = once(node.addr, &stream(&key, "")).await;
    assert_eq!(answer.text(), [&one, FINISH, DONE].concat());
    assert_eq!(node.spent().await, 19_000);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_leaves_in_the_middle_is_settled_for_what_came_and_the_upstream_cancelled() {
    let (node, upstream, key) = house(Does::Hangs(sends(&[&event("abcdefgh")], ""))).await;
    let mut caller = Caller::connect(node.addr).await;
    caller.send(&stream(&key, r#","stream_options":{"include_usage":true}"#)).await;
    caller.read_until("abcdefgh").await;
    drop(caller);
    let spent = node.spent().await;
    until("the upstream connection is closed", || upstream.open_connections() == 0).await;
    // At least what was relayed; at most the hold: 100 output tokens and the input as bounded.
    assert!((8 * 4_000..100 * 4_000 + 500_000).contains(&spent), "{spent}");
    assert!(node.metrics.render(&node.cluster).contains(r#"ending="caller_gone"} 1"#));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_stream_is_bounded_in_time_and_its_charge_by_the_hold() {
    let upstream = Upstream::start(Does::Repeats(
        STREAM_HEAD.as_bytes().to_vec(),
        chunk(&event("more")).into_bytes(),
    ))
    .await;
    let node =
        TestNode::start_with(|settings| settings.stream_within = Duration::from_secs(1)).await;
    node.provider_with("up", &upstream.base_url(), |provider| provider.timeout_ms = 500).await;
    let key = node.key("k", USD).await;
    let mut caller = Caller::connect(node.addr).await;
    caller.send(&stream(&key, "")).await;
    let text = String::from_utf8(caller.answer().await.body).unwrap();
    assert!(
        !text.contains("[DONE]") && text.contains("upstream_timeout"),
        "{}",
        &text[text.len() - 300..]
    );
    let spent = node.spent().await;
    assert!(spent < 120 * 4_000 + 500_000, "{spent}");
    until("the upstream connection is closed", || upstream.open_connections() == 0).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_reads_slowly_holds_the_provider_back() {
    let upstream = Upstream::start(Does::Repeats(
        STREAM_HEAD.as_bytes().to_vec(),
        chunk(&event(&"x".repeat(8_000))).into_bytes(),
    ))
    .await;
    let node = TestNode::start().await;
    node.provider("up", &upstream.base_url()).await;
    let key = node.key("k", USD).await;
    let mut caller = Caller::connect(node.addr).await;
    caller.send(&stream(&key, "")).await;
    caller.read_until("xxx").await;
    let before = rss_kb();
    // It goes on writing until every buffer between it and the caller is full.
    let (mut last, mut unchanged) = (0, 0);
    until("the provider is held back", || {
        let now = upstream.written();
        unchanged = if now == last { unchanged + 1 } else { 0 };
        last = now;
        unchanged == 40
    })
    .await;
    let grown = rss_kb().saturating_sub(before);
    assert!(grown < 64 << 10, "{grown} kB were buffered");
    drop(caller);
    node.spent().await;
    until("the upstream connection is closed", || upstream.open_connections() == 0).await;
    node.stop().await;
}

/// Resident memory of this process, in kB.
fn rss_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_in_flight_ends_in_peace_when_the_node_leaves_and_a_stuck_one_is_cut_and_settled()
{
    let (node, upstream, key) = house(Does::Hangs(sends(&[&event("abcd")], ""))).await;
    let mut caller = Caller::connect(node.addr).await;
    caller.send(&stream(&key, r#","stream_options":{"include_usage":true}"#)).await;
    caller.read_until("abcd").await;
    let (cut, cluster) = node.cut(Duration::from_millis(50)).await;
    assert_eq!((cut.requests, cut.streams), (1, 1));
    let purses = cluster.allowances().snapshot();
    assert_eq!(purses.iter().map(|purse| purse.held).sum::<i64>(), 0);
    assert!(purses.iter().map(|purse| purse.settled).sum::<i64>() >= 4 * 4_000);
    assert_eq!(cluster.allowances().counts().dropped_holds, 0);
    cluster.shutdown().await;
    drop(upstream);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_read_to_its_end_without_its_caller_where_the_key_says_so() {
    let told = usage(7, 3);
    let rest = [chunk(FINISH), chunk(&told), chunk(DONE), END.to_owned()].concat();
    let go_on = Arc::new(Notify::new());
    let first = sends(&[&event("abcdefgh")], "");
    let does = Does::Waits(first, Arc::clone(&go_on), rest.into_bytes());
    let (node, upstream, _) = house(does).await;
    node.budget("b", Unit::NanoUsd, USD).await;
    let key = node
        .key_with("reader", |key| {
            key.budgets = vec!["b".to_owned()];
            key.drain_on_disconnect = true;
        })
        .await;
    let mut caller = Caller::connect(node.addr).await;
    caller.send(&stream(&key, "")).await;
    caller.read_until("abcdefgh").await;
    drop(caller);
    until("the caller is gone", || node.in_flight().requests == 0).await;
    go_on.notify_one();
    assert_eq!(node.spent().await, 19_000);
    // The connection is as good as before.
    assert_eq!(upstream.open_connections(), 1);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_read_on_and_falls_silent_is_charged_for_what_came() {
    let (node, upstream, _) = house(Does::Hangs(sends(&[&event("abcdefgh")], ""))).await;
    let key = node.key_with("reader", |key| key.drain_on_disconnect = true).await;
    let mut caller = Caller::connect(node.addr).await;
    caller.send(&stream(&key, "")).await;
    caller.read_until("abcdefgh").await;
    drop(caller);
    until("the upstream connection is closed", || upstream.open_connections() == 0).await;
    until("it is over", || {
        node.metrics.render(&node.cluster).contains(r#"ending="caller_gone"} 1"#)
    })
    .await;
    node.stop().await;
}
