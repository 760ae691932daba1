//! Errors, said and read. Their bodies are those of OpenAI's chats.

use bytes::Bytes;

use crate::dialect::openai_chat;
use crate::json::{Fields, Out, text};
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;

pub use crate::dialect::openai_chat::{error_body, provider_answer};

/// A refusal as an event of a stream that has begun. The SDKs raise it as an error.
#[must_use]
pub fn error_event(refusal: &Refusal) -> Bytes {
    Bytes::from(numbered_error(refusal, 0))
}

/// The event with its number in the stream. OpenAI says the error inside an object of its own, its
/// specification beside the type: both are there.
pub(super) fn numbered_error(refusal: &Refusal, sequence: u64) -> Vec<u8> {
    let body = error_body(refusal);
    let whole = std::str::from_utf8(&body).ok().and_then(|body| Fields::read(body).ok());
    let error = whole.and_then(|fields| fields.get("error")).unwrap_or("null");
    let data = Out::object(|out| {
        out.text("type", "error");
        out.number("sequence_number", sequence);
        out.text("code", refusal.code);
        out.text("message", &refusal.say);
        out.text_or_null("param", refusal.param.as_deref());
        out.raw("error", error);
    });
    [b"event: error\ndata: ", &data[..], b"\n\n"].concat()
}

/// Reads an error in any of the known shapes. The status is that of its code or type, else 502.
#[must_use]
pub fn read_error(body: &[u8]) -> ProviderError {
    let inner =
        std::str::from_utf8(body).ok().and_then(|text| Fields::read(text).ok()?.get("error"));
    let mut error = openai_chat::read_error(inner.map_or(body, str::as_bytes));
    let words = [error.code.as_deref(), error.kind.as_deref()];
    if let Some(status) = words.into_iter().flatten().find_map(status) {
        error.status = status;
    }
    error.judged()
}

/// The failure that a response reports of itself.
pub(super) fn failure(fields: &Fields<'_>) -> Option<ProviderError> {
    if let Some(error) = fields.get("error") {
        return Some(read_error(error.as_bytes()));
    }
    let failed = fields.get("status").and_then(text).is_some_and(|status| status == "failed");
    failed.then(|| ProviderError::unreadable("the provider failed and did not say why"))
}

fn status(word: &str) -> Option<u16> {
    Some(match word {
        "rate_limit_exceeded" | "insufficient_quota" | "rate_limit_error" => 429,
        "invalid_prompt" | "invalid_request_error" | "context_length_exceeded" => 400,
        "authentication_error" | "invalid_api_key" => 401,
        "server_error" | "internal_error" => 500,
        "server_is_overloaded" | "slow_down" => 503,
        word if word.contains("image") => 400,
        _ => return None,
    })
}
