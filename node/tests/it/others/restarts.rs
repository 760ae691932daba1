//! What was used, over a shutdown and over a crash.

use crate::admin::child::Node;
use bursar::simulator::{Settings, Simulator};
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tokio::time::{Instant, interval};

/// Longest wait for the books to be complete.
const WITHIN: Duration = Duration::from_secs(30);
/// Most that is held for one call, in nano-USD: its input as bounded, and sixteen tokens of output.
const HOLD_MAX: i64 = 400_000;
/// Calls before the node ends.
const CALLS: usize = 20;

/// A node with a simulated provider and a key on a budget of a dollar; the key.
pub(super) async fn prepared(dir: &Path, simulator: &Simulator) -> (Node, String) {
    let node = Node::start(dir, "0s").await;
    node.ready().await;
    let provider = json!({
        "base_url": simulator.base_url(),
        "allow_private_network": true,
        "credentials": [{"name": "main", "secret": "sk-any"}],
        "models": [{"name": "chat", "price": {"input_usd_per_mtok": "1", "output_usd_per_mtok": "4"}}],
    });
    let made = node.ask(Method::PUT, "providers/sim", provider).await;
    assert_eq!(made["name"], "sim", "{made}");
    let made = node.ask(Method::POST, "keys", json!({"name": "app", "budget_usd": 1})).await;
    let key = made["key"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    (node, key)
}

/// Books of the budget's one window.
async fn books(node: &Node) -> Value {
    node.ask(Method::GET, "budgets/key:app", Value::Null).await["windows"][0].clone()
}

/// Waits until all that a past life was granted is accounted for; what is spent, in nano-USD.
async fn accounted_for(node: &Node) -> i64 {
    let deadline = Instant::now() + WITHIN;
    let mut looks = interval(Duration::from_millis(25));
    loop {
        let books = books(node).await;
        if books["suspense_nano_usd"] == 0 {
            return books["spent_nano_usd"].as_i64().unwrap_or_else(|| panic!("{books}"));
        }
        assert!(Instant::now() < deadline, "{books}");
        looks.tick().await;
    }
}

async fn call(node: &Node, key: &str) {
    let status = node.chat_with(key, "sim/chat", 16).await;
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_used_just_before_a_shutdown_is_on_the_books_after_it() {
    let simulator = Simulator::start(Settings::default()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (mut node, key) = prepared(dir.path(), &simulator).await;
    for _ in 0..CALLS {
        call(&node, &key).await;
    }
    node.signal(Signal::TERM);
    node.ended().await;

    let node = Node::start(dir.path(), "0s").await;
    node.ready().await;
    assert_eq!(accounted_for(&node).await, simulator.billed().nano_usd);
    call(&node, &key).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_used_just_before_a_crash_is_on_the_books_after_it() {
    let simulator = Simulator::start(Settings::default()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (mut node, key) = prepared(dir.path(), &simulator).await;
    for _ in 0..CALLS {
        call(&node, &key).await;
    }
    node.signal(Signal::KILL);
    node.ended().await;

    let node = Node::start(dir.path(), "0s").await;
    node.ready().await;
    let spent = accounted_for(&node).await;
    let billed = simulator.billed().nano_usd;
    // The end of a call is noted with the beginning of the next: the last may be charged what was held
    // for it, and is never charged less than it cost.
    assert!((billed..=billed + HOLD_MAX).contains(&spent), "{spent} on the books, {billed} billed");
    // Rows of usage tell of all of it, and under whose key.
    let report = node.ask(Method::GET, "usage?by=key", Value::Null).await;
    assert_eq!(report["rows"][0]["key_name"], "app", "{report}");
    assert_eq!(report["rows"][0]["cost_nano_usd"], spent, "{report}");
    assert_eq!(report["rows"][0]["requests"], CALLS, "{report}");
    assert_eq!(report["reconciliation"][0]["difference_nano_usd"], 0, "{report}");
    call(&node, &key).await;
}
