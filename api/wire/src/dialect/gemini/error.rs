//! Errors, said and read: Google's status.

use bytes::Bytes;

use crate::dialect::openai_chat;
use crate::json::{Fields, Out, items};
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;

/// Statuses and Google's names for them.
const NAMES: [(u16, &str); 12] = [
    (400, "INVALID_ARGUMENT"),
    (401, "UNAUTHENTICATED"),
    (402, "FAILED_PRECONDITION"),
    (403, "PERMISSION_DENIED"),
    (404, "NOT_FOUND"),
    (409, "ABORTED"),
    (429, "RESOURCE_EXHAUSTED"),
    (499, "CANCELLED"),
    (500, "INTERNAL"),
    (501, "UNIMPLEMENTED"),
    (503, "UNAVAILABLE"),
    (504, "DEADLINE_EXCEEDED"),
];

/// A refusal as a body.
#[must_use]
pub fn error_body(refusal: &Refusal) -> Bytes {
    Bytes::from(Out::object(|out| write_error(out, refusal)))
}

/// A refusal as an event of a stream that has begun.
#[must_use]
pub fn error_event(refusal: &Refusal) -> Bytes {
    Bytes::from([b"data: ", &error_body(refusal)[..], b"\r\n\r\n"].concat())
}

fn write_error(out: &mut Out, refusal: &Refusal) {
    out.member("error", |out| {
        out.number("code", u64::from(refusal.status));
        out.text("message", &refusal.say);
        out.text("status", name(refusal.status));
        out.list("details", |out| {
            out.item(|out| {
                out.text("@type", "type.googleapis.com/google.rpc.ErrorInfo");
                out.text("reason", refusal.code);
                out.text("domain", "bursar");
            });
            if let Some(seconds) = refusal.retry_after_s() {
                out.item(|out| {
                    out.text("@type", "type.googleapis.com/google.rpc.RetryInfo");
                    out.text("retryDelay", &format!("{seconds}s"));
                });
            }
        });
    });
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

/// Whether a body is `{"error":{"code":…,"message":…,"status":…}}`, or an array of it.
fn is_this_dialect(body: &[u8]) -> bool {
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    let first = items(text).and_then(|list| list.into_iter().next()).unwrap_or(text);
    let error = Fields::read(first).ok().and_then(|mut outer| outer.object("error"));
    error.is_some_and(|mut error| error.whole("code").is_some() && error.text("message").is_some())
}

/// Reads an error in any of the known shapes. The status is the one it names, else 502.
#[must_use]
pub fn read_error(body: &[u8]) -> ProviderError {
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    // A stream that is an array holds its error as the only element.
    let first = items(text).and_then(|list| list.into_iter().next()).unwrap_or(text);
    let mut error = openai_chat::read_error(if text.is_empty() { body } else { first.as_bytes() });
    let mut inner = Fields::read(first).ok().and_then(|mut outer| outer.object("error"));
    let code = inner.as_mut().and_then(|inner| inner.whole("code"));
    if let Some(code) = code.and_then(|code| u16::try_from(code).ok())
        && (400..600).contains(&code)
    {
        error.status = code;
    }
    error.code = inner.and_then(|mut inner| inner.text("status")).or(error.code);
    let mut error = error.judged();
    if error.retryable {
        error.retry_after_ms = crate::retry_after::from_body(first.as_bytes());
    }
    error
}

fn name(status: u16) -> &'static str {
    let known = NAMES.into_iter().find(|(known, _)| *known == status);
    known.map_or(if status < 500 { "INVALID_ARGUMENT" } else { "INTERNAL" }, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_read_as_they_are_said() {
        for (status, name) in NAMES {
            let refusal = Refusal { status, ..Refusal::invalid("x", None, "no \"way\"") };
            for body in
                [error_body(&refusal).to_vec(), [b"[", &error_body(&refusal)[..], b"]"].concat()]
            {
                let read = read_error(&body);
                assert_eq!((read.status, read.message.as_str()), (status, "no \"way\""));
                assert_eq!(read.code.as_deref(), Some(name));
            }
        }
        assert_eq!(read_error(b"<html>").status, 502);
    }
}
