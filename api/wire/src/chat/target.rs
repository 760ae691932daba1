//! Whom a request is written for.

use super::loss::{Dropped, Leniency, Losses};
use crate::refusal::Refusal;
use crate::splice::OutputField;

/// Whom a request is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    /// The provider's name of the model.
    pub model: &'a str,
    /// The output limit to set where the caller gave none and the dialect demands one, in tokens.
    pub output_tokens_default: u64,
    /// The field the provider reads an output limit from, in dialects with two.
    pub output_field: OutputField,
    /// Whether a stream is to be asked for its usage, in dialects where it may have to be.
    pub ask_usage: bool,
    /// Whether the model takes a word on how hard to think.
    pub reasons: bool,
    /// What to do about parts that cannot be said and change the answer.
    pub leniency: Leniency,
}

/// A request, written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The body.
    pub body: Vec<u8>,
    /// What did not go on as it was.
    pub dropped: Vec<Dropped>,
}

/// Whether a part can be said in a dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It can.
    Yes,
    /// It says nothing and is left out without a word.
    Empty,
    /// It comes close by other means; the field.
    Emulated(&'static str),
    /// It is left out and changes nothing of substance; the field.
    Hint(String),
    /// It changes the answer and cannot be said; the field.
    No(String),
}

impl Fit {
    /// Whether the part is written at all.
    pub(crate) const fn is_said(&self) -> bool {
        matches!(self, Self::Yes | Self::Emulated(_))
    }

    /// Reports what is lost; says whether the part is written.
    pub(crate) fn settle(self, losses: &mut Losses, target: &str) -> Result<bool, Refusal> {
        let said = self.is_said();
        match self {
            Self::Yes | Self::Empty => {}
            Self::Emulated(field) => losses.emulated(field),
            Self::Hint(field) => losses.hint(&field),
            Self::No(field) => losses.meaning(&field, target)?,
        }
        Ok(said)
    }
}

/// The address of a source if it is one that anybody can fetch.
pub(crate) fn is_public(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}
