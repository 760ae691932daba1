//! Receipts: what was charged, to whom, and why; for the key that made the request.

use super::client::{Answer, Caller, ask, chat, chat_with, get, once};
use super::node::{PATIENCE, TestNode, USD};
use super::streams::{END, sends};
use super::upstream::{DONE, Does, FINISH, Upstream, answer, event, json, usage};
use serde_json::Value;

async fn house(does: Does) -> (TestNode, Upstream, String) {
    let upstream = Upstream::start(does).await;
    let node = TestNode::start().await;
    node.provider("up", &upstream.base_url()).await;
    let key = node.key("k", USD).await;
    (node, upstream, key)
}

fn id(answer: &Answer) -> String {
    answer.header("x-bursar-receipt").unwrap_or_else(|| panic!("{}", answer.head)).to_owned()
}

/// Asks for a receipt until `holds` does.
async fn receipt(node: &TestNode, key: &str, id: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let asking = async {
        let mut every = tokio::time::interval(std::time::Duration::from_millis(20));
        loop {
            every.tick().await;
            let answer = once(node.addr, &get(&format!("/v1/receipts/{id}"), key)).await;
            if answer.status == 200 && holds(&answer.json()) {
                return answer.json();
            }
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("a receipt in time")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_says_what_was_held_and_charged_and_where_it_stands_in_the_log() {
    let (node, _upstream, key) = house(Does::Sends(json("200 OK", &answer(7, 3)))).await;
    let request = chat_with(&key, "x-request-id: mine\r\nx-bursar-tags: t\r\n", &ask("up/m", ""));
    let answered = once(node.addr, &request).await;
    assert_eq!(answered.header("x-bursar-cost-usd"), Some("0.000019000"));
    let id = id(&answered);
    let settled =
        receipt(&node, &key, &id, |paper| paper["settlement"]["log_index"].is_u64()).await;
    assert_eq!((&settled["id"], &settled["object"]), (&id.into(), &"receipt".into()));
    assert_eq!(settled["request_id"], "mine");
    // Text: a number of so many digits is no number everywhere.
    let number = node.cluster.node_id().to_string();
    assert_eq!((&settled["node"], &settled["node_label"]), (&number.into(), &"n1".into()));
    assert_eq!(settled["key"]["name"], "k");
    assert_eq!(
        (&settled["cost_usd"], &settled["cost_nano_usd"]),
        (&"0.000019".into(), &19_000.into())
    );
    assert_eq!(settled["tags"][0], "t");
    assert_eq!(settled["accounts"][0]["budget"], "k-budget");
    assert_eq!(
        (&settled["accounts"][0]["period"], &settled["ending"]),
        (&1.into(), &"answered".into())
    );
    let attempt = &settled["attempts"][0];
    assert_eq!((&attempt["provider"], &attempt["model"]), (&"up".into(), &"m".into()));
    assert_eq!(
        (&attempt["basis"], &attempt["usage"]["output_tokens"]),
        (&"reported".into(), &3.into())
    );
    assert_eq!(attempt["price"]["output_nano_usd_per_mtok"], 4_000_000_000_i64);
    assert!(attempt["price"]["version"].as_str().unwrap().starts_with("log:"), "{attempt}");
    let held = attempt["hold"]["usd"].as_str().unwrap();
    let said = answered.header("x-bursar-hold-usd").unwrap();
    assert!(said.starts_with(held), "{said} {held}");
    let index = settled["settlement"]["log_index"].as_u64().unwrap();
    assert!(index <= node.cluster.ledger().applied_index);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_is_found_by_its_own_key_only() {
    let (node, _upstream, key) = house(Does::Sends(json("200 OK", &answer(7, 3)))).await;
    let other = node.key("other", USD).await;
    let id = id(&once(node.addr, &chat(&key, &ask("up/m", ""))).await);
    receipt(&node, &key, &id, |_| true).await;
    let strangers =
        [(&other, id.clone()), (&key, "rct-1".to_owned()), (&key, id.replace("rct-", ""))];
    for (key, id) in strangers {
        let refused = once(node.addr, &get(&format!("/v1/receipts/{id}"), key)).await;
        assert_eq!((refused.status, refused.code().as_str()), (404, "receipt_not_found"), "{id}");
    }
    // On disk as well, once it is settled.
    receipt(&node, &key, &id, |paper| paper["settlement"]["log_index"].is_u64()).await;
    let refused = once(node.addr, &get(&format!("/v1/receipts/{id}"), &other)).await;
    assert_eq!(refused.status, 404);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_names_its_receipt_at_once_and_every_attempt_is_on_it() {
    let failing =
        Upstream::start(Does::Sends(json("500 Oh", r#"{"error":{"message":"no"}}"#))).await;
    let told = usage(7, 3);
    let (node, _upstream, key) =
        house(Does::Sends(sends(&[&event("a"), FINISH, &told, DONE], END))).await;
    node.provider("bad", &failing.base_url()).await;
    let body = ask("bad/m", r#","stream":true,"fallbacks":["up/m"]"#);
    let answered = once(node.addr, &chat(&key, &body)).await;
    let paper = receipt(&node, &key, &id(&answered), |_| true).await;
    let outcomes: Vec<_> = (0..2)
        .map(|at| {
            let attempt = &paper["attempts"][at];
            ["provider", "outcome", "basis", "cost_usd"]
                .map(|name| attempt[name].as_str().unwrap().to_owned())
        })
        .collect();
    assert_eq!(outcomes[0][0], "bad");
    assert_eq!(outcomes[0][2..], ["void", "0.00"]);
    assert_eq!(outcomes[1], ["up", "answered", "reported", "0.000019"]);
    assert_eq!(paper["cost_nano_usd"], 19_000);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_refused_has_no_receipt_and_what_was_left_has_one() {
    let (node, _upstream, key) = house(Does::Hangs(sends(&[&event("abcdefgh")], ""))).await;
    let refused = once(node.addr, &chat(&key, &ask("nobody/m", ""))).await;
    assert_eq!((refused.status, refused.header("x-bursar-receipt")), (404, None));
    let mut caller = Caller::connect(node.addr).await;
    caller.send(&chat(&key, &ask("up/m", r#","stream":true,"max_tokens":100"#))).await;
    caller.read_until("abcdefgh").await;
    let seen = caller.seen();
    drop(caller);
    let id = seen.lines().find_map(|line| line.strip_prefix("x-bursar-receipt: ")).unwrap();
    let paper = receipt(&node, &key, id.trim(), |_| true).await;
    assert_eq!((&paper["ending"], &paper["stream"]), (&"caller_gone".into(), &true.into()));
    assert_eq!(paper["attempts"][0]["basis"], "counted");
    assert_eq!(paper["cost_nano_usd"], node.spent().await);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_whose_provider_broke_off_has_a_receipt_for_its_whole_hold() {
    let (node, upstream, key) = house(Does::SendsAndCloses(Vec::new())).await;
    let answered = once(node.addr, &chat(&key, &ask("up/m", r#","max_tokens":10"#))).await;
    assert_eq!((answered.status, answered.code().as_str()), (502, "upstream_unreachable"));
    let paper = receipt(&node, &key, &id(&answered), |_| true).await;
    assert_eq!((&paper["status"], &paper["ending"]), (&502.into(), &"provider_failed".into()));
    let attempt = &paper["attempts"][0];
    assert_eq!(
        (&attempt["basis"], &attempt["outcome"]),
        (&"hold".into(), &"upstream_unreachable".into())
    );
    assert_eq!(attempt["hold"]["usd"], paper["cost_usd"]);
    assert_eq!(paper["cost_nano_usd"], node.spent().await);
    upstream.does(Does::SendsAndCloses(sends(&[], "")));
    let ask = ask("up/m", r#","stream":true,"max_tokens":10"#);
    let answered = once(node.addr, &chat(&key, &ask)).await;
    let paper = receipt(&node, &key, &id(&answered), |_| true).await;
    assert_eq!((answered.status, &paper["attempts"][0]["basis"]), (502, &"hold".into()));
    let refusals = node.metrics.render(&node.cluster);
    assert!(
        refusals.contains(r#"bursar_refusals_total{code="upstream_unreachable"} 1"#),
        "{refusals}"
    );
    node.stop().await;
}
