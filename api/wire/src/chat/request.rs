//! What is asked.

use super::part::{Cache, Part};
use super::raw::{Extra, Raw};
use super::tool::{Format, Tool, ToolChoice};

/// A request for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The dialect it was read from: [`Extra`] and opaque parts mean something in that one only.
    pub dialect: &'static str,
    /// The model as the caller wrote it.
    pub model: String,
    /// The conversation, system prompts included, in order.
    pub turns: Vec<Turn>,
    /// What the model may call.
    pub tools: Vec<Tool>,
    /// Which of them it must or must not.
    pub tool_choice: Option<ToolChoice>,
    /// Whether several may be called at once.
    pub parallel_tools: Option<bool>,
    /// The shape the answer must have.
    pub format: Option<Format>,
    /// How words are picked.
    pub sampling: Sampling,
    /// Most tokens of an answer.
    pub output_tokens_max: Option<u64>,
    /// Texts at which the answer ends.
    pub stop: Vec<String>,
    /// How many answers.
    pub answers: Option<u64>,
    /// How likely the words were.
    pub logprobs: Option<Logprobs>,
    /// How hard to think.
    pub reasoning: Option<Reasoning>,
    /// Whether the answer is to come as a stream.
    pub stream: Option<bool>,
    /// Who asks, as the caller names its own users.
    pub user: Option<String>,
    /// A prompt cache is to be written as far as it pays.
    pub cache: Option<Cache>,
    /// Members without a name here.
    pub extra: Extra,
    /// Members without a name here, beside the shape of the answer where the dialect wraps it.
    pub output_extra: Extra,
}

impl Request {
    /// Whether a prompt cache is to be written anywhere.
    #[must_use]
    pub fn is_cached(&self) -> bool {
        let marked = |turn: &Turn| {
            turn.cache.is_some() || turn.parts.iter().any(|part| part.cache.is_some())
        };
        self.cache.is_some()
            || self.tools.iter().any(|tool| tool.cache.is_some())
            || self.turns.iter().any(marked)
    }
}

/// Whose words a turn holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The one who runs the model, above all others.
    System,
    /// The one who builds upon it.
    Developer,
    /// The one who asks.
    User,
    /// The model.
    Assistant,
    /// A tool; in dialects that give results a turn of their own.
    Tool,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Whose.
    pub role: Role,
    /// Which of several with that role.
    pub name: Option<String>,
    /// Its pieces.
    pub parts: Vec<Part>,
    /// Whether the content was a bare text and no list.
    pub plain: bool,
    /// A prompt cache is to be written up to here.
    pub cache: Option<Cache>,
    /// Members without a name here.
    pub extra: Extra,
}

/// How words are picked. Numbers are kept as they were written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sampling {
    /// From 0; the scale ends at 1 or 2.
    pub temperature: Option<Raw>,
    /// Share of the likeliest words, 0 to 1.
    pub top_p: Option<Raw>,
    /// Number of the likeliest words.
    pub top_k: Option<Raw>,
    /// Against words used often, -2 to 2.
    pub frequency_penalty: Option<Raw>,
    /// Against words used at all, -2 to 2.
    pub presence_penalty: Option<Raw>,
    /// To get the same answer again, as far as it goes.
    pub seed: Option<Raw>,
}

/// How likely the words were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Logprobs {
    /// Whether to say it.
    pub on: Option<bool>,
    /// For how many words that could have stood in each place.
    pub top: Option<u64>,
}

/// How hard to think.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reasoning {
    /// Whether.
    pub thinks: Option<Thinks>,
    /// How hard.
    pub effort: Option<Effort>,
    /// For at most so many tokens.
    pub budget_tokens: Option<u64>,
    /// How the thoughts are to be shown, e.g. `summarized`.
    pub display: Option<String>,
}

/// Whether to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thinks {
    /// Yes.
    Yes,
    /// No.
    No,
    /// As the model sees fit.
    Adaptively,
}

/// How hard to think; in ascending order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effort {
    /// Not at all.
    None,
    /// As little as can be.
    Minimal,
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// More.
    XHigh,
    /// As much as can be.
    Max,
    /// A word that only some provider knows.
    Other(String),
}

impl Effort {
    const NAMES: [(&'static str, Self); 7] = [
        ("none", Self::None),
        ("minimal", Self::Minimal),
        ("low", Self::Low),
        ("medium", Self::Medium),
        ("high", Self::High),
        ("xhigh", Self::XHigh),
        ("max", Self::Max),
    ];

    /// The effort of that name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let known = Self::NAMES.into_iter().find(|(known, _)| *known == name);
        known.map_or_else(|| Self::Other(name.to_owned()), |(_, effort)| effort)
    }

    /// The name all dialects share.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
            Self::Max => "max",
            Self::Other(name) => name,
        }
    }

    /// A budget that stands for this effort where only a budget can be said, in tokens.
    #[must_use]
    pub const fn budget_tokens(&self) -> u64 {
        match self {
            Self::None => 0,
            Self::Minimal | Self::Low => 1024,
            Self::Medium | Self::Other(_) => 4096,
            Self::High => 16_384,
            Self::XHigh => 32_768,
            Self::Max => 65_536,
        }
    }

    /// The effort that stands for a budget where only an effort can be said.
    #[must_use]
    pub const fn of_budget(tokens: u64) -> Self {
        match tokens {
            0 => Self::None,
            1..=2048 => Self::Low,
            2049..=8192 => Self::Medium,
            _ => Self::High,
        }
    }
}
