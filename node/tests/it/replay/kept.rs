//! Everything recorded of what providers keep - files, batches, uploads, stored answers - handed on by a real
//! node as it is.

use super::traffic::{self, Record};
use super::upstream::{Cuts, answer};
use crate::plane::node::{TestNode, USD};
use ledger::{Mode, Unit, Unpriced};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const OPERATIONS: [&str; 6] =
    ["files", "batches", "uploads", "stored_responses", "stored_responses_stream", "stored_chat"];

/// What came for a record: the line of the request and its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    line: String,
    head: String,
    body: Vec<u8>,
}

/// An upstream that answers with the record it was told of.
struct Upstream {
    addr: SocketAddr,
    next: Arc<Mutex<Option<Record>>>,
    seen: Arc<Mutex<Seen>>,
}

impl Upstream {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (next, seen) = (Arc::<Mutex<Option<Record>>>::default(), Arc::<Mutex<Seen>>::default());
        let (record, noted) = (Arc::clone(&next), Arc::clone(&seen));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (record, noted) = (Arc::clone(&record), Arc::clone(&noted));
                tokio::spawn(async move {
                    // The gateway may hang up.
                    let _ = serve(&record, &noted, socket).await;
                });
            }
        });
        Self { addr, next, seen }
    }
}

async fn serve(
    record: &Mutex<Option<Record>>,
    noted: &Mutex<Seen>,
    mut socket: TcpStream,
) -> std::io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
            if socket.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
            continue;
        };
        let head = String::from_utf8_lossy(&buffer[..at]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
        while buffer.len() < at + 4 + length {
            socket.read_buf(&mut buffer).await?;
        }
        let line = String::from_utf8_lossy(&buffer[..at]).lines().next().unwrap().to_owned();
        let body = buffer[at + 4..at + 4 + length].to_vec();
        *noted.lock().unwrap() = Seen { line, head, body };
        buffer.drain(..at + 4 + length);
        let answer = answer(record.lock().unwrap().as_ref().unwrap(), Cuts::Whole);
        socket.write_all(&answer).await?;
    }
}

/// The body of a record's request, and what it is.
fn sent(record: &Record) -> (Vec<u8>, &'static str) {
    use base64::Engine as _;
    let text = || record.request_body.as_str().unwrap();
    match record.request_body_encoding.as_str() {
        "json" => (record.request_body.to_string().into_bytes(), "application/json"),
        "base64" => (
            base64::engine::general_purpose::STANDARD.decode(text()).unwrap(),
            "multipart/form-data; boundary=b",
        ),
        "text" => (text().as_bytes().to_vec(), "multipart/form-data; boundary=b"),
        _ if record.method == "POST" => {
            (b"kept no body".to_vec(), "multipart/form-data; boundary=b")
        }
        _ => (Vec::new(), ""),
    }
}

/// Paths of a provider's own, which nobody asks under OpenAI's or Anthropic's.
fn is_foreign(record: &Record) -> bool {
    record.path.contains("v1beta") || record.path.contains("/batch/jobs")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_providers_keep_is_handed_on_to_the_byte_and_costs_a_request() {
    let mut records = Vec::new();
    let mut foreign = 0;
    traffic::each_of(&OPERATIONS, |record| {
        if is_foreign(&record) { foreign += 1 } else { records.push(record) }
    });
    let upstream = Upstream::start().await;
    let node = TestNode::start().await;
    let base = format!("http://{}/v1", upstream.addr);
    for (name, kind) in [("open", "openai"), ("claude", "anthropic")] {
        node.provider_with(name, &base, |provider| provider.kind = kind.to_owned()).await;
    }
    node.budget("requests", Unit::Requests, 1_000).await;
    let key = node
        .key_with("k", |key| {
            (key.budgets, key.may_use_files) = (vec!["requests".to_owned()], true);
        })
        .await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for record in &records {
        *upstream.next.lock().unwrap() = Some(record.clone());
        let (body, kind) = sent(record);
        let provider = if record.id.starts_with("anthropic") { "claude" } else { "open" };
        let method = record.method.parse().unwrap();
        let mut request = client
            .request(method, format!("http://{}{}", node.addr, record.path))
            .bearer_auth(&key)
            .header("x-bursar-provider", provider);
        if !body.is_empty() {
            request = request.header("content-type", kind).body(body.clone());
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), record.status, "{}", record.id);
        assert!(answer.headers().contains_key("x-bursar-receipt"), "{}", record.id);
        let kind =
            answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        assert_eq!(answer.bytes().await.unwrap(), record.bytes(), "{}", record.id);
        if record.status == 200 {
            assert_eq!(kind, record.header("content-type"), "{}", record.id);
        }
        let seen = upstream.seen.lock().unwrap().clone();
        assert_eq!(seen.line, format!("{} {} HTTP/1.1", record.method, record.path));
        assert_eq!(seen.body, body, "{}", record.id);
        let credential =
            if provider == "open" { "bearer sk-upstream" } else { "x-api-key: sk-upstream" };
        assert!(seen.head.contains(credential) && !seen.head.contains("bsr-"), "{}", seen.head);
    }
    println!("{} handed on; {foreign} are at paths of Gemini's and Mistral's own", records.len());
    assert_eq!(node.spent().await, i64::try_from(records.len()).unwrap());
    assert!(records.len() > 370, "{}", records.len());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_closed_to_other_keys_and_batches_to_hard_budgets() {
    let upstream = Upstream::start().await;
    let node = TestNode::start().await;
    let base = format!("http://{}/v1", upstream.addr);
    let open = |provider: &mut ledger::Provider| provider.kind = "openai".to_owned();
    node.provider_with("open", &base, open).await;
    *upstream.next.lock().unwrap() = Some(traffic::record("openai-uploads-4f94ab110c"));
    node.budget_with("soft", Unit::NanoUsd, USD, Mode::Soft).await;
    node.budget("hard", Unit::Tokens, 1_000).await;
    let with = |budget: &'static str| {
        move |key: &mut ledger::VirtualKey| {
            (key.budgets, key.may_use_files) = (vec![budget.to_owned()], true);
        }
    };
    let (soft, hard) =
        (node.key_with("soft", with("soft")).await, node.key_with("hard", with("hard")).await);
    let closed = node.key_with("closed", |_| ()).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let id = "resp_0850765c843cca5300699cc47d93c0819089a181f5feeff8eb";
    let stored = format!("responses/{id}");
    let ask = async |method: &str, path: &str, key: &str| {
        let url = format!("http://{}/v1/{path}", node.addr);
        let request = client.request(method.parse().unwrap(), url).bearer_auth(key);
        let request = if method == "POST" { request.body("{}") } else { request };
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let body: serde_json::Value = answer.json().await.unwrap_or_default();
        (status, body["error"]["code"].as_str().unwrap_or_default().to_owned())
    };
    let cases = [
        ("GET", "files", &closed, 403, "files_blocked"),
        ("GET", "chat/completions", &closed, 403, "files_blocked"),
        ("GET", stored.as_str(), &closed, 200, ""),
        ("DELETE", stored.as_str(), &closed, 200, ""),
        ("GET", "files", &hard, 200, ""),
        ("POST", "files", &hard, 200, ""),
        ("POST", "batches", &hard, 402, "request_exceeds_budget"),
        ("GET", "batches", &hard, 200, ""),
        ("POST", "batches", &soft, 403, "model_unpriced"),
        ("PUT", "files", &hard, 405, "method_not_allowed"),
        ("POST", "responses/compact", &hard, 405, "method_not_allowed"),
        ("GET", "files?provider=other", &hard, 403, "provider_blocked"),
        ("GET", "files/../keys", &hard, 404, "unknown_url"),
    ];
    for (method, path, key, status, code) in cases {
        let got = ask(method, path, key).await;
        assert_eq!(got, (status, code.to_owned()), "{method} {path}");
    }
    node.provider_with("open", &base, |provider| {
        open(provider);
        provider.unpriced = Unpriced::Track;
    })
    .await;
    assert_eq!(ask("POST", "batches", &soft).await, (200, String::new()));
    assert_eq!(ask("GET", "files?provider=open&limit=2", &hard).await.0, 200);
    assert_eq!(upstream.seen.lock().unwrap().line, "GET /v1/files?limit=2 HTTP/1.1");
    node.provider_with("other", &base, open).await;
    assert_eq!(ask("GET", "files", &hard).await, (400, "provider_required".to_owned()));
    node.spent().await;
    node.stop().await;
}
