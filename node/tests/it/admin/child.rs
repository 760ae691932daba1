//! A node as a process of its own.

use reqwest::{Client, Method};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{interval, timeout};

/// Longest wait for anything a node does.
const WITHIN: Duration = Duration::from_secs(30);
/// Time between two looks at whether it is ready.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Its admin token.
pub(crate) const TOKEN: &str = "token-of-this-test";

pub(crate) struct Node {
    child: Child,
    /// Lines not looked at yet. They are read as they come: a full pipe would stop the node.
    log: UnboundedReceiver<String>,
    /// All lines so far.
    pub(crate) said: Vec<String>,
    pub(crate) admin_url: String,
    base_url: String,
    pub(crate) client: Client,
}

impl Node {
    pub(crate) async fn start(dir: &Path, drain_delay: &str) -> Self {
        let config = dir.join("bursar.yaml");
        let any = "127.0.0.1:0";
        let text = format!(
            "data_dir: {data}\nlisten: {any}\nadmin:\n  listen: {any}\n  token: {TOKEN}\n\
             peer:\n  listen: {any}\ngossip:\n  listen: {any}\ndrain:\n  delay: {drain_delay}\n\
             threads: 1\nlog:\n  format: json\n  level: debug\n",
            data = dir.join("data").display(),
        );
        std::fs::write(&config, text).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_bursar"))
            .args(["serve", "--config"])
            .arg(config)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (said, log) = unbounded_channel();
        tokio::spawn(async move {
            while let Some(line) = lines.next_line().await.unwrap() {
                said.send(line).unwrap();
            }
        });
        let client = Client::builder().no_proxy().build().unwrap();
        let mut node = Self {
            child,
            log,
            said: Vec::new(),
            admin_url: String::new(),
            base_url: String::new(),
            client,
        };
        let serving = node.hear("serving").await;
        node.admin_url = format!("http://{}", serving["operators"].as_str().unwrap());
        node.base_url = format!("http://{}", serving["callers"].as_str().unwrap());
        node
    }

    /// Reads the log up to the line with this message.
    pub(crate) async fn hear(&mut self, message: &str) -> Value {
        let heard = async {
            loop {
                let line = self.log.recv().await;
                let line = line.unwrap_or_else(|| panic!("no {message:?} in {:#?}", self.said));
                let json: Value = serde_json::from_str(&line).unwrap_or_default();
                self.said.push(line);
                if json["message"] == message {
                    return json;
                }
            }
        };
        timeout(WITHIN, heard).await.unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// Waits for the end; the rest of the log is in `said`.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let rest = async {
            while let Some(line) = self.log.recv().await {
                self.said.push(line);
            }
            self.child.wait().await.unwrap()
        };
        timeout(WITHIN, rest).await.unwrap()
    }

    pub(crate) async fn readyz(&self) -> u16 {
        let answer = self.client.get(format!("{}/readyz", self.admin_url)).send().await.unwrap();
        answer.status().as_u16()
    }

    /// Waits until the node is ready.
    pub(crate) async fn ready(&self) {
        let mut looks = interval(LOOK_EVERY);
        let ready = async {
            while self.readyz().await != 200 {
                looks.tick().await;
            }
        };
        timeout(WITHIN, ready).await.unwrap();
    }

    /// Asks below `/admin/v1/`, as the operator.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Value) -> Value {
        let url = format!("{}/admin/v1/{path}", self.admin_url);
        let request = self.client.request(method, url).bearer_auth(TOKEN).json(&body);
        request.send().await.unwrap().json().await.unwrap()
    }

    /// What a caller with this key hears.
    pub(crate) async fn call_with(&self, key: &str) -> u16 {
        let request = self.client.get(format!("{}/v1/models", self.base_url)).bearer_auth(key);
        request.send().await.unwrap().status().as_u16()
    }

    /// What a caller with this key is told there.
    pub(crate) async fn told(&self, key: &str, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.base_url)).bearer_auth(key);
        request.send().await.unwrap().json().await.unwrap()
    }

    /// Status of a chat with this model, of at most so many tokens.
    pub(crate) async fn chat_with(&self, key: &str, model: &str, max_tokens: u64) -> u16 {
        let messages = json!([{"role": "user", "content": "hello"}]);
        let body = json!({"model": model, "messages": messages, "max_tokens": max_tokens});
        let url = format!("{}/v1/chat/completions", self.base_url);
        let request = self.client.post(url).bearer_auth(key).json(&body);
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        answer.bytes().await.unwrap();
        status
    }
}
