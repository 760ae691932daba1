//! The bytes of an answer, whole or as they come.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// What a token looks like.
const TOKEN: &str = "word";

/// A body: whole, or in pieces that somebody sends.
pub(super) enum Answer {
    Whole(Option<Bytes>),
    Pieces(mpsc::Receiver<Result<Bytes, Cut>>),
}

/// The connection is to break here.
#[derive(Debug)]
pub(super) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cut on request")
    }
}

impl std::error::Error for Cut {}

impl Answer {
    pub(super) fn json(value: &Value) -> Answer {
        Answer::Whole(Some(value.to_string().into()))
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match self.get_mut() {
            Answer::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Answer::Pieces(pieces) => {
                pieces.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
            }
        }
    }
}

/// A plain answer.
pub(super) fn plain(input_tokens: i64, output_tokens: i64, usage: bool) -> Value {
    let count = usize::try_from(output_tokens).unwrap_or_default();
    let mut answer = json!({
        "id": "chatcmpl-live", "object": "chat.completion", "created": 1_700_000_000, "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": TOKEN.repeat(count)}}],
    });
    if usage {
        answer["usage"] = used(input_tokens, output_tokens);
    }
    answer
}

/// A chunk of a stream, with text of so many tokens.
pub(super) fn chunk(tokens: i64) -> Bytes {
    let count = usize::try_from(tokens).unwrap_or_default();
    event(&json!({
        "id": "chatcmpl-live", "object": "chat.completion.chunk", "created": 1_700_000_000,
        "model": "m", "choices": [{"index": 0, "delta": {"content": TOKEN.repeat(count)}}],
    }))
}

/// The end of a stream.
pub(super) fn end(input_tokens: i64, output_tokens: i64, usage: bool) -> Bytes {
    let base = json!({"id": "chatcmpl-live", "object": "chat.completion.chunk",
        "created": 1_700_000_000, "model": "m"});
    let mut last = base.clone();
    last["choices"] = json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]);
    let mut bytes = event(&last).to_vec();
    if usage {
        let mut told = base;
        told["choices"] = json!([]);
        told["usage"] = used(input_tokens, output_tokens);
        bytes.extend_from_slice(&event(&told));
    }
    bytes.extend_from_slice(b"data: [DONE]\n\n");
    bytes.into()
}

fn used(input: i64, output: i64) -> Value {
    json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output})
}

fn event(value: &Value) -> Bytes {
    format!("data: {value}\n\n").into()
}

/// No error of a connection is of interest here: whoever hung up knows.
pub(super) type Never = Infallible;
