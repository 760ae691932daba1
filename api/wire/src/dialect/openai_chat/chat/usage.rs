//! Usage, with the counts that only some providers give.

use super::super::read_usage;
use crate::json::{Fields, Out, Scanner};
use crate::usage::Usage;
use crate::wishes::served;

/// The counts of a usage object.
pub(super) fn counts(value: &str) -> Option<Usage> {
    read_usage(&mut Scanner::new(value.as_bytes())).ok()?
}

/// The counts of a body or chunk, wherever they stand; several are one, never a sum.
pub(super) fn everywhere(fields: &Fields<'_>) -> Option<Usage> {
    let nested =
        fields.get("x_groq").and_then(|value| counts(Fields::read(value).ok()?.get("usage")?));
    let own = fields.get("usage").and_then(counts);
    let used = match (own, nested) {
        (Some(one), Some(two)) => Some(one.max(two)),
        (one, two) => one.or(two),
    };
    served(used, fields)
}

/// Writes the `usage` member.
pub(super) fn write_usage(out: &mut Out, usage: &Usage) {
    out.member("usage", |out| {
        out.number("prompt_tokens", usage.input_tokens);
        out.number("completion_tokens", usage.output_tokens);
        out.number("total_tokens", usage.input_tokens.saturating_add(usage.output_tokens));
        out.member("prompt_tokens_details", |out| {
            out.number("cached_tokens", usage.cache_read_tokens);
            out.number("audio_tokens", usage.audio_input_tokens);
            if usage.cache_write_tokens > 0 {
                out.number("cache_write_tokens", usage.cache_write_tokens);
            }
        });
        out.member("completion_tokens_details", |out| {
            out.number("reasoning_tokens", usage.reasoning_tokens);
            out.number("audio_tokens", usage.audio_output_tokens);
        });
    });
}
