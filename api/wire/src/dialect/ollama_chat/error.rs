//! Errors, said: a bare text.

use bytes::Bytes;

use crate::json::{Fields, Out};
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;

/// A refusal as a body.
#[must_use]
pub fn error_body(refusal: &Refusal) -> Bytes {
    Bytes::from(Out::object(|out| out.text("error", &refusal.say)))
}

/// A refusal as an object of a stream that has begun. The clients raise it as an error.
#[must_use]
pub fn error_event(refusal: &Refusal) -> Bytes {
    Bytes::from([&error_body(refusal)[..], b"\n"].concat())
}

/// Status and body for the caller out of a provider's error answer.
///
/// A body that already is this dialect's goes on byte for byte; others are said anew with the
/// provider's words; a refused credential is not shown at all.
#[must_use]
pub fn provider_answer(error: &ProviderError, body: &Bytes) -> (u16, Bytes) {
    let refusal = error.refusal();
    let fields = std::str::from_utf8(body).ok().and_then(|text| Fields::read(text).ok());
    let is_own = fields.is_some_and(|mut fields| fields.text("error").is_some());
    if is_own && !error.is_credential_refused() {
        return (refusal.status, body.clone());
    }
    (refusal.status, error_body(&refusal))
}
