//! The fields of a request that a gateway acts on, and no spelling of them but the exact one.

use crate::field_value::alike;
use crate::refusal::Refusal;

/// The fields a gateway acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Model,
    Messages,
    Prompt,
    Input,
    Stream,
    StreamOptions,
    MaxTokens,
    MaxCompletionTokens,
    N,
    BestOf,
    Fallbacks,
    Tools,
    Functions,
    ResponseFormat,
}

impl Field {
    const ALL: [Self; 14] = [
        Self::Model,
        Self::Messages,
        Self::Prompt,
        Self::Input,
        Self::Stream,
        Self::StreamOptions,
        Self::MaxTokens,
        Self::MaxCompletionTokens,
        Self::N,
        Self::BestOf,
        Self::Fallbacks,
        Self::Tools,
        Self::Functions,
        Self::ResponseFormat,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Messages => "messages",
            Self::Prompt => "prompt",
            Self::Input => "input",
            Self::Stream => "stream",
            Self::StreamOptions => "stream_options",
            Self::MaxTokens => "max_tokens",
            Self::MaxCompletionTokens => "max_completion_tokens",
            Self::N => "n",
            Self::BestOf => "best_of",
            Self::Fallbacks => "fallbacks",
            Self::Tools => "tools",
            Self::Functions => "functions",
            Self::ResponseFormat => "response_format",
        }
    }

    /// The field a key names; a 400 for a key that only some parsers would take for it.
    pub(super) fn named(key: &[u8]) -> Result<Option<Self>, Refusal> {
        if key.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'_') {
            return Ok(Self::ALL.into_iter().find(|field| field.name().as_bytes() == key));
        }
        match Self::ALL.into_iter().find(|field| alike(key, field.name())) {
            None => Ok(None),
            Some(field) => {
                let key = String::from_utf8_lossy(key);
                let say = format!("unknown field '{key}': write '{}' in lower case", field.name());
                Err(Refusal::invalid("unknown_field", Some(&key), say))
            }
        }
    }
}
