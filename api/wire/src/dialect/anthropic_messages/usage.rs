//! Usage: tokens of the input come in three counts that do not overlap.

use crate::json::{Fields, Out};
use crate::usage::{Service, Usage};

/// Counts as written, gathered field by field: those of a stream are cumulative, and later ones may be
/// missing or zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    input: u64,
    cache_read: u64,
    cache_write: u64,
    cache_write_1h: u64,
    output: u64,
    thinking: u64,
    web_searches: u64,
    service: Option<Service>,
    any: bool,
}

impl Tally {
    /// Takes the counts of a usage object.
    pub(super) fn add(&mut self, usage: Fields<'_>) {
        let mut usage = usage;
        let mut most = |known: &mut u64, key: &str| {
            if let Some(count) = usage.whole(key) {
                *known = count.max(*known);
                self.any = true;
            }
        };
        most(&mut self.input, "input_tokens");
        most(&mut self.output, "output_tokens");
        most(&mut self.cache_read, "cache_read_input_tokens");
        most(&mut self.cache_write, "cache_creation_input_tokens");
        let service = usage.text("service_tier").and_then(|word| Service::named(&word));
        let mut inner = |object: &str, key: &str| {
            usage.object(object).and_then(|mut inner| inner.whole(key)).unwrap_or(0)
        };
        let thinking = inner("output_tokens_details", "thinking_tokens");
        let searches = inner("server_tool_use", "web_search_requests");
        let mut kept = usage.object("cache_creation").unwrap_or_default();
        let hour = kept.whole("ephemeral_1h_input_tokens").unwrap_or(0);
        let minutes = kept.whole("ephemeral_5m_input_tokens").unwrap_or(0);
        self.service = service.or(self.service);
        self.thinking = self.thinking.max(thinking);
        self.web_searches = self.web_searches.max(searches);
        self.cache_write_1h = self.cache_write_1h.max(hour);
        self.cache_write = self.cache_write.max(hour.saturating_add(minutes));
    }

    /// What the counts mean; `None` if there were none.
    pub(super) fn counts(&self) -> Option<Usage> {
        let input = self.input.saturating_add(self.cache_read).saturating_add(self.cache_write);
        self.any.then_some(Usage {
            input_tokens: input,
            cache_read_tokens: self.cache_read,
            cache_write_tokens: self.cache_write,
            cache_write_1h_tokens: self.cache_write_1h.min(self.cache_write),
            output_tokens: self.output,
            reasoning_tokens: self.thinking.min(self.output),
            web_searches: self.web_searches,
            service: self.service,
            ..Usage::default()
        })
    }
}

/// The word for a class of service, where Anthropic's own clients know one.
fn word(service: Service) -> Option<&'static str> {
    match service {
        Service::Standard => Some("standard"),
        Service::Batch => Some("batch"),
        Service::Priority => Some("priority"),
        Service::Flex | Service::Other => None,
    }
}

/// Writes the `usage` member.
pub(super) fn write_usage(out: &mut Out, counts: &Usage) {
    let Usage { input_tokens, cache_read_tokens, cache_write_tokens, .. } = *counts;
    let cached = cache_read_tokens.saturating_add(cache_write_tokens);
    let hour = counts.cache_write_1h_tokens.min(cache_write_tokens);
    out.member("usage", |out| {
        out.number("input_tokens", input_tokens.saturating_sub(cached));
        out.number("cache_creation_input_tokens", cache_write_tokens);
        out.number("cache_read_input_tokens", cache_read_tokens);
        out.member("cache_creation", |out| {
            out.number("ephemeral_5m_input_tokens", cache_write_tokens - hour);
            out.number("ephemeral_1h_input_tokens", hour);
        });
        out.number("output_tokens", counts.output_tokens);
        if counts.reasoning_tokens > 0 {
            out.member("output_tokens_details", |out| {
                out.number("thinking_tokens", counts.reasoning_tokens);
            });
        }
        if let Some(word) = counts.service.and_then(word) {
            out.text("service_tier", word);
        }
        if counts.web_searches > 0 {
            out.member("server_tool_use", |out| {
                out.number("web_search_requests", counts.web_searches);
            });
        }
    });
}
