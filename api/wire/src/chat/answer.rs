//! What is answered.

use super::likely::Likely;
use super::part::Part;
use super::raw::Extra;
use crate::usage::Usage;

/// An answer that has come whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The dialect it was read from.
    pub dialect: &'static str,
    /// The provider's id of it; empty where it gave none.
    pub id: String,
    /// The model that answered, as the provider names it; empty where it did not.
    pub model: String,
    /// When, in seconds since 1970; `None` where the dialect does not say.
    pub created_s: Option<u64>,
    /// The answers, as many as were asked for.
    pub choices: Vec<Choice>,
    /// What it used.
    pub counts: Option<Usage>,
}

/// One of the answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// Which.
    pub index: u32,
    /// Its pieces.
    pub parts: Vec<Part>,
    /// Why it ended; `None` where the provider did not say.
    pub finish: Option<Finish>,
    /// The text it ended at.
    pub stop_sequence: Option<String>,
    /// How likely the words were.
    pub logprobs: Vec<Likely>,
    /// Members without a name here.
    pub extra: Extra,
}

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finish {
    /// It was said.
    Stop,
    /// One of the texts to stop at came.
    StopSequence,
    /// The limit of tokens was reached.
    Length,
    /// The limit of the context was reached.
    ContextLength,
    /// Tools are to be run.
    ToolCalls,
    /// The model declined.
    Refusal,
    /// A filter stopped it.
    ContentFilter,
    /// The provider paused; the same conversation is to be sent again.
    Pause,
    /// Another word of the provider.
    Other(String),
}

impl Finish {
    /// The reason that holds: providers say `stop` also where tools are to be run, or nothing at all.
    #[must_use]
    pub fn settled(given: Option<Self>, calls_tools: bool) -> Self {
        match given {
            None | Some(Self::Stop | Self::Other(_)) if calls_tools => Self::ToolCalls,
            // A reason without a call would make callers wait for one.
            Some(Self::ToolCalls) if !calls_tools => Self::Stop,
            None => Self::Stop,
            Some(finish) => finish,
        }
    }
}
