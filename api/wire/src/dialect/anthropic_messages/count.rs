//! Counting the tokens of a request without answering it.

use bytes::Bytes;

use super::error::read_error;
use super::request::read_request;
use crate::chat::Request;
use crate::json::{Fields, Out};
use crate::refusal::Refusal;
use crate::relay::Reply;
use crate::usage::Usage;

/// Reads what is to be counted: a request without an output limit.
///
/// # Errors
/// A 400 that names the field.
pub fn read_count(body: &[u8]) -> Result<Request, Refusal> {
    read_request(body)
}

/// Reads the answer to a question for a count, which itself uses nothing.
#[must_use]
pub fn counted(body: &[u8]) -> Reply {
    let told = std::str::from_utf8(body).ok().and_then(|text| Fields::read(text).ok());
    let fault = match told.and_then(|mut fields| fields.whole("input_tokens")) {
        Some(_) => None,
        None => Some(read_error(body)),
    };
    Reply { usage: Some(Usage::default()), fault, output_bytes: 0 }
}

/// The answer: input tokens, those of the cache included.
#[must_use]
pub fn count_body(input_tokens: u64) -> Bytes {
    Bytes::from(Out::object(|out| out.number("input_tokens", input_tokens)))
}
