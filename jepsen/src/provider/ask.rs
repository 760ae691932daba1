//! What a caller asks: who it is, and how the provider shall answer. It stands in the prompt, so that it
//! comes through any gateway.

use std::fmt;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// What goes wrong at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    None,
    /// It refuses with this status, and bills nothing.
    Refuse(u16),
    /// The connection breaks in the middle of an answer that was billed as far as it went, a plain
    /// one whole.
    Cut,
    /// It does not say what the answer used.
    NoUsage,
}

/// One question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The caller's number of it.
    pub id: u64,
    /// Number of the virtual key.
    pub key: usize,
    /// Length of the answer. The caller's limit still holds.
    pub tokens: u64,
    /// Time before the answer, in milliseconds.
    pub wait_ms: u64,
    /// Time before each chunk of a stream, in milliseconds.
    pub pace_ms: u64,
    /// What goes wrong.
    pub trouble: Trouble,
}

/// The body of a request, as far as it is read.
#[derive(Deserialize)]
pub(super) struct Body {
    messages: Vec<Message>,
    max_tokens: Option<u64>,
    max_completion_tokens: Option<u64>,
    #[serde(default)]
    stream: bool,
}

#[derive(Deserialize)]
struct Message {
    content: String,
}

/// A request as the provider sees it.
pub(super) struct Request {
    pub(super) ask: Ask,
    pub(super) input_tokens: i64,
    pub(super) output_tokens: i64,
    pub(super) stream: bool,
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ask { id, key, tokens, wait_ms, pace_ms, trouble } = self;
        let trouble = match trouble {
            Trouble::None => 0,
            Trouble::Cut => 1,
            Trouble::NoUsage => 2,
            Trouble::Refuse(status) => *status,
        };
        write!(f, "please {id} {key} {tokens} {wait_ms} {pace_ms} {trouble} thanks")
    }
}

impl Ask {
    fn read(prompt: &str) -> Result<Ask> {
        let words: Vec<&str> = prompt.split(' ').collect();
        ensure!(words.len() == 8, "not a question of these callers: {prompt}");
        let number = |nth: usize| words[nth].parse::<u64>().with_context(|| prompt.to_owned());
        let trouble = match u16::try_from(number(6)?)? {
            0 => Trouble::None,
            1 => Trouble::Cut,
            2 => Trouble::NoUsage,
            status => Trouble::Refuse(status),
        };
        Ok(Ask {
            id: number(1)?,
            key: usize::try_from(number(2)?)?,
            tokens: number(3)?,
            wait_ms: number(4)?,
            pace_ms: number(5)?,
            trouble,
        })
    }
}

impl Request {
    /// Reads the body of a request.
    pub(super) fn read(bytes: &[u8]) -> Result<Request> {
        let body: Body = serde_json::from_slice(bytes)?;
        let prompt = body.messages.first().context("no messages")?.content.as_str();
        let ask = Ask::read(prompt)?;
        let limit = body.max_completion_tokens.or(body.max_tokens).unwrap_or(u64::MAX);
        Ok(Request {
            ask,
            // Four bytes a token and a few for the message: fewer than bytes, as of any tokenizer.
            input_tokens: i64::try_from(prompt.len() / 4 + 4)?,
            output_tokens: i64::try_from(ask.tokens.min(limit))?,
            stream: body.stream,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_read_as_it_was_written() {
        for trouble in [Trouble::None, Trouble::Cut, Trouble::NoUsage, Trouble::Refuse(503)] {
            let ask = Ask { id: 1 << 40, key: 7, tokens: 30, wait_ms: 20, pace_ms: 1, trouble };
            assert_eq!(Ask::read(&ask.to_string()).unwrap(), ask);
        }
    }

    #[test]
    fn the_callers_limit_holds() {
        let ask = Ask { id: 1, key: 0, tokens: 30, wait_ms: 0, pace_ms: 0, trouble: Trouble::None };
        let body = serde_json::json!({"messages": [{"role": "user", "content": ask.to_string()}],
            "max_tokens": 9, "stream": true});
        let request = Request::read(body.to_string().as_bytes()).unwrap();
        assert_eq!((request.output_tokens, request.stream), (9, true));
        assert!(Request::read(b"{\"messages\":[{\"content\":\"hi\"}]}").is_err());
    }
}
