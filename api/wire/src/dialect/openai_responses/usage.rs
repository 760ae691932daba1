//! Usage: tokens as OpenAI counts them, and the searches that stand among the items.

use crate::chat::{Body, Part};
use crate::dialect::openai_chat::read_usage;
use crate::json::{Fields, Out, Scanner};
use crate::usage::Usage;

/// The counts of an answer: of its usage object, and of what it holds.
pub(super) fn counts(value: &str, parts: &[Part]) -> Option<Usage> {
    let usage = read_usage(&mut Scanner::new(value.as_bytes())).ok()??;
    let details = Fields::read(value).ok()?.object("server_side_tool_usage_details");
    let mut details = details.unwrap_or_default();
    // xAI counts them itself.
    let told = ["web_search_calls", "x_search_calls"].map(|key| details.whole(key).unwrap_or(0));
    let found = parts.iter().filter(|part| is_search(part)).count() as u64;
    let web_searches = found.max(told[0].saturating_add(told[1]));
    Some(Usage { web_searches: web_searches.max(usage.web_searches), ..usage })
}

/// Whether an item is a search that is paid for; opening a page that was found is not.
pub(super) fn is_search(part: &Part) -> bool {
    let Body::Opaque(opaque) = &part.body else { return false };
    if opaque.kind != "web_search_call" {
        return false;
    }
    let action = Fields::read(opaque.raw.as_str()).ok().and_then(|mut item| item.object("action"));
    let kind = action.and_then(|mut action| action.text("type"));
    kind.is_none_or(|kind| kind == "search")
}

/// Writes the `usage` member.
pub(super) fn write_usage(out: &mut Out, usage: &Usage) {
    out.member("usage", |out| {
        out.number("input_tokens", usage.input_tokens);
        out.member("input_tokens_details", |out| {
            out.number("cached_tokens", usage.cache_read_tokens);
            if usage.cache_write_tokens > 0 {
                out.number("cache_write_tokens", usage.cache_write_tokens);
            }
        });
        out.number("output_tokens", usage.output_tokens);
        out.member("output_tokens_details", |out| {
            out.number("reasoning_tokens", usage.reasoning_tokens);
        });
        out.number("total_tokens", usage.input_tokens.saturating_add(usage.output_tokens));
    });
}
