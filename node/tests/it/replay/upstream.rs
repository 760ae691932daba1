//! An upstream that answers with the record whose id the request names as its model.

use super::traffic::Record;
use serde_json::Value;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How an answer is cut into pieces. Each piece is an HTTP chunk of its own.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cuts {
    Whole,
    EveryByte,
    Random { seed: u64 },
}

struct State {
    records: Arc<[Record]>,
    at: HashMap<String, usize>,
    cuts: Mutex<HashMap<String, Cuts>>,
    seen: Mutex<HashMap<String, Value>>,
}

pub(super) struct Upstream {
    addr: SocketAddr,
    state: Arc<State>,
    task: tokio::task::JoinHandle<()>,
}

impl Upstream {
    pub(super) async fn start(records: Arc<[Record]>) -> Upstream {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let at = records.iter().enumerate().map(|(at, record)| (record.id.clone(), at)).collect();
        let state = Arc::new(State { records, at, cuts: Mutex::default(), seen: Mutex::default() });
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                socket.set_nodelay(true).unwrap();
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    // The gateway may hang up; what it then tells its caller is what is compared.
                    let _ = serve(&state, socket).await;
                });
            }
        });
        Upstream { addr, state, task }
    }

    pub(super) fn base_url(&self) -> String {
        format!("http://{}/v1", self.addr)
    }

    pub(super) fn cut(&self, id: &str, cuts: Cuts) {
        self.state.cuts.lock().unwrap().insert(id.to_owned(), cuts);
    }

    /// The body that came for a record.
    pub(super) fn seen(&self, id: &str) -> Option<Value> {
        self.state.seen.lock().unwrap().remove(id)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(state: &State, mut socket: TcpStream) -> std::io::Result<()> {
    let mut buffer = Vec::new();
    while let Some(body) = read_body(&mut socket, &mut buffer).await? {
        let question: Value = serde_json::from_slice(&body).unwrap();
        let id = question["model"].as_str().unwrap().to_owned();
        let record = &state.records[state.at[&id]];
        let cuts = state.cuts.lock().unwrap().get(&id).copied().unwrap_or(Cuts::Whole);
        state.seen.lock().unwrap().insert(id, question);
        socket.write_all(&answer(record, cuts)).await?;
    }
    Ok(())
}

pub(super) async fn read_body(
    socket: &mut TcpStream,
    buffer: &mut Vec<u8>,
) -> std::io::Result<Option<Vec<u8>>> {
    loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..at]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize =
                length.expect("the gateway frames by length").trim().parse().unwrap();
            let end = at + 4 + length;
            if buffer.len() >= end {
                let body = buffer[at + 4..end].to_vec();
                buffer.drain(..end);
                return Ok(Some(body));
            }
        }
        if socket.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

pub(super) fn answer(record: &Record, cuts: Cuts) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {} Recorded\r\n", record.status).into_bytes();
    for (name, value) in &record.response_headers {
        let framing = ["content-length", "transfer-encoding", "connection", "content-encoding"];
        if !framing.contains(&name.to_lowercase().as_str()) {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
    }
    let body = record.bytes();
    if matches!(cuts, Cuts::Whole) {
        bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
        bytes.extend_from_slice(&body);
        return bytes;
    }
    bytes.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
    let mut rest = &body[..];
    let mut state = match cuts {
        Cuts::Random { seed } => seed,
        Cuts::Whole | Cuts::EveryByte => 0,
    };
    while !rest.is_empty() {
        let length = if state == 0 { 1 } else { (next(&mut state) % 97 + 1) as usize };
        let (piece, tail) = rest.split_at(length.min(rest.len()));
        bytes.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        bytes.extend_from_slice(piece);
        bytes.extend_from_slice(b"\r\n");
        rest = tail;
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

/// A step of xorshift64: enough to cut at odd places, the same ones each time.
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}
