//! Errors, said and read.

use bytes::Bytes;

use crate::dialect::openai_chat;
use crate::json::{Fields, Out};
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;

/// A refusal as a body.
#[must_use]
pub fn error_body(refusal: &Refusal) -> Bytes {
    let kind = kind(refusal.status);
    Bytes::from(Out::object(|out| {
        out.text("type", "error");
        out.member("error", |out| {
            out.text("type", kind);
            out.text("message", &refusal.say);
        });
        out.raw("request_id", "null");
    }))
}

/// A refusal as an event of a stream that has begun. The SDKs raise it as an error.
#[must_use]
pub fn error_event(refusal: &Refusal) -> Bytes {
    Bytes::from([b"event: error\ndata: ", &error_body(refusal)[..], b"\n\n"].concat())
}

/// Status and body for the caller out of a provider's error answer.
///
/// A body that already is this dialect's goes on byte for byte; others are said anew with the
/// provider's words; a refused credential is not shown at all.
#[must_use]
pub fn provider_answer(error: &ProviderError, body: &Bytes) -> (u16, Bytes) {
    let refusal = error.refusal();
    if !error.is_credential_refused() && is_this_dialect(body) {
        return (refusal.status, body.clone());
    }
    (refusal.status, error_body(&refusal))
}

/// Whether a body is `{"type":"error","error":{"type":…,"message":…},…}`.
fn is_this_dialect(body: &[u8]) -> bool {
    let fields = std::str::from_utf8(body).ok().and_then(|text| Fields::read(text).ok());
    let Some(mut fields) = fields else { return false };
    let Some(mut error) = fields.object("error") else { return false };
    fields.tag("type", "error") && error.text("message").is_some() && error.text("type").is_some()
}

/// Reads an error in any of the known shapes. The status is that of its type, else 502.
#[must_use]
pub fn read_error(body: &[u8]) -> ProviderError {
    // The outer type says only that it is an error.
    let inner =
        std::str::from_utf8(body).ok().and_then(|text| Fields::read(text).ok()?.get("error"));
    let mut error = openai_chat::read_error(inner.map_or(body, str::as_bytes));
    if let Some(status) = error.kind.as_deref().and_then(status) {
        error.status = status;
    }
    error.judged()
}

const KINDS: [(&str, u16); 10] = [
    ("invalid_request_error", 400),
    ("authentication_error", 401),
    ("billing_error", 402),
    ("permission_error", 403),
    ("not_found_error", 404),
    ("request_too_large", 413),
    ("rate_limit_error", 429),
    ("api_error", 500),
    ("timeout_error", 504),
    ("overloaded_error", 529),
];

fn kind(status: u16) -> &'static str {
    let known = KINDS.into_iter().find(|(_, known)| *known == status);
    known.map_or(if status < 500 { "invalid_request_error" } else { "api_error" }, |(kind, _)| kind)
}

fn status(kind: &str) -> Option<u16> {
    KINDS.into_iter().find(|(known, _)| *known == kind).map(|(_, status)| status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_read_as_they_are_said() {
        for (kind, status) in KINDS {
            let refusal = Refusal { status, ..Refusal::invalid("x", None, "no \"way\"") };
            let body = error_body(&refusal);
            let read = read_error(&body);
            assert_eq!((read.status, read.message.as_str()), (status, "no \"way\""));
            assert_eq!(read.kind.as_deref(), Some(kind));
        }
        assert_eq!(read_error(b"<html>").status, 502);
    }
}
