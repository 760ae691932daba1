//! What a caller hears instead of an answer.

/// Who has to change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request is wrong, or not allowed.
    Caller,
    /// The gateway cannot answer.
    Us,
    /// The provider failed or refused.
    Provider,
}

/// Whether the same request may succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// No retry can cure it.
    Never,
    /// It may; nobody knows when.
    Soon,
    /// It may, after this many milliseconds.
    AfterMs(u64),
    /// It may, after this many milliseconds, which nobody should sit out: a budget's reset.
    NotBeforeMs(u64),
}

/// A refusal, independent of the dialect it will be said in.
///
/// `say` is for the caller, `note` for the log; neither holds a secret, a prompt or an answer of ours. A
/// provider's words in `say` may quote the request, so `say` is never logged and not part of `Display`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{status} {code}")]
pub struct Refusal {
    /// Who has to change something.
    pub fault: Fault,
    /// HTTP status, 400 to 599.
    pub status: u16,
    /// `error.type` in the OpenAI dialect, e.g. `invalid_request_error`.
    pub kind: &'static str,
    /// `error.code` in the OpenAI dialect, e.g. `budget_exceeded`.
    pub code: &'static str,
    /// The request field at fault, e.g. `messages`.
    pub param: Option<Box<str>>,
    /// Whether a retry may help.
    pub retry: Retry,
    /// What the caller reads.
    pub say: String,
    /// What the log keeps beside it.
    pub note: Option<Box<str>>,
}

impl Refusal {
    /// A request that is wrong in itself: 400, and no retry cures it.
    #[must_use]
    pub fn invalid(code: &'static str, param: Option<&str>, say: impl Into<String>) -> Self {
        Self {
            fault: Fault::Caller,
            status: 400,
            kind: "invalid_request_error",
            code,
            param: param.map(Box::from),
            retry: Retry::Never,
            say: say.into(),
            note: None,
        }
    }

    /// A failure on the provider's side that the caller hears as a server error.
    #[must_use]
    pub fn provider(status: u16, code: &'static str, say: impl Into<String>) -> Self {
        Self {
            fault: Fault::Provider,
            status,
            kind: "server_error",
            code,
            param: None,
            retry: Retry::Soon,
            say: say.into(),
            note: None,
        }
    }

    /// The same refusal with a line for the log.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<Box<str>>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// `retry-after` in whole seconds, rounded up, where a time is known.
    #[must_use]
    pub const fn retry_after_s(&self) -> Option<u64> {
        match self.retry {
            Retry::AfterMs(ms) | Retry::NotBeforeMs(ms) => Some(ms.div_ceil(1000)),
            Retry::Soon | Retry::Never => None,
        }
    }
}
