//! A caller: asks for plain answers and streams, hangs up on some, and writes down how each ended.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::asked::{Ended, Odd};
use crate::dice::Dice;
use crate::provider::{Ask, INPUT_NANO_USD, OUTPUT_NANO_USD, Trouble};

/// How long a caller waits for a connection, and for an answer.
const CONNECTED_WITHIN: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(8);

/// What is asked, and what the caller will do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    pub(super) ask: Ask,
    pub(super) max_tokens: u64,
    pub(super) stream: bool,
    /// When it hangs up: after so many milliseconds, or so many pieces of a stream.
    hangs_up_after: Option<u64>,
}

/// One connection to one node.
pub(super) struct Line {
    sender: SendRequest<Full<Bytes>>,
    connection: JoinHandle<()>,
    host: String,
}

impl Question {
    /// Draws one.
    pub(super) fn draw(id: u64, key: usize, dice: &mut Dice) -> Question {
        let tokens = dice.within(4, 40);
        let stream = dice.chance(30);
        let trouble = match dice.below(100) {
            0..2 => Trouble::Refuse(500),
            2..4 => Trouble::Cut,
            4..6 => Trouble::NoUsage,
            _ => Trouble::None,
        };
        let wait_ms = match dice.below(100) {
            0..3 => dice.within(200, 1_500),
            3..30 => dice.within(5, 30),
            _ => 0,
        };
        let pace_ms = if stream && dice.chance(20) { dice.within(1, 20) } else { 0 };
        let hangs_up_after = match stream {
            true => dice.chance(20).then(|| dice.within(0, 5)),
            false => dice.chance(4).then(|| dice.within(0, 15)),
        };
        let ask = Ask { id, key, tokens, wait_ms, pace_ms, trouble };
        Question { ask, max_tokens: tokens * dice.within(1, 2), stream, hangs_up_after }
    }

    fn body(&self) -> String {
        json!({"model": "chat", "max_tokens": self.max_tokens, "stream": self.stream,
            "messages": [{"role": "user", "content": self.ask.to_string()}]})
        .to_string()
    }

    /// How long the provider will take for it.
    pub(super) fn takes(&self) -> Duration {
        let chunks = if self.stream { self.ask.tokens } else { 0 };
        Duration::from_millis(self.ask.wait_ms + self.ask.pace_ms * chunks)
    }

    /// More than a gateway that knows its trade holds for it.
    pub(super) fn worst_nano_usd(&self) -> i64 {
        let input = i64::try_from(self.ask.to_string().len() + 64).unwrap_or(i64::MAX);
        let output = i64::try_from(self.max_tokens + 16).unwrap_or(i64::MAX);
        input.saturating_mul(INPUT_NANO_USD).saturating_add(output.saturating_mul(OUTPUT_NANO_USD))
    }
}

impl Line {
    /// Connects.
    pub(super) async fn open(to: SocketAddr) -> Option<Line> {
        let socket = timeout(CONNECTED_WITHIN, TcpStream::connect(to)).await.ok()?.ok()?;
        socket.set_nodelay(true).ok()?;
        let (sender, connection) = http1::handshake(TokioIo::new(socket)).await.ok()?;
        let connection = tokio::spawn(async move { drop(connection.await) });
        Some(Line { sender, connection, host: to.to_string() })
    }

    /// Whether another question may be asked on it.
    pub(super) fn is_open(&self) -> bool {
        !self.connection.is_finished() && !self.sender.is_closed()
    }

    /// Asks, and says how it ended and whether the line can be used again.
    pub(super) async fn ask(&mut self, question: &Question, secret: &str) -> (Ended, bool) {
        let Some(request) = self.request(question, secret) else { return (Ended::Unsent, false) };
        if self.sender.ready().await.is_err() {
            return (Ended::Unsent, false);
        }
        let hangs_up = match (question.stream, question.hangs_up_after) {
            (false, Some(ms)) => Some(Duration::from_millis(ms)),
            (true, Some(_)) | (_, None) => None,
        };
        let patience = hangs_up.unwrap_or(PATIENCE);
        let asked = Instant::now();
        let exchange = async {
            let answer = self.sender.send_request(request).await.ok()?;
            let status = answer.status().as_u16();
            match (status, question.stream) {
                (200, true) => Some(streamed(answer.into_body(), question.hangs_up_after).await),
                _ => Some(plain(status, answer.into_body(), question).await),
            }
        };
        match timeout(patience, exchange).await {
            Ok(Some(ended)) => (ended, !matches!(ended, Ended::HungUp | Ended::Lost)),
            Err(_) if hangs_up.is_some_and(|after| asked.elapsed() >= after) => {
                (Ended::HungUp, false)
            }
            Ok(None) | Err(_) => (Ended::Lost, false),
        }
    }

    fn request(&self, question: &Question, secret: &str) -> Option<Request<Full<Bytes>>> {
        Request::post("/v1/chat/completions")
            .header(HOST, &self.host)
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, format!("Bearer {secret}"))
            .body(Full::new(question.body().into()))
            .ok()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // Hanging up is seen at the other end.
        self.connection.abort();
    }
}

async fn plain(status: u16, body: Incoming, question: &Question) -> Ended {
    let Ok(body) = body.collect().await else { return Ended::Lost };
    let body = body.to_bytes();
    if status == 200 {
        return if body.ends_with(b"}") { Ended::Answered } else { Ended::Lost };
    }
    let told: Value = serde_json::from_slice(&body).unwrap_or_default();
    match (status, told["error"]["code"].as_str().unwrap_or_default()) {
        (402, _) => Ended::Spent,
        (_, "budget_in_flight") => Ended::InFlight,
        (_, "cluster_unavailable") => Ended::Unavailable,
        _ if question.ask.trouble != Trouble::None => Ended::ProviderFailed,
        _ => Ended::Odd(Odd { status }),
    }
}

async fn streamed(mut body: Incoming, hangs_up_after: Option<u64>) -> Ended {
    const DONE: &[u8] = b"data: [DONE]\n\n";
    let mut pieces = 0;
    let mut tail = Vec::new();
    loop {
        if hangs_up_after.is_some_and(|after| pieces >= after) {
            return Ended::HungUp;
        }
        match body.frame().await {
            Some(Ok(frame)) => {
                pieces += 1;
                let data = frame.into_data().unwrap_or_default();
                tail.extend_from_slice(&data);
                tail.drain(..tail.len().saturating_sub(DONE.len()));
            }
            Some(Err(_)) => return Ended::Lost,
            None if tail == DONE => return Ended::Answered,
            None => return Ended::Lost,
        }
    }
}
