//! Counting the tokens of a request without answering it.

use bytes::Bytes;

use super::part::object;
use super::request::{read_request, request};
use crate::chat::Request;
use crate::json::{Fields, Out};
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;

/// Reads what is to be counted: contents, or a whole request.
///
/// # Errors
/// A 400 that names the field.
pub fn read_count(body: &[u8]) -> Result<Request, Refusal> {
    let fields = std::str::from_utf8(body).ok().and_then(object);
    match fields.and_then(|mut fields| fields.object("generateContentRequest")) {
        Some(inner) => request(inner.camel()),
        None => read_request(body),
    }
}

/// Reads how many tokens were counted.
///
/// # Errors
/// A 502 where the body does not say.
pub fn read_counted(body: &[u8]) -> Result<u64, ProviderError> {
    let fields = std::str::from_utf8(body).ok().and_then(|text| Fields::read(text).ok());
    let total = fields.and_then(|fields| fields.camel().whole("totalTokens"));
    total.ok_or_else(|| ProviderError::unreadable("the provider's answer has no totalTokens"))
}

/// The answer: input tokens, those of the cache included.
#[must_use]
pub fn count_body(input_tokens: u64) -> Bytes {
    Bytes::from(Out::object(|out| out.number("totalTokens", input_tokens)))
}
