//! What a provider says when it does not answer.

use crate::dialect::openai_chat;
use crate::refusal::{Fault, Refusal, Retry};
use crate::retry_after;

/// A provider's refusal or failure, read from any of the shapes they have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("provider answered {status}")]
pub struct ProviderError {
    /// HTTP status; for an error inside an answer the one it names, else 502.
    pub status: u16,
    /// The provider's own words, at most 4 KiB. May quote the request: not for logs.
    pub message: String,
    /// `error.type`, where given.
    pub kind: Option<String>,
    /// `error.code` as text, where given.
    pub code: Option<String>,
    /// The request field at fault, where given.
    pub param: Option<String>,
    /// When to come back, in milliseconds from the answer, where the provider says so.
    pub retry_after_ms: Option<u64>,
    /// Whether the same request to the same provider may succeed later.
    pub retryable: bool,
}

/// Longest message kept of a provider's error.
const MESSAGE_BYTES_MAX: usize = 4096;

impl ProviderError {
    /// A failure under `status` with the provider's words; `retryable` as the status suggests.
    #[must_use]
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        let mut message = message.into();
        message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
        let (kind, code, param, retry_after_ms) = (None, None, None, None);
        Self {
            status,
            message,
            kind,
            code,
            param,
            retry_after_ms,
            retryable: status_is_retryable(status),
        }
    }

    /// Reads an answer under an error status: any shape of body, text, HTML or nothing.
    ///
    /// `header` looks a response header up, in lower case; `now_ms` is milliseconds since 1970.
    #[must_use]
    pub fn read(
        status: u16,
        header: &dyn Fn(&str) -> Option<String>,
        body: &[u8],
        now_ms: u64,
    ) -> Self {
        let mut error = openai_chat::read_error(body);
        error.status = status;
        let mut error = error.judged();
        if error.retryable {
            let wait = retry_after::from_headers(header, now_ms);
            error.retry_after_ms = wait.or_else(|| retry_after::from_body(body));
        }
        error
    }

    /// An answer that cannot be read: 502, worth another attempt.
    #[must_use]
    pub fn unreadable(message: impl Into<String>) -> Self {
        Self::new(502, message)
    }

    /// Whether the provider refused the gateway's credential or account, which is never the caller's
    /// fault. xAI and Google refuse a key under 400; 402 is an unpaid account.
    #[must_use]
    pub fn is_credential_refused(&self) -> bool {
        match self.status {
            401 | 402 => true,
            // A 403 for the content of the request is the caller's to hear.
            403 => !self.names_any(&["content", "moderation", "safety", "flagged", "guidelines"]),
            400 => self.names_any(&["incorrect api key", "api key not valid", "invalid api key"]),
            _ => false,
        }
    }

    /// Whether it may have been only the token, or the temporary keys, that were refused: newer ones may be
    /// taken.
    #[must_use]
    pub fn is_token_refused(&self) -> bool {
        let names = ["expired", "unrecognizedclient", "security token included in the request"];
        self.status == 401 || self.status == 403 && self.names_any(&names)
    }

    /// Whether another provider, or another credential, may answer what this one did not: everything
    /// but a request that is wrong in itself.
    #[must_use]
    pub fn is_worth_another_target(&self) -> bool {
        self.is_credential_refused() || !matches!(self.status, 400 | 403 | 413 | 414 | 415 | 422)
    }

    /// Decides `retryable` once all fields are read: not every 429 is worth a retry, and not every 4xx
    /// is final.
    #[must_use]
    pub(crate) fn judged(mut self) -> Self {
        let final_429 =
            ["insufficient_quota", "current quota", "too large", "insufficient balance", "credits"];
        self.retryable = match self.status {
            429 => !self.names_any(&final_429),
            status => status_is_retryable(status),
        };
        self
    }

    fn names_any(&self, words: &[&str]) -> bool {
        let texts = [Some(&self.message), self.code.as_ref(), self.kind.as_ref()];
        let texts: Vec<String> =
            texts.into_iter().flatten().map(|text| text.to_ascii_lowercase()).collect();
        words.iter().any(|word| texts.iter().any(|text| text.contains(word)))
    }

    /// The refusal the caller hears: the provider's status and words, unless it was the gateway's
    /// credential or account that was refused.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        if self.is_credential_refused() {
            let note =
                format!("provider answered {} to the gateway's credential or account", self.status);
            let say = "the provider refused the gateway's credential; the operator must renew it";
            return Refusal::provider(502, "provider_credential_refused", say).with_note(note);
        }
        let status = if (400..600).contains(&self.status) { self.status } else { 502 };
        let (kind, code) = openai_kind(status);
        let fault = if status < 500 && status != 429 && status != 408 {
            Fault::Caller
        } else {
            Fault::Provider
        };
        let retry = match (self.retryable, self.retry_after_ms) {
            (false, _) => Retry::Never,
            (true, Some(ms)) => Retry::AfterMs(ms),
            (true, None) => Retry::Soon,
        };
        let say = if self.message.is_empty() {
            format!("the provider answered {status}")
        } else {
            self.message.clone()
        };
        Refusal {
            fault,
            status,
            kind,
            code,
            param: self.param.as_deref().map(Box::from),
            retry,
            say,
            note: None,
        }
    }
}

/// `type` and `code` for a status whose body named none.
const fn openai_kind(status: u16) -> (&'static str, &'static str) {
    match status {
        401 => ("authentication_error", "provider_error"),
        403 => ("permission_error", "provider_error"),
        429 => ("rate_limit_error", "provider_rate_limited"),
        400..=407 | 409..=499 => ("invalid_request_error", "provider_error"),
        _ => ("server_error", "provider_error"),
    }
}

const fn status_is_retryable(status: u16) -> bool {
    matches!(status, 408 | 409 | 425 | 429 | 500..=599) && status != 501
}
