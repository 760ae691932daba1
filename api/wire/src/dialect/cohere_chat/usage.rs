//! Usage, counted twice: the tokens that are billed, and all that the model saw, which is many times as
//! much where tools and documents are given. What is billed is what counts.

use crate::json::{Fields, Out};
use crate::usage::Usage;

/// The counts of a usage object.
pub(super) fn counts(value: &str) -> Option<Usage> {
    let mut fields = Fields::read(value).ok()?;
    let mut seen = fields.object("tokens").unwrap_or_default();
    let mut billed = fields.object("billed_units").unwrap_or_default();
    let reasoning = seen.whole("reasoning_tokens").unwrap_or(0);
    let input = billed.whole("input_tokens").or_else(|| seen.whole("input_tokens"));
    let output = billed.whole("output_tokens").or_else(|| seen.whole("output_tokens"));
    let output_tokens = output.or_else(|| input.map(|_| 0))?;
    // Cached tokens are told of all the model saw, and cost what is billed.
    Some(Usage {
        input_tokens: input.unwrap_or(0),
        output_tokens,
        reasoning_tokens: reasoning.min(output_tokens),
        ..Usage::default()
    })
}

/// Writes the `usage` member.
pub(super) fn write_usage(out: &mut Out, usage: &Usage) {
    let tokens = |out: &mut Out| {
        out.number("input_tokens", usage.input_tokens);
        out.number("output_tokens", usage.output_tokens);
    };
    out.member("usage", |out| {
        out.member("billed_units", tokens);
        out.member("tokens", |out| {
            tokens(out);
            if usage.reasoning_tokens > 0 {
                out.number("reasoning_tokens", usage.reasoning_tokens);
            }
        });
        out.number("cached_tokens", usage.cache_read_tokens);
    });
}
