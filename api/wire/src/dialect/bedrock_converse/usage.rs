//! Usage: tokens of the input come in three counts that do not overlap.

use crate::json::{Fields, Out};
use crate::usage::Usage;

/// What a usage object says; `None` if it counts nothing.
pub(super) fn counts(mut usage: Fields<'_>) -> Option<Usage> {
    let (input, output) = (usage.whole("inputTokens"), usage.whole("outputTokens"));
    if input.is_none() && output.is_none() {
        return None;
    }
    let mut most = |keys: [&str; 2]| {
        keys.into_iter().filter_map(|key| usage.whole(key)).max().unwrap_or_default()
    };
    // Each stands twice, under an older and a newer name.
    let read = most(["cacheReadInputTokens", "cacheReadInputTokenCount"]);
    let write = most(["cacheWriteInputTokens", "cacheWriteInputTokenCount"]);
    let details = usage.list("cacheDetails").unwrap_or_default();
    let hour = |item: &str| {
        let mut kept = Fields::read(item).ok()?;
        kept.tag("ttl", "1h").then(|| kept.whole("inputTokens"))?
    };
    let hours: u64 = details.into_iter().filter_map(hour).fold(0, u64::saturating_add);
    let output = output.unwrap_or_default();
    Some(Usage {
        input_tokens: input.unwrap_or_default().saturating_add(read).saturating_add(write),
        cache_read_tokens: read,
        cache_write_tokens: write,
        cache_write_1h_tokens: hours.min(write),
        output_tokens: output,
        ..Usage::default()
    })
}

/// Writes the `usage` and `metrics` members, without which AWS' own clients take no answer.
pub(super) fn write_usage(out: &mut Out, counts: &Usage) {
    let Usage { input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, .. } = *counts;
    let cached = cache_read_tokens.saturating_add(cache_write_tokens);
    out.member("usage", |out| {
        out.number("inputTokens", input_tokens.saturating_sub(cached));
        out.number("outputTokens", output_tokens);
        out.number("totalTokens", input_tokens.saturating_add(output_tokens));
        out.number("cacheReadInputTokens", cache_read_tokens);
        out.number("cacheWriteInputTokens", cache_write_tokens);
        write_details(out, counts);
    });
    // Nobody measured it.
    out.member("metrics", |out| out.number("latencyMs", 0));
}

fn write_details(out: &mut Out, counts: &Usage) {
    let write = counts.cache_write_tokens;
    let hour = counts.cache_write_1h_tokens.min(write);
    let kept = [("1h", hour), ("5m", write - hour)];
    if write == 0 {
        return;
    }
    out.list("cacheDetails", |out| {
        for (ttl, tokens) in kept.into_iter().filter(|(_, tokens)| *tokens > 0) {
            out.item(|out| {
                out.number("inputTokens", tokens);
                out.text("ttl", ttl);
            });
        }
    });
}
