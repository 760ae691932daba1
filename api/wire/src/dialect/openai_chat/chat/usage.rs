//! Usage, with the counts that only some providers give.

use super::super::read_usage;
use crate::chat::Counts;
use crate::json::{Fields, Out, Scanner};

/// The counts of a usage object.
pub(super) fn counts(value: &str) -> Option<Counts> {
    let usage = read_usage(&mut Scanner::new(value.as_bytes())).ok()??;
    let mut fields = Fields::read(value).ok()?;
    let mut inner = |object: &str, key: &str| {
        fields.object(object).and_then(|mut inner| inner.whole(key)).unwrap_or(0)
    };
    let audio_input_tokens = inner("prompt_tokens_details", "audio_tokens");
    let audio_output_tokens = inner("completion_tokens_details", "audio_tokens");
    let web_searches = inner("server_tool_use", "web_search_requests");
    Some(Counts {
        usage,
        audio_input_tokens: audio_input_tokens.min(usage.input_tokens),
        audio_output_tokens: audio_output_tokens.min(usage.output_tokens),
        web_searches,
        ..Counts::default()
    })
}

/// The counts of a body or chunk, wherever they stand; several are one, never a sum.
pub(super) fn everywhere(fields: &Fields<'_>) -> Option<Counts> {
    let nested =
        fields.get("x_groq").and_then(|value| counts(Fields::read(value).ok()?.get("usage")?));
    let own = fields.get("usage").and_then(counts);
    match (own, nested) {
        (Some(one), Some(two)) => Some(one.max(two)),
        (one, two) => one.or(two),
    }
}

/// Writes the `usage` member.
pub(super) fn write_usage(out: &mut Out, counts: &Counts) {
    let usage = counts.usage;
    out.member("usage", |out| {
        out.number("prompt_tokens", usage.input_tokens);
        out.number("completion_tokens", usage.output_tokens);
        out.number("total_tokens", usage.input_tokens.saturating_add(usage.output_tokens));
        out.member("prompt_tokens_details", |out| {
            out.number("cached_tokens", usage.cache_read_tokens);
            out.number("audio_tokens", counts.audio_input_tokens);
            if usage.cache_write_tokens > 0 {
                out.number("cache_write_tokens", usage.cache_write_tokens);
            }
        });
        out.member("completion_tokens_details", |out| {
            out.number("reasoning_tokens", usage.reasoning_tokens);
            out.number("audio_tokens", counts.audio_output_tokens);
        });
    });
}
