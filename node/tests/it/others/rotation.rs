//! What was used under a key, over changes of its secret.

use crate::admin::child::{Node, TOKEN};
use bursar::simulator::{Settings, Simulator};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::process::Command;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, interval};

/// Longest wait for the books to be complete.
const WITHIN: Duration = Duration::from_secs(30);
/// Callers at once.
const CALLERS: usize = 4;
/// Answers between two changes of the secret.
const ANSWERS: usize = 24;
/// Changes of the secret.
const ROTATIONS: usize = 3;

/// The secret callers use: all of them the newest one.
#[derive(Clone)]
struct Present(Arc<Mutex<String>>);

impl Present {
    fn get(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, key: &str) {
        key.clone_into(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Calls one after another until nobody listens any more; tells each status. A secret that changed on the
/// way may be refused.
async fn call(node: Arc<Node>, present: Present, told: Sender<u16>) {
    loop {
        let key = present.get();
        let status = node.chat_with(&key, "sim/chat", 16).await;
        assert!(status == 200 || status == 401 && present.get() != key, "{status}");
        if told.send(status).await.is_err() {
            return;
        }
    }
}

/// Waits for so many answers.
async fn answers(told: &mut Receiver<u16>, wanted: usize) {
    let mut seen = 0;
    while seen < wanted {
        seen += usize::from(told.recv().await == Some(200));
    }
}

/// Waits until budget, rows of the key, and provider agree on what was spent; the rows.
async fn agreed(node: &Node, simulator: &Simulator) -> Value {
    let deadline = Instant::now() + WITHIN;
    let mut looks = interval(Duration::from_millis(25));
    loop {
        let billed = simulator.billed().nano_usd;
        let report = node.ask(Method::GET, "usage?by=key", Value::Null).await;
        let budget = node.ask(Method::GET, "budgets/key:app", Value::Null).await;
        let spent = &budget["windows"][0]["spent_nano_usd"];
        let cost = &report["rows"][0]["cost_nano_usd"];
        if *spent == billed && *cost == billed {
            return report;
        }
        assert!(Instant::now() < deadline, "billed {billed}: {budget} {report}");
        looks.tick().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_gets_other_secrets_under_traffic_keeps_its_usage_to_the_nano_dollar() {
    let simulator = Simulator::start(Settings::default()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (node, first) = super::restarts::prepared(dir.path(), &simulator).await;
    let id = node.ask(Method::GET, "keys/app", Value::Null).await["id"].clone();
    let (node, present) = (Arc::new(node), Present(Arc::new(Mutex::new(first.clone()))));
    let (tell, mut told) = channel(1);
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| tokio::spawn(call(Arc::clone(&node), present.clone(), tell.clone())))
        .collect();
    drop(tell);
    for _ in 0..ROTATIONS {
        answers(&mut told, ANSWERS).await;
        let rotated = node.ask(Method::POST, "keys/app:rotate", Value::Null).await;
        assert_eq!(rotated["id"], id, "{rotated}");
        present.set(rotated["key"].as_str().unwrap_or_else(|| panic!("{rotated}")));
    }
    answers(&mut told, ANSWERS).await;
    drop(told);
    for caller in callers {
        caller.await.unwrap();
    }

    let report = agreed(&node, &simulator).await;
    let (rows, books) = (&report["rows"], &report["reconciliation"][0]);
    assert_eq!(rows.as_array().map(Vec::len), Some(1), "{report}");
    assert_eq!((&rows[0]["key"], &rows[0]["key_name"]), (&id, &json!("app")));
    assert_eq!(rows[0]["requests"], simulator.billed().requests, "{report}");
    assert_eq!(books["difference_nano_usd"], 0, "{report}");
    assert_eq!(node.call_with(&first).await, 401);
    let asked = node.told(&present.get(), "/api/v1/key").await;
    let billed = simulator.billed().nano_usd;
    let said = asked["data"]["usage"].as_f64().map(|usd| (usd * 1e9).round());
    assert_eq!(said, i32::try_from(billed).ok().map(f64::from), "{asked}");
    assert!(reported(&node).await.contains(" app "), "the command line names the key");
}

/// What the program's own command reports by key.
async fn reported(node: &Node) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_bursar"))
        .args(["usage", "report", "--by", "key"])
        .env("BURSAR_ADMIN_URL", &node.admin_url)
        .env("BURSAR_ADMIN_TOKEN", TOKEN)
        .output()
        .await
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}
