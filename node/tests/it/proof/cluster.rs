//! A cluster that `bursar dev` starts, and what a test does to it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, interval};

/// Longest wait for a condition that a test needs to become true.
const PATIENCE: Duration = Duration::from_secs(60);

/// What `bursar dev -o json` prints.
#[derive(Deserialize)]
pub(super) struct Facts {
    pub(super) nodes: Vec<Node>,
    pub(super) virtual_key: String,
    pub(super) admin_token: String,
    pub(super) provider_url: String,
    pub(super) data_dir: String,
}

#[derive(Deserialize)]
pub(super) struct Node {
    pub(super) id: String,
    pub(super) base_url: String,
    pub(super) admin_url: String,
    pub(super) pid: i32,
}

/// A running cluster; dropped, it stops, and everything with it.
pub(super) struct Cluster {
    pub(super) facts: Facts,
    /// The line the facts came from, for programs that want it.
    pub(super) facts_json: String,
    pub(super) client: Client,
    dev: Child,
}

impl Cluster {
    /// Starts one and waits until it is ready. Logs of the nodes are in its data directory.
    pub(super) async fn start(arguments: &[&str]) -> Cluster {
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        let started = tokio::task::spawn_blocking(move || {
            let mut dev = Command::new(env!("CARGO_BIN_EXE_bursar"))
                .args(["dev", "-o", "json"])
                .args(arguments)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut line = String::new();
            BufReader::new(dev.stdout.take().unwrap()).read_line(&mut line).unwrap();
            (dev, line)
        });
        let (dev, facts_json) = started.await.unwrap();
        let facts = serde_json::from_str(&facts_json).expect("`bursar dev` says why above");
        let client = Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Cluster { facts, facts_json, client, dev }
    }

    /// Sends a signal to a node.
    pub(super) fn signal(&self, node: usize, signal: Signal) {
        kill_process(Pid::from_raw(self.facts.nodes[node].pid).unwrap(), signal).unwrap();
    }

    /// Tells `bursar dev` to restart the nodes in turn.
    pub(super) fn restart_in_turn(&self) {
        let pid = Pid::from_raw(i32::try_from(self.dev.id()).unwrap()).unwrap();
        kill_process(pid, Signal::HUP).unwrap();
    }

    /// Asks the admin API of a node.
    pub(super) async fn admin(
        &self,
        node: usize,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let url = format!("{}/admin/v1/{path}", self.facts.nodes[node].admin_url);
        let mut request = self.client.request(method, url).bearer_auth(&self.facts.admin_token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// A page of the simulated provider.
    pub(super) async fn simulator(&self, method: Method, page: &str, body: &'static str) -> Value {
        let url = format!("{}/_sim/{page}", self.facts.provider_url.trim_end_matches("/v1"));
        let answer = self.client.request(method, url).body(body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.json().await.unwrap()
    }

    /// What the simulated provider has billed, in nano-USD.
    pub(super) async fn billed_nano_usd(&self) -> i64 {
        self.simulator(Method::GET, "billed", "").await["nano_usd"].as_i64().unwrap()
    }

    /// Which node leads.
    pub(super) async fn leader(&self) -> usize {
        let (status, members) = self.admin(0, Method::GET, "cluster/members", None).await;
        assert_eq!(status, StatusCode::OK, "{members}");
        let items = members["items"].as_array().unwrap();
        let leader = items.iter().find(|member| member["role"] == "leader").expect("a leader");
        let label = leader["label"].as_str().unwrap();
        self.facts.nodes.iter().position(|node| node.id == label).unwrap()
    }

    /// Waits until a condition holds.
    pub(super) async fn eventually<F>(&self, what: &str, mut holds: impl FnMut() -> F)
    where
        F: Future<Output = bool>,
    {
        let deadline = Instant::now() + PATIENCE;
        let mut looks = interval(Duration::from_millis(50));
        while !holds().await {
            assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
            looks.tick().await;
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.dev.id()).unwrap()).unwrap();
        // It may have ended by itself, which the test has noticed.
        kill_process(pid, Signal::TERM).ok();
        drop(self.dev.wait());
    }
}
