//! Counting the tokens of a request without answering it.

use bytes::Bytes;

use super::request::read_request;
use crate::chat::Request;
use crate::json::Out;
use crate::refusal::Refusal;

/// Reads what is to be counted: a request without an output limit.
///
/// # Errors
/// A 400 that names the field.
pub fn read_count(body: &[u8]) -> Result<Request, Refusal> {
    read_request(body)
}

/// The answer: input tokens, those of the cache included.
#[must_use]
pub fn count_body(input_tokens: u64) -> Bytes {
    Bytes::from(Out::object(|out| out.number("input_tokens", input_tokens)))
}
