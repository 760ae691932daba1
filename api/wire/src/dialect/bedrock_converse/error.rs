//! Errors, said and read. The kind of an HTTP error stands in a header; AWS' clients take it from the
//! body as well.

use bytes::Bytes;

use crate::dialect::openai_chat;
use crate::frame::aws_event_stream;
use crate::json::Out;
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;

/// The header that names the kind of an error.
const HEADER: &str = "x-amzn-errortype";

/// Kinds, by which the service knows them, and their status.
const KINDS: [(&str, u16); 13] = [
    ("ValidationException", 400),
    ("ServiceQuotaExceededException", 400),
    ("AccessDeniedException", 403),
    ("UnrecognizedClientException", 403),
    ("ExpiredTokenException", 403),
    ("ResourceNotFoundException", 404),
    ("ModelTimeoutException", 408),
    ("ThrottlingException", 429),
    ("ModelNotReadyException", 429),
    ("InternalServerException", 500),
    // Sent under 424, which says that the caller's request depended on another.
    ("ModelErrorException", 502),
    ("ModelStreamErrorException", 502),
    ("ServiceUnavailableException", 503),
];

/// A refusal as a body.
#[must_use]
pub fn error_body(refusal: &Refusal) -> Bytes {
    body(kind(refusal.status), &refusal.say)
}

fn body(kind: &str, say: &str) -> Bytes {
    Bytes::from(Out::object(|out| {
        out.text("__type", kind);
        out.text("message", say);
    }))
}

/// Status and body for the caller out of a provider's error answer: its words, and its kind where that is
/// one of this dialect; a refused credential is not shown at all.
#[must_use]
pub fn provider_answer(error: &ProviderError, _body: &Bytes) -> (u16, Bytes) {
    let refusal = error.refusal();
    let own = error.kind.as_deref().filter(|kind| kind.ends_with("Exception"));
    let own = own.filter(|_| !error.is_credential_refused());
    (refusal.status, body(own.unwrap_or_else(|| kind(refusal.status)), &refusal.say))
}

/// A refusal as an exception inside a stream that has begun. The SDKs raise it as an error.
#[must_use]
pub fn error_event(refusal: &Refusal) -> Bytes {
    let name = match refusal.status {
        429 => "throttlingException",
        503 => "serviceUnavailableException",
        502 | 504 => "modelStreamErrorException",
        400..=499 => "validationException",
        _ => "internalServerException",
    };
    let body = Out::object(|out| out.text("message", &refusal.say));
    let mut frame = Vec::new();
    aws_event_stream::exception(&mut frame, name, &body);
    Bytes::from(frame)
}

/// The kind of an error with that status, as the header of an answer names it.
#[must_use]
pub fn kind(status: u16) -> &'static str {
    match status {
        401 => "UnrecognizedClientException",
        402 => "AccessDeniedException",
        504 => "ModelTimeoutException",
        status => {
            let known = KINDS.into_iter().find(|(_, known)| *known == status);
            let other =
                if status < 500 { "ValidationException" } else { "InternalServerException" };
            known.map_or(other, |(kind, _)| kind)
        }
    }
}

/// Reads an error in any of the known shapes, without the header that names its kind: 502.
#[must_use]
pub fn read_error(body: &[u8]) -> ProviderError {
    openai_chat::read_error(body)
}

/// Reads an exception of a stream.
pub(crate) fn read_exception(name: &str, data: &str) -> ProviderError {
    let mut error = read_error(data.as_bytes());
    error.status = status(name).unwrap_or(error.status);
    if !name.is_empty() {
        error.kind = Some(name.to_owned());
    }
    error.judged()
}

/// Reads an answer under an error status. `header` looks a response header up, in lower case; `now_ms` is
/// milliseconds since 1970.
#[must_use]
pub fn read_refusal(
    status: u16,
    header: &dyn Fn(&str) -> Option<String>,
    body: &[u8],
    now_ms: u64,
) -> ProviderError {
    // 424: the model failed, which is not the caller's fault.
    let status = if status == 424 { 502 } else { status };
    let mut error = ProviderError::read(status, header, body, now_ms);
    // The name may have an address behind it.
    let kind = header(HEADER).and_then(|value| Some(value.split(':').next()?.trim().to_owned()));
    error.kind = kind.filter(|kind| !kind.is_empty()).or(error.kind);
    error
}

fn status(name: &str) -> Option<u16> {
    let known = KINDS.into_iter().find(|(kind, _)| kind.eq_ignore_ascii_case(name));
    known.map(|(_, status)| status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Found, Framing, Name, Splitter};

    #[test]
    fn errors_are_read_as_they_are_said() {
        for (kind, status) in KINDS {
            let refusal = Refusal { status, ..Refusal::invalid("x", None, "no \"way\"") };
            let given = |name: &str| (name == HEADER).then(|| format!("{kind}:http://x/"));
            let read = read_refusal(status, &given, &error_body(&refusal), 0);
            assert_eq!((read.status, read.message.as_str()), (status, "no \"way\""));
            assert_eq!(read.kind.as_deref(), Some(kind));
            let frame = error_event(&refusal);
            let mut splitter = Splitter::new(Framing::AwsEventStream);
            let found = splitter.next(&frame, &mut 0).unwrap();
            let Some(Found::Event { name: Name::Error, event, data, .. }) = found else {
                panic!("{found:?}")
            };
            let read = read_exception(event, std::str::from_utf8(data).unwrap());
            assert_eq!(read.message, "no \"way\"");
            assert_eq!(read.status / 100, status / 100, "{kind}");
        }
    }
}
