//! What a stream says, one thing at a time.

use super::answer::Finish;
use super::likely::Likely;
use super::part::{Citation, Part};
use crate::provider_error::ProviderError;
use crate::usage::Usage;

/// One thing that a stream says.
///
/// In every stream, `Start` comes first, a part's `Begin` before its `Delta`s and these before its `End`,
/// each once; `Finish` once for each choice, behind its parts; `Whole` or `Failed` last. Parts of one
/// choice may be open side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An answer begins.
    Start {
        /// The dialect it is read from.
        dialect: &'static str,
        /// The provider's id of it; empty where it gave none.
        id: String,
        /// The model that answers; empty where the provider did not say.
        model: String,
        /// When, in seconds since 1970.
        created_s: Option<u64>,
    },
    /// A part begins, with what is known of it.
    Begin {
        /// Which answer.
        choice: u32,
        /// Which part of it, from 0.
        part: u32,
        /// The part, mostly still empty.
        body: Box<Part>,
    },
    /// A part goes on.
    Delta {
        /// Which answer.
        choice: u32,
        /// Which part of it.
        part: u32,
        /// What is to be appended.
        delta: Delta,
    },
    /// A part has ended.
    End {
        /// Which answer.
        choice: u32,
        /// Which part of it.
        part: u32,
    },
    /// How likely the next words of an answer are.
    Logprobs {
        /// Which answer.
        choice: u32,
        /// Their tokens.
        likely: Likely,
    },
    /// An answer has ended.
    Finish {
        /// Which answer.
        choice: u32,
        /// Why; `None` where the provider did not say.
        finish: Option<Finish>,
        /// The text it ended at.
        stop_sequence: Option<String>,
    },
    /// What was used so far: the largest counts said, never a sum.
    Usage(Usage),
    /// A sign of life.
    Ping,
    /// The provider failed; nothing comes after.
    Failed(Box<ProviderError>),
    /// The stream has come whole; nothing comes after.
    Whole,
}

/// What is appended to a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta {
    /// Words: text, refusal or thinking, whichever the part is.
    Text(String),
    /// A piece of the arguments of a call.
    Arguments(String),
    /// A piece of the part's signature.
    Signature(String),
    /// A source of the text.
    Citation(Citation),
    /// A piece of sound, in base64.
    Audio(String),
}
