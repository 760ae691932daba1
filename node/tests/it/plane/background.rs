//! Answers that go on when nobody listens: what is not told of them yet is not free.

use super::client::{once, post};
use super::faces::house;
use super::upstream::{Does, json};

/// What 100 output tokens cost, the caller's limit.
const OUTPUT: i64 = 100 * 4_000;
/// What an answer of 7 and 3 tokens costs.
const COST: i64 = 19_000;

const QUEUED: &str =
    r#"{"id":"resp_1","object":"response","status":"queued","model":"m","output":[],"usage":null}"#;
const DONE: &str = r#"{"id":"resp_1","object":"response","status":"completed","model":"m","output":[],"usage":{"input_tokens":7,"output_tokens":3,"total_tokens":10}}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_in_the_background_is_charged_all_it_may_cost_until_it_is_told() {
    let (node, upstream, key) = house("openai", Does::Sends(json("200 OK", QUEUED))).await;
    let body = r#"{"model":"up/m","input":"hello","max_output_tokens":100,"store":true,"background":true}"#;
    let said = once(node.addr, &post("/v1/responses", &key, body)).await;
    assert_eq!((said.status, said.text()), (200, QUEUED));
    let spent = node.spent().await;
    assert!((OUTPUT..2 * OUTPUT).contains(&spent), "{spent}");
    upstream.does(Does::Sends(json("200 OK", DONE)));
    let said = once(node.addr, &post("/v1/responses", &key, body)).await;
    assert_eq!((said.status, said.text()), (200, DONE));
    assert_eq!(node.spent().await, spent + COST);
    node.stop().await;
}
