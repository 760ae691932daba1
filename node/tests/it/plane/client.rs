//! A caller on a plain socket: sends exactly these bytes, reads exactly what comes.

use super::node::PATIENCE;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// `error.code` of an OpenAI error, all of whose fields must be there.
    pub(crate) fn code(&self) -> String {
        let body = self.json();
        let error = body["error"].as_object().unwrap_or_else(|| panic!("{body}"));
        for field in ["message", "type", "param", "code"] {
            assert!(error.contains_key(field), "{field} is missing in {body}");
        }
        error["code"].as_str().unwrap_or("").to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value.trim_end())
        })
    }
}

/// A connection.
pub(crate) struct Caller {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
}

impl Caller {
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(addr).await.unwrap(), buffer: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Reads some more; false at the end.
    pub(crate) async fn more(&mut self) -> bool {
        let mut chunk = [0; 16 * 1024];
        let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut chunk)).await;
        let count = read.expect("an answer in time").unwrap_or(0);
        self.buffer.extend_from_slice(&chunk[..count]);
        count > 0
    }

    /// Reads until what has come holds `text`.
    pub(crate) async fn read_until(&mut self, text: &str) {
        while !self.seen().contains(text) {
            let ended = !self.more().await;
            assert!(!ended, "the answer ended without {text:?}: {}", self.seen());
        }
    }

    /// What has come and was not read as an answer.
    pub(crate) fn seen(&self) -> String {
        String::from_utf8_lossy(&self.buffer).into_owned()
    }

    /// Waits for the other side to close; what came before it.
    pub(crate) async fn closed(mut self) -> String {
        while self.more().await {}
        self.seen()
    }

    /// Reads one answer.
    pub(crate) async fn answer(&mut self) -> Answer {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            assert!(self.more().await, "closed before an answer: {:?}", self.seen());
        };
        let head = String::from_utf8(self.buffer.drain(..end).collect()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, head, body: Vec::new() };
        if let Some(length) = answer.header("content-length") {
            let length = length.parse().unwrap();
            while self.buffer.len() < length {
                assert!(self.more().await, "a cut body");
            }
            answer.body = self.buffer.drain(..length).collect();
        } else if answer.header("transfer-encoding").is_some() {
            answer.body = self.chunked().await;
        }
        answer
    }

    async fn chunked(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let line = loop {
                if let Some(at) = self.buffer.windows(2).position(|w| w == b"\r\n") {
                    break at;
                }
                assert!(self.more().await, "a cut chunk: {:?}", self.seen());
            };
            let size = String::from_utf8(self.buffer.drain(..line + 2).collect()).unwrap();
            let size = usize::from_str_radix(size.trim(), 16).unwrap();
            while self.buffer.len() < size + 2 {
                assert!(self.more().await, "a cut chunk");
            }
            body.extend(self.buffer.drain(..size));
            self.buffer.drain(..2);
            if size == 0 {
                return body;
            }
        }
    }
}

/// A request for a chat, as bytes.
pub(crate) fn chat(key: &str, body: &str) -> Vec<u8> {
    post("/v1/chat/completions", key, body)
}

pub(crate) fn post(path: &str, key: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A request for a chat with more headers, each with its line end.
pub(crate) fn chat_with(key: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {key}\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

pub(crate) fn get(path: &str, key: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {key}\r\n\r\n").into_bytes()
}

/// A body for the model `model`, with more members.
pub(crate) fn ask(model: &str, more: &str) -> String {
    format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"hello"}}]{more}}}"#)
}

/// Sends a request on a connection of its own.
pub(crate) async fn once(addr: SocketAddr, request: &[u8]) -> Answer {
    let mut caller = Caller::connect(addr).await;
    caller.send(request).await;
    caller.answer().await
}
