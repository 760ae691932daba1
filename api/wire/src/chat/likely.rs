//! How likely the words of an answer were.

use super::raw::Raw;
use crate::json::{Fields, Out, items};

/// Tokens that were chosen, and how likely they were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Likely {
    /// As the dialect wrote it, where it is a value of its own; said again in the same dialect only.
    pub raw: Option<Raw>,
    /// The tokens, in order.
    pub tokens: Vec<Token>,
}

/// A token, and how likely it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its text; a token may be a part of a letter.
    pub text: String,
    /// The natural logarithm of its probability, as it was written.
    pub logprob: Raw,
    /// Its bytes as an array of numbers, where they were given.
    pub bytes: Option<Raw>,
    /// Tokens that could have stood in its place.
    pub others: Vec<Token>,
}

impl Token {
    /// A token and nothing beside it.
    pub(crate) const fn new(text: String, logprob: Raw) -> Self {
        Self { text, logprob, bytes: None, others: Vec::new() }
    }

    fn read(value: &str) -> Option<Self> {
        let mut fields = Fields::read(value).ok()?;
        let text = fields.text("token")?;
        let bytes = fields.raw("bytes");
        let others = fields.list("top_logprobs").unwrap_or_default();
        let others = others.into_iter().filter_map(Self::read).collect();
        Some(Self { text, logprob: fields.number("logprob")?, bytes, others })
    }

    fn write(&self, out: &mut Out, top: bool) {
        out.text("token", &self.text);
        out.raw("logprob", self.logprob.as_str());
        match &self.bytes {
            Some(bytes) => out.raw("bytes", bytes.as_str()),
            None => out.list("bytes", |out| {
                self.text.bytes().for_each(|byte| out.raw_item(&byte.to_string()));
            }),
        }
        if top {
            out.list("top_logprobs", |out| write_items(out, &self.others, false));
        }
    }
}

/// The tokens of a list in the form that OpenAI's two formats and Ollama's share.
pub(crate) fn read_tokens(list: &str) -> Vec<Token> {
    items(list).unwrap_or_default().into_iter().filter_map(Token::read).collect()
}

/// Writes tokens as the items of a list in that form; `top` with what could have stood in their places.
fn write_items(out: &mut Out, tokens: &[Token], top: bool) {
    tokens.iter().for_each(|token| out.item(|out| token.write(out, top)));
}

/// Writes tokens as a member in that form.
pub(crate) fn write_tokens(out: &mut Out, key: &str, tokens: &[Token]) {
    out.list(key, |out| write_items(out, tokens, true));
}

/// Every token of a choice, in order.
pub(crate) fn tokens(likely: &[Likely]) -> Vec<Token> {
    likely.iter().flat_map(|likely| likely.tokens.iter().cloned()).collect()
}
