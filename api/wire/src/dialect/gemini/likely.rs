//! How likely the words of an answer were, read and written.

use crate::chat::{Likely, Raw, Token};
use crate::json::{Fields, Out, items};

/// Reads a `logprobsResult`.
pub(super) fn read(value: &str) -> Option<Likely> {
    let mut fields = Fields::read(value).ok()?.camel();
    let chosen = fields.list("chosenCandidates").unwrap_or_default();
    let tops = fields.list("topCandidates").unwrap_or_default();
    let others = |at: usize| -> Vec<Token> {
        let top = tops.get(at).and_then(|top| Fields::read(top).ok());
        let listed = top.and_then(|top| top.get("candidates").and_then(items));
        listed.unwrap_or_default().into_iter().filter_map(token).collect()
    };
    let tokens = chosen
        .into_iter()
        .enumerate()
        .filter_map(|(at, candidate)| Some(Token { others: others(at), ..token(candidate)? }));
    Some(Likely { tokens: tokens.collect(), raw: Some(Raw::new(value)) })
}

fn token(value: &str) -> Option<Token> {
    let mut fields = Fields::read(value).ok()?.camel();
    let text = fields.text("token")?;
    // What is certain is left out, as zeros are here.
    let logprob = fields.number("logProbability").unwrap_or_else(|| Raw::new("0"));
    Some(Token::new(text, logprob))
}

/// Writes the tokens of a candidate, and how likely they were on average.
pub(super) fn write(out: &mut Out, tokens: &[Token]) {
    if tokens.is_empty() {
        return;
    }
    let sum: f64 =
        tokens.iter().filter_map(|token| token.logprob.as_str().parse::<f64>().ok()).sum();
    #[expect(clippy::cast_precision_loss, reason = "answers have far fewer tokens than 2^52")]
    let average = sum / tokens.len() as f64;
    if average.is_finite() {
        out.raw("avgLogprobs", &average.to_string());
    }
    out.member("logprobsResult", |out| {
        out.list("topCandidates", |out| {
            for token in tokens {
                out.item(|out| {
                    out.list("candidates", |out| {
                        token.others.iter().for_each(|other| write_token(out, other))
                    })
                });
            }
        });
        out.list("chosenCandidates", |out| tokens.iter().for_each(|token| write_token(out, token)));
    });
}

fn write_token(out: &mut Out, token: &Token) {
    out.item(|out| {
        out.text("token", &token.text);
        out.raw("logProbability", token.logprob.as_str());
    });
}
