//! A node of one in this process, and a client of its admin API.

use bursar::config::Config;
use bursar::serve::Running;
use reqwest::{Client, Method, Response};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// Longest wait for a node to be ready.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// Time between two looks at what nothing tells of.
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub(super) struct Solo {
    pub(super) running: Running,
    client: Client,
}

/// An answer, read whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) etag: String,
    pub(super) json: Value,
}

impl Solo {
    /// Starts a node on `dir` and waits until it is ready.
    pub(super) async fn start(dir: &Path) -> Self {
        let mut config = Config::alone(dir);
        config.threads = 1;
        config.drain.delay = Duration::ZERO;
        let running = Running::start(config).await.unwrap();
        let mut changes = running.cluster.changes();
        let mut looks = tokio::time::interval(LOOK_EVERY);
        let ready = async {
            while !running.cluster.status().ready() {
                changes.changed().await.unwrap();
            }
            // Nothing tells of this one.
            while running.cluster.stale_for() == Duration::MAX {
                looks.tick().await;
            }
        };
        tokio::time::timeout(READY_WITHIN, ready).await.unwrap();
        Self { running, client: Client::builder().no_proxy().build().unwrap() }
    }

    pub(super) fn admin_url(&self) -> String {
        format!("http://{}", self.running.admin_addr)
    }

    /// Asks below `/admin/v1/`, as the operator.
    pub(super) async fn ask(&self, method: Method, path: &str, body: Value) -> Answer {
        self.ask_if(method, path, body, "").await
    }

    /// Asks on the condition that the object still has this `ETag`.
    pub(super) async fn ask_if(
        &self,
        method: Method,
        path: &str,
        body: Value,
        etag: &str,
    ) -> Answer {
        self.ask_with(method, path, body, ("if-match", etag)).await
    }

    /// Asks with a header, unless it is empty.
    pub(super) async fn ask_with(
        &self,
        method: Method,
        path: &str,
        body: Value,
        (name, value): (&str, &str),
    ) -> Answer {
        let url = format!("{}/admin/v1/{path}", self.admin_url());
        let token = self.running.admin_token.expose();
        let mut request = self.client.request(method, url).bearer_auth(token);
        if !body.is_null() {
            request = request.json(&body);
        }
        if !value.is_empty() {
            request = request.header(name, value);
        }
        read(request.send().await.unwrap()).await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, Value::Null).await
    }

    pub(super) async fn put(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::PUT, path, body).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, body).await
    }

    /// What a caller with this key hears from `/v1/models`: status and code of the error.
    pub(super) async fn call_with(&self, key: &str) -> (u16, String) {
        let url = format!("http://{}/v1/models", self.running.data_addr);
        let answer = read(self.client.get(url).bearer_auth(key).send().await.unwrap()).await;
        let code = answer.json["error"]["code"].as_str().unwrap_or_default();
        (answer.status, code.to_owned())
    }
}

async fn read(answer: Response) -> Answer {
    let status = answer.status().as_u16();
    let etag = answer.headers().get("etag").map(|etag| etag.to_str().unwrap().to_owned());
    let text = answer.text().await.unwrap();
    Answer {
        status,
        etag: etag.unwrap_or_default(),
        json: serde_json::from_str(&text).unwrap_or(Value::String(text)),
    }
}

/// Text of a field.
pub(super) fn text(json: &Value, name: &str) -> String {
    json[name].as_str().unwrap_or_else(|| panic!("no {name} in {json}")).to_owned()
}
