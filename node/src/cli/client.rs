//! Talking to a node's admin API.

use super::out::Format;
use anyhow::{Context, bail};
use reqwest::header::{ETAG, HeaderName, IF_MATCH};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

/// Longest wait for an answer: longer than any wait of the node itself.
const WITHIN: Duration = Duration::from_secs(60);
/// The caller's own name of an operation.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Where a node that is alone keeps the token it drew, as seen from where it was started.
const DRAWN_TOKEN: &str = "bursar-data/secrets/admin-token";

/// Under what the options that all commands have are listed.
const NODE: &str = "Which node, and how its answer looks";

/// Which node, and how the answer looks.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Target {
    /// URL of a node's admin listener.
    #[arg(long, env = "BURSAR_ADMIN_URL", default_value = "http://127.0.0.1:8081", global = true, help_heading = NODE)]
    url: String,
    /// Admin token.
    #[arg(long, env = "BURSAR_ADMIN_TOKEN", hide_env_values = true, global = true, help_heading = NODE)]
    token: Option<String>,
    /// File with the admin token.
    #[arg(long, env = "BURSAR_ADMIN_TOKEN_FILE", global = true, help_heading = NODE)]
    token_file: Option<PathBuf>,
    /// What the answer looks like.
    #[arg(short, long, value_enum, default_value_t, global = true, help_heading = NODE)]
    pub(super) output: Format,
}

/// A JSON answer and its `ETag`.
pub(super) struct Answer {
    pub(super) body: Value,
    pub(super) etag: Option<String>,
}

/// A client of one node.
pub(super) struct Admin {
    client: Client,
    url: String,
    token: String,
}

impl Target {
    /// Runs `ask` with a client of the node.
    pub(super) fn with<T>(
        &self,
        ask: impl AsyncFnOnce(Admin) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(ask(self.admin()?))
    }

    fn admin(&self) -> anyhow::Result<Admin> {
        if !self.url.starts_with("http:") && !self.url.starts_with("https:") {
            bail!("{}: no URL of a node, write it as http://host:port", self.url);
        }
        if self.url.starts_with("https:") {
            bail!(
                "{}: the admin API speaks plain HTTP; reach it over loopback or a tunnel",
                self.url
            );
        }
        Ok(Admin {
            client: Client::builder().timeout(WITHIN).no_proxy().build()?,
            url: self.url.trim_end_matches('/').to_owned(),
            token: self.token()?,
        })
    }

    fn token(&self) -> anyhow::Result<String> {
        if let Some(token) = &self.token {
            return Ok(token.clone());
        }
        if let Some(path) = &self.token_file {
            let text = std::fs::read_to_string(path);
            let text = text.with_context(|| format!("cannot read {}", path.display()))?;
            return Ok(text.trim().to_owned());
        }
        match std::fs::read_to_string(DRAWN_TOKEN) {
            Ok(text) => Ok(text.trim().to_owned()),
            Err(_) => bail!(
                "no admin token: give --token, --token-file or BURSAR_ADMIN_TOKEN; a node that was not \
                 given one keeps it in secrets/admin-token of its data directory"
            ),
        }
    }
}

impl Admin {
    /// Reads `path`, below `/admin/v1/`.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(Method::GET, path, None, None).await
    }

    /// Reads `path` where there is something; `None` where there is not.
    pub(super) async fn find(&self, path: &str) -> anyhow::Result<Option<Answer>> {
        match self.get(path).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.is::<NotFound>() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads every page of a list, as one.
    pub(super) async fn list(&self, path: &str) -> anyhow::Result<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let mut page = self.get(&format!("{path}?limit=1000{cursor}")).await?.body;
            if let Value::Array(more) = page["items"].take() {
                items.extend(more);
            }
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={}", encode(next)),
                None => return Ok(serde_json::json!({ "items": items })),
            }
        }
    }

    /// Writes.
    pub(super) async fn write(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        self.send(method, path, body, None).await
    }

    /// Writes if nobody else has since.
    pub(super) async fn write_if(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        etag: Option<&str>,
    ) -> anyhow::Result<Answer> {
        self.send(method, path, Some(body), etag.map(|etag| (IF_MATCH, etag))).await
    }

    /// Does something that is done once for each name of an operation.
    pub(super) async fn act(
        &self,
        path: &str,
        body: &Value,
        operation: Option<&str>,
    ) -> anyhow::Result<Answer> {
        let operation = operation.map(|operation| (IDEMPOTENCY_KEY, operation));
        self.send(Method::POST, path, Some(body), operation).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        header: Option<(HeaderName, &str)>,
    ) -> anyhow::Result<Answer> {
        let url = format!("{}/admin/v1/{path}", self.url);
        let mut request = self.client.request(method, &url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let answer = request.send().await.with_context(|| {
            format!("cannot reach a node at {}: is it running? --url says where it is", self.url)
        })?;
        read(answer).await
    }
}

async fn read(answer: Response) -> anyhow::Result<Answer> {
    let status = answer.status();
    let etag = answer.headers().get(ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned);
    let text = answer.text().await?;
    let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    if status.is_success() {
        return Ok(Answer { body, etag });
    }
    let said = match body["detail"].as_str() {
        Some(detail) => detail.to_owned(),
        None => format!("the node answered {status}: {}", text.trim()),
    };
    let said = match body["fix"].as_str() {
        Some(fix) => format!("{said}\n{fix}"),
        None => said,
    };
    if status == StatusCode::NOT_FOUND {
        return Err(NotFound(said).into());
    }
    bail!("{said}")
}

/// There is no such object.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NotFound(String);

/// A name as one segment of a path, or as a value in a query.
pub(super) fn encode(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b':' => {
                text.push(char::from(byte));
            }
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    /// A node that gives one answer.
    fn answering(head: &'static str) -> Admin {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut caller, _) = listener.accept().unwrap();
            let _ = caller.read(&mut [0; 4096]).unwrap();
            write!(caller, "HTTP/1.1 {head}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .unwrap();
        });
        Admin { client: Client::builder().no_proxy().build().unwrap(), url, token: String::new() }
    }

    #[tokio::test]
    async fn only_a_404_says_that_there_is_none() {
        assert!(answering("404 Not Found").find("x").await.unwrap().is_none());
        assert!(answering("503 Service Unavailable").find("x").await.is_err());
    }

    #[test]
    fn names_become_one_segment_of_a_path() {
        assert_eq!(super::encode("key:a.b-c_d"), "key:a.b-c_d");
        assert_eq!(super::encode("a/b?c#d é+@"), "a%2Fb%3Fc%23d%20%C3%A9%2B%40");
    }
}
