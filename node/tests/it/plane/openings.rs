//! Streams that fail before they say a word: nothing has gone out yet, so another place may answer.

use super::client::{Caller, once};
use super::node::until;
use super::streams::{END, house, sends, stream};
use super::upstream::{DONE, Does, FINISH, Upstream, event, json, usage};

const OVERLOADED: &str =
    "data: {\"error\":{\"message\":\"all busy\",\"type\":\"overloaded\",\"code\":503}}\n\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_opens_with_an_error_is_answered_by_another_place() {
    let good = sends(&[&event("a"), FINISH, &usage(7, 3), DONE], END);
    let (node, _up, key) = house(Does::Hangs(sends(&[": processing\n\n", OVERLOADED], ""))).await;
    let other = Upstream::start(Does::Sends(good)).await;
    node.provider("other", &other.base_url()).await;
    let answer = once(node.addr, &stream(&key, r#","fallbacks":["other/m"]"#)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.text(), [&event("a"), FINISH, DONE].concat());
    assert_eq!(answer.header("x-bursar-provider"), Some("other"));
    assert_eq!(node.spent().await, 19_000);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_fails_at_once_has_the_status_of_its_failure() {
    let (node, upstream, key) = house(Does::Hangs(sends(&[OVERLOADED], ""))).await;
    let refused = r#"{"error":{"message":"too long","type":"t","param":null,"code":null}}"#;
    let wrong = "data: {\"error\":{\"message\":\"no\",\"type\":\"t\",\"code\":400}}\n\n";
    let cases = [
        // (what it does, status, words of it, whether it is free)
        (Does::Hangs(sends(&[OVERLOADED], "")), 503, "all busy", true),
        (Does::Sends(sends(&[wrong, DONE], END)), 400, "\"no\"", true),
        (Does::Sends(sends(&["data: {\"error\":\"odd\"}"], END)), 502, "odd", true),
        (Does::Sends(json("200 OK", refused)), 502, "too long", true),
        (Does::Sends(sends(&[], END)), 502, "before it was whole", false),
        (Does::SendsAndCloses(sends(&["data: {\"id\""], "")), 502, "broke off", false),
        (Does::Hangs(sends(&[], "")), 504, "upstream_timeout", false),
    ];
    for (does, status, words, free) in cases {
        upstream.does(does);
        let before = node.spent().await;
        let answer = once(node.addr, &stream(&key, "")).await;
        assert_eq!(answer.status, status, "{words}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{words}");
        assert!(answer.text().contains(words), "{answer:?}");
        assert_eq!(node.spent().await == before, free, "{words}");
    }
    until("the upstream connections are closed", || upstream.open_connections() < 2).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn comments_do_not_open_a_stream_and_are_not_lost() {
    let comment = ": processing\n\n";
    let events = [comment, comment, &event("a"), FINISH, &usage(7, 3), DONE];
    let (node, upstream, key) = house(Does::Sends(sends(&events, END))).await;
    let answer = once(node.addr, &stream(&key, "")).await;
    assert_eq!(answer.text(), [comment, comment, &event("a"), FINISH, DONE].concat());
    // Nothing but comments: they are passed on after a while, and the end is an error event.
    upstream.does(Does::Hangs(sends(&[comment], "")));
    let answer = once(node.addr, &stream(&key, "")).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().starts_with(comment), "{answer:?}");
    assert!(answer.text().contains("upstream_timeout"), "{answer:?}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_leaves_before_the_first_event_is_settled_once() {
    let (node, upstream, key) = house(Does::Hangs(sends(&[": processing\n\n"], ""))).await;
    let mut caller = Caller::connect(node.addr).await;
    caller.send(&stream(&key, "")).await;
    until("the upstream has the request", || upstream.requests().len() == 1).await;
    drop(caller);
    let spent = node.spent().await;
    assert!((1..100 * 4_000 + 500_000).contains(&spent), "{spent}");
    until("the upstream connection is closed", || upstream.open_connections() == 0).await;
    node.stop().await;
}
