//! An upstream on plain sockets that answers with exactly the bytes a test wants.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What is done once a request has come.
#[derive(Clone)]
pub(crate) enum Does {
    /// Sends these bytes and keeps the connection.
    Sends(Vec<u8>),
    /// Sends these bytes and closes the connection.
    SendsAndCloses(Vec<u8>),
    /// Sends the first bytes, then the second ones over and over.
    Repeats(Vec<u8>, Vec<u8>),
    /// Sends these bytes and then nothing more.
    Hangs(Vec<u8>),
    /// Sends the first bytes, and the second ones once it is told to.
    Waits(Vec<u8>, Arc<Notify>, Vec<u8>),
}

/// A hostile upstream. Dropped, it stops.
pub(crate) struct Upstream {
    addr: SocketAddr,
    state: Arc<State>,
    task: tokio::task::JoinHandle<()>,
}

struct State {
    does: Mutex<Does>,
    requests: Mutex<Vec<String>>,
    open: AtomicU64,
    accepted: AtomicU64,
    /// Bytes written of answers that repeat.
    written: AtomicU64,
}

impl Upstream {
    pub(crate) async fn start(does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let state = Arc::new(State {
            does: Mutex::new(does),
            requests: Mutex::default(),
            open: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            written: AtomicU64::new(0),
        });
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    state.accepted.fetch_add(1, SeqCst);
                    state.open.fetch_add(1, SeqCst);
                    // A connection that breaks is what the test is about.
                    let _ = serve(&state, stream).await;
                    state.open.fetch_sub(1, SeqCst);
                });
            }
        });
        Self { addr, state, task }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.addr)
    }

    pub(crate) fn does(&self, does: Does) {
        *self.state.does.lock().unwrap() = does;
    }

    /// The requests that have come, heads and bodies.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.state.requests.lock().unwrap().clone()
    }

    pub(crate) fn open_connections(&self) -> u64 {
        self.state.open.load(SeqCst)
    }

    pub(crate) fn written(&self) -> u64 {
        self.state.written.load(SeqCst)
    }

    pub(crate) fn accepted(&self) -> u64 {
        self.state.accepted.load(SeqCst)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(state: &State, mut stream: TcpStream) -> std::io::Result<()> {
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer).await? {
        state.requests.lock().unwrap().push(request);
        let does = state.does.lock().unwrap().clone();
        match does {
            Does::Sends(bytes) => stream.write_all(&bytes).await?,
            Does::SendsAndCloses(bytes) => {
                stream.write_all(&bytes).await?;
                return stream.shutdown().await;
            }
            Does::Repeats(first, again) => {
                stream.write_all(&first).await?;
                loop {
                    stream.write_all(&again).await?;
                    state.written.fetch_add(again.len() as u64, SeqCst);
                }
            }
            Does::Waits(first, told, rest) => {
                stream.write_all(&first).await?;
                told.notified().await;
                stream.write_all(&rest).await?;
            }
            Does::Hangs(bytes) => {
                stream.write_all(&bytes).await?;
                // Until the other side gives up.
                stream.read_to_end(&mut buffer).await?;
                return Ok(());
            }
        }
    }
    Ok(())
}

async fn read_request(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
) -> std::io::Result<Option<String>> {
    loop {
        if let Some(at) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..at + 4]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            let end = at + 4 + length;
            if buffer.len() >= end {
                let request = buffer.drain(..end).collect();
                return Ok(Some(String::from_utf8(request).unwrap()));
            }
        }
        let mut chunk = [0; 64 * 1024];
        let count = stream.read(&mut chunk).await?;
        if count == 0 {
            return Ok(None);
        }
        buffer.extend_from_slice(&chunk[..count]);
    }
}

/// An answer of this status and JSON body.
pub(crate) fn json(status: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A good plain answer that used so many tokens.
pub(crate) fn answer(input: u64, output: u64) -> String {
    format!(
        r#"{{"id":"c1","object":"chat.completion","created":1,"model":"m-2024","choices":[{{"index":0,"message":{{"role":"assistant","content":"hi"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":{input},"completion_tokens":{output},"total_tokens":{}}}}}"#,
        input + output
    )
}

/// The head of a stream, in chunks.
pub(crate) const STREAM_HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

/// Text as one HTTP chunk.
pub(crate) fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

/// One event with this content.
pub(crate) fn event(content: &str) -> String {
    format!(
        "data: {{\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{content}\"}},\"finish_reason\":null}}]}}\n\n"
    )
}

/// The event that ends an answer.
pub(crate) const FINISH: &str = "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";

/// The usage chunk.
pub(crate) fn usage(input: u64, output: u64) -> String {
    format!(
        "data: {{\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[],\"usage\":{{\"prompt_tokens\":{input},\"completion_tokens\":{output},\"total_tokens\":{}}}}}\n\n",
        input + output
    )
}

pub(crate) const DONE: &str = "data: [DONE]\n\n";
