//! Errors, said and read.

use bytes::Bytes;

use crate::dialect::openai_chat;
use crate::json::{Fields, Out};
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;

/// A refusal as a body.
#[must_use]
pub fn error_body(refusal: &Refusal) -> Bytes {
    Bytes::from(Out::object(|out| {
        out.text("id", "");
        out.text("message", &refusal.say);
    }))
}

/// A refusal as the last event of a stream that has begun.
#[must_use]
pub fn error_event(refusal: &Refusal) -> Bytes {
    let data = Out::object(|out| {
        out.text("type", "message-end");
        out.member("delta", |out| {
            out.text("finish_reason", "ERROR");
            out.text("error", &refusal.say);
        });
    });
    Bytes::from([b"event: message-end\ndata: ", &data[..], b"\n\n"].concat())
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

/// Whether a body is `{"message":…}` and no other dialect's.
fn is_this_dialect(body: &[u8]) -> bool {
    let fields = std::str::from_utf8(body).ok().and_then(|text| Fields::read(text).ok());
    fields.is_some_and(|mut fields| {
        fields.get("error").is_none()
            && fields.get("type").is_none()
            && fields.text("message").is_some()
    })
}

/// Reads an error in any of the known shapes.
#[must_use]
pub fn read_error(body: &[u8]) -> ProviderError {
    openai_chat::read_error(body)
}
