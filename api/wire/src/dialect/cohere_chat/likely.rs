//! How likely the words of an answer were, read and written: pieces of text, each with the tokens it is
//! made of.

use crate::chat::{Likely, Raw, Token};
use crate::json::{Fields, Out, items};

/// Reads the list of an answer, or the single piece of a stream's event.
pub(super) fn read(value: &str) -> Option<Likely> {
    let pieces = items(value).unwrap_or_else(|| vec![value]);
    let tokens = pieces.into_iter().filter_map(piece).collect();
    Some(Likely { raw: Some(Raw::new(value)), tokens })
}

/// A piece of text. Nothing says which of its letters are which token's, so that it counts as one: as
/// likely as all of its tokens together.
fn piece(value: &str) -> Option<Token> {
    let mut fields = Fields::read(value).ok()?;
    let text = fields.text("text")?;
    let listed = fields.list("logprobs")?;
    let logprob = match &listed[..] {
        [one] => Raw::new(one),
        several => {
            let sum: f64 = several.iter().filter_map(|one| one.parse::<f64>().ok()).sum();
            Raw::new(&sum.is_finite().then(|| sum.to_string())?)
        }
    };
    Some(Token::new(text, logprob))
}

/// Writes the members of a piece made of tokens whose numbers nobody knows.
pub(super) fn write(out: &mut Out, tokens: &[Token]) {
    let text: String = tokens.iter().map(|token| token.text.as_str()).collect();
    out.list("token_ids", |_| {});
    out.text("text", &text);
    out.list("logprobs", |out| {
        tokens.iter().for_each(|token| out.raw_item(token.logprob.as_str()))
    });
}
