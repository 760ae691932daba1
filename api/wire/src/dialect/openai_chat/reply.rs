//! A plain answer: what it used, and whether it is an answer at all.

use super::{media, read_error, read_service, read_usage, served};
use crate::call::Operation;
use crate::json::{Kind, Malformed, Scanner};
use crate::provider_error::ProviderError;
use crate::relay::Reply;
use crate::usage::{Service, Usage};

/// Reads a body that came with a success status. The body goes on to the caller as it is.
///
/// A body with an `error` and no answer beside it, or that is no JSON object, is the provider's failure.
#[must_use]
pub fn reply(operation: Operation, body: &[u8]) -> Reply {
    if media::covers(operation) {
        return media::reply(operation, body);
    }
    match Body::read(body) {
        Ok(parts) => parts.meaning(operation),
        Err(Malformed { at, .. }) => {
            let say =
                format!("the provider's answer is not a JSON object (byte {at} of {})", body.len());
            Reply { fault: Some(ProviderError::unreadable(say)), ..Reply::default() }
        }
    }
}

/// The members of an answer that matter here.
#[derive(Default)]
pub(super) struct Body {
    usage: Option<Usage>,
    service: Option<Service>,
    error: Option<ProviderError>,
    /// `choices` or `data` with anything in it.
    answers: bool,
    choices_bytes: usize,
}

impl Body {
    pub(super) fn read(text: &[u8]) -> Result<Self, Malformed> {
        let mut body = Self::default();
        let mut scanner = Scanner::new(text);
        scanner.object(|scanner, member| body.member(scanner, &member.key))?;
        scanner.end()?;
        Ok(body)
    }

    fn member(&mut self, scanner: &mut Scanner<'_>, key: &[u8]) -> Result<(), Malformed> {
        match key {
            b"usage" => self.usage = read_usage(scanner)?.or(self.usage),
            b"x_groq" => {
                let nested = nested_usage(scanner)?;
                self.usage = self.usage.or(nested);
            }
            b"service_tier" => self.service = read_service(scanner)?.or(self.service),
            b"error" if scanner.kind()? != Kind::Null => {
                let span = scanner.value()?;
                self.error = Some(read_error(scanner.slice(&span)));
            }
            b"choices" => {
                let span = scanner.value()?;
                self.choices_bytes = span.len();
                self.answers |= span.len() > "[]".len();
            }
            b"data" | b"embeddings" | b"embedding" | b"predictions" => {
                self.answers |= scanner.value()?.len() > "[]".len();
            }
            _ => {
                scanner.value()?;
            }
        }
        Ok(())
    }

    pub(super) fn meaning(self, operation: Operation) -> Reply {
        let fault = if self.answers { None } else { self.error };
        let output_bytes = if operation.generates() { self.choices_bytes as u64 } else { 0 };
        Reply { usage: served(self.usage, self.service), fault, output_bytes }
    }
}

/// The `usage` member of the object that comes next.
pub(super) fn nested_usage(scanner: &mut Scanner<'_>) -> Result<Option<Usage>, Malformed> {
    let mut usage = None;
    if scanner.kind()? != Kind::Object {
        scanner.value()?;
        return Ok(None);
    }
    scanner.object(|scanner, member| {
        if &*member.key == b"usage" {
            usage = read_usage(scanner)?;
            return Ok(());
        }
        scanner.value().map(drop)
    })?;
    Ok(usage)
}
