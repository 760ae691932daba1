//! Counting the tokens of a chat without answering it.

use crate::chat::{Request, Target, Written};
use crate::json::{Fields, Out};
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;
use crate::relay::Reply;
use crate::usage::Usage;

/// A way to ask how many tokens a chat has: any one's reading goes with any other's writing.
#[derive(Debug, Clone, Copy)]
pub struct Count {
    /// Reads the chat that is to be counted.
    pub read_request: fn(&[u8]) -> Result<Request, Refusal>,
    /// Writes the question for a provider.
    pub write_request: fn(&Request, &Target<'_>) -> Result<Written, Refusal>,
    /// Reads how many tokens were counted.
    pub read_answer: fn(&[u8]) -> Result<u64, ProviderError>,
    /// Writes how many tokens there are.
    pub write_answer: fn(u64) -> Vec<u8>,
}

/// What a body under a success status says that goes on as it is: to count uses nothing.
#[must_use]
pub fn reply_of(read: Result<u64, ProviderError>) -> Reply {
    Reply { usage: Some(Usage::default()), fault: read.err(), output_bytes: 0 }
}

/// A chat without the members that only matter for an answer.
pub(crate) fn only(members: &[&str], written: Written) -> Written {
    let text = String::from_utf8_lossy(&written.body).into_owned();
    // What was just written is an object.
    let Ok(fields) = Fields::read(&text) else { return written };
    let body = Out::object(|out| {
        for key in members {
            if let Some(value) = fields.get(key) {
                out.raw(key, value);
            }
        }
    });
    Written { body, dropped: written.dropped }
}

/// The number under a key of an answer.
pub(crate) fn told(body: &[u8], key: &str) -> Option<u64> {
    Fields::read(std::str::from_utf8(body).ok()?).ok()?.whole(key)
}
