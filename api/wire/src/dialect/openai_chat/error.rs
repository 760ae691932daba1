//! Errors: reading them in any provider's shape, and saying them in OpenAI's.

use bytes::Bytes;

use crate::json::{Kind, Malformed, Scanner, quote, unescape};
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;

/// A refusal as a body: all four fields, null where there is nothing to say.
#[must_use]
pub fn error_body(refusal: &Refusal) -> Bytes {
    let Refusal { kind, code, param, say, .. } = refusal;
    render(say, Some(kind), param.as_deref(), Some(code))
}

/// A refusal as an event of a stream that has begun. The SDKs raise it as an error.
#[must_use]
pub fn error_event(refusal: &Refusal) -> Bytes {
    let body = error_body(refusal);
    Bytes::from([b"data: ", &body[..], b"\n\n"].concat())
}

/// Status and body for the caller out of a provider's error answer.
///
/// A body that already is this dialect's goes on byte for byte; others are said anew with the
/// provider's words; a refused credential is not shown at all.
#[must_use]
pub fn provider_answer(error: &ProviderError, body: &Bytes) -> (u16, Bytes) {
    let refusal = error.refusal();
    if error.is_credential_refused() {
        return (refusal.status, error_body(&refusal));
    }
    if is_this_dialect(body) {
        return (refusal.status, body.clone());
    }
    let kind = error.kind.as_deref().unwrap_or(refusal.kind);
    let code = error.code.as_deref();
    (refusal.status, render(&refusal.say, Some(kind), error.param.as_deref(), code))
}

fn render(message: &str, kind: Option<&str>, param: Option<&str>, code: Option<&str>) -> Bytes {
    let text = |value: Option<&str>| value.map_or_else(|| "null".to_owned(), quote);
    let (message, kind, param, code) = (quote(message), text(kind), text(param), text(code));
    Bytes::from(format!(
        r#"{{"error":{{"message":{message},"type":{kind},"param":{param},"code":{code}}}}}"#
    ))
}

/// Whether a body is `{"error": {"message": text, …}, …}`.
fn is_this_dialect(body: &[u8]) -> bool {
    let mut fits = false;
    let mut scanner = Scanner::new(body);
    let read = scanner.object::<Malformed>(|scanner, member| {
        if &*member.key != b"error" || scanner.kind()? != Kind::Object {
            return scanner.value().map(drop);
        }
        scanner.object(|scanner, inner| {
            fits |= &*inner.key == b"message" && scanner.kind()? == Kind::String;
            scanner.value().map(drop)
        })?;
        Ok(())
    });
    fits && read.is_ok() && scanner.end().is_ok()
}

/// Reads an error in any of the known shapes: an object, an object under `error` or `detail`, a text, a
/// list, no JSON at all. `status` is 502 unless the error names one.
pub(crate) fn read_error(text: &[u8]) -> ProviderError {
    let mut parts = Parts::default();
    let mut scanner = Scanner::new(text);
    let read = scanner.kind().and_then(|kind| parts.value(&mut scanner, kind));
    let message = match (read, parts.message, parts.raw) {
        (Ok(()), Some(message), Some(raw)) => format!("{message}: {raw}"),
        (Ok(()), Some(message), None) => message,
        // A page is for people with browsers.
        _ if text.trim_ascii_start().starts_with(b"<") => String::new(),
        // Nobody's shape: its own text, shortened, is the best that can be said.
        _ => plain(text),
    };
    let status = parts.status.filter(|status| (400..600).contains(status)).unwrap_or(502);
    let mut error = ProviderError::new(status, message);
    (error.kind, error.code, error.param) = (parts.kind, parts.code, parts.param);
    error.judged()
}

#[derive(Default)]
struct Parts {
    message: Option<String>,
    raw: Option<String>,
    kind: Option<String>,
    code: Option<String>,
    param: Option<String>,
    status: Option<u16>,
}

impl Parts {
    fn value(&mut self, scanner: &mut Scanner<'_>, kind: Kind) -> Result<(), Malformed> {
        match kind {
            Kind::Object => {
                scanner.object(|scanner, member| self.member(scanner, &member.key)).map(drop)
            }
            Kind::String => {
                let span = scanner.value()?;
                self.message = unescape(scanner.slice(&span));
                Ok(())
            }
            Kind::Array | Kind::Number | Kind::True | Kind::False | Kind::Null => {
                scanner.value().map(drop)
            }
        }
    }

    fn member(&mut self, scanner: &mut Scanner<'_>, key: &[u8]) -> Result<(), Malformed> {
        let kind = scanner.kind()?;
        match key {
            b"error" | b"detail" if kind == Kind::Object => return self.value(scanner, kind),
            // What the provider behind OpenRouter said.
            b"metadata" if kind == Kind::Object => return self.metadata(scanner),
            _ => {}
        }
        let span = scanner.value()?;
        let slice = scanner.slice(&span);
        let text = || if kind == Kind::String { unescape(slice) } else { None };
        match key {
            b"message" => self.message = text().or(self.message.take()),
            b"error" | b"detail" | b"msg" => {
                let said = text().or_else(|| (kind == Kind::Array).then(|| plain(slice)));
                self.message = self.message.take().or(said);
            }
            b"type" => self.kind = text().or(self.kind.take()),
            b"param" => self.param = text().or(self.param.take()),
            b"code" => {
                self.code = text().or_else(|| (kind == Kind::Number).then(|| plain(slice)));
                self.status = self.status.or_else(|| status(slice));
            }
            b"status_code" | b"raw_status_code" | b"status" => {
                self.status = status(slice).or(self.status)
            }
            _ => {}
        }
        Ok(())
    }

    fn metadata(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Malformed> {
        scanner.object(|scanner, member| {
            let is_raw = &*member.key == b"raw" && scanner.kind()? == Kind::String;
            let span = scanner.value()?;
            if is_raw {
                self.raw = unescape(scanner.slice(&span));
            }
            Ok::<(), Malformed>(())
        })?;
        Ok(())
    }
}

/// An HTTP error status, as a number or in quotes.
fn status(text: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(text).ok()?.trim_matches('"');
    text.parse().ok().filter(|status| (400..600).contains(status))
}

fn plain(text: &[u8]) -> String {
    String::from_utf8_lossy(&text[..text.len().min(1000)]).trim().to_owned()
}
