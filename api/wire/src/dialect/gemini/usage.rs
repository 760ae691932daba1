//! Usage: thoughts and what tools of the provider read come in counts of their own.

use crate::json::{Fields, Out};
use crate::usage::{Service, Usage};

/// Counts as written, gathered field by field: those of a stream are cumulative, and any may be missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    prompt: u64,
    cached: u64,
    tool_prompt: u64,
    candidates: u64,
    thoughts: u64,
    total: u64,
    audio_input: u64,
    audio_cached: u64,
    image_input: u64,
    audio_output: u64,
    image_output: u64,
    web_searches: u64,
    service: Option<Service>,
    any: bool,
}

impl Tally {
    /// Takes the counts of a `usageMetadata`, its members in camel case.
    pub(super) fn add(&mut self, mut usage: Fields<'_>) {
        let mut most = |known: &mut u64, key: &str| {
            if let Some(count) = usage.whole(key) {
                *known = count.max(*known);
                self.any = true;
            }
        };
        most(&mut self.prompt, "promptTokenCount");
        most(&mut self.cached, "cachedContentTokenCount");
        most(&mut self.tool_prompt, "toolUsePromptTokenCount");
        most(&mut self.candidates, "candidatesTokenCount");
        // Live and Vertex' newer answers call them so.
        most(&mut self.candidates, "responseTokenCount");
        most(&mut self.thoughts, "thoughtsTokenCount");
        most(&mut self.total, "totalTokenCount");
        let spoken = modality(&usage, "promptTokensDetails", "AUDIO");
        self.audio_input = self.audio_input.max(spoken);
        let cached = modality(&usage, "cacheTokensDetails", "AUDIO");
        self.audio_cached = self.audio_cached.max(cached);
        let seen = modality(&usage, "promptTokensDetails", "IMAGE");
        self.image_input = self.image_input.max(seen);
        let spoken = modality(&usage, "candidatesTokensDetails", "AUDIO");
        self.audio_output = self.audio_output.max(spoken);
        let shown = modality(&usage, "candidatesTokensDetails", "IMAGE");
        self.image_output = self.image_output.max(shown);
        // Vertex names the traffic, the other face of Gemini the class of service.
        let word = usage.text("trafficType").or_else(|| usage.text("serviceTier"));
        self.service = word.and_then(|word| Service::named(&word)).or(self.service);
    }

    /// Takes note of searches of the web.
    pub(super) fn searched(&mut self, searches: u64) {
        self.web_searches = self.web_searches.max(searches);
    }

    /// What the counts mean; `None` if there were none.
    pub(super) fn counts(&self) -> Option<Usage> {
        let input = self.prompt.saturating_add(self.tool_prompt);
        let output = self.candidates.saturating_add(self.thoughts);
        // What the total holds beyond the rest was generated: it is billed by it.
        let untold = self.total.saturating_sub(input.saturating_add(output));
        self.any.then_some(Usage {
            input_tokens: input,
            cache_read_tokens: self.cached.min(input),
            output_tokens: output.saturating_add(untold),
            reasoning_tokens: self.thoughts,
            audio_input_tokens: self.audio_input.min(input),
            audio_cache_read_tokens: self.audio_cached.min(self.audio_input).min(input),
            image_input_tokens: self.image_input.min(input),
            audio_output_tokens: self.audio_output.min(output),
            image_output_tokens: self.image_output.min(output),
            web_searches: self.web_searches,
            service: self.service,
            ..Usage::default()
        })
    }
}

/// Tokens of one kind of content.
fn modality(usage: &Fields<'_>, key: &str, wanted: &str) -> u64 {
    let details = usage.get(key).and_then(crate::json::items).unwrap_or_default();
    let of_kind = details.into_iter().filter_map(|value| {
        let mut detail = Fields::read(value).ok()?.camel();
        let kind = detail.text("modality");
        // Clients that speak in numbers get the place in Google's enumeration.
        let numbered = match detail.whole("modality") {
            Some(2) => Some("IMAGE".to_owned()),
            Some(4) => Some("AUDIO".to_owned()),
            Some(_) | None => None,
        };
        detail.whole("tokenCount").filter(|_| kind.or(numbered).as_deref() == Some(wanted))
    });
    of_kind.max().unwrap_or(0)
}

/// Writes the `usageMetadata` member.
pub(super) fn write_usage(out: &mut Out, usage: &Usage) {
    out.member("usageMetadata", |out| {
        out.number("promptTokenCount", usage.input_tokens);
        if usage.cache_read_tokens > 0 {
            out.number("cachedContentTokenCount", usage.cache_read_tokens);
        }
        let thoughts = usage.reasoning_tokens.min(usage.output_tokens);
        let spoken = usage.audio_output_tokens;
        out.number("candidatesTokenCount", usage.output_tokens - thoughts);
        if thoughts > 0 {
            out.number("thoughtsTokenCount", thoughts);
        }
        out.number("totalTokenCount", usage.input_tokens.saturating_add(usage.output_tokens));
        if usage.audio_input_tokens > 0 {
            write_details(out, "promptTokensDetails", usage.audio_input_tokens);
        }
        if spoken > 0 {
            write_details(out, "candidatesTokensDetails", spoken);
        }
    });
}

fn write_details(out: &mut Out, key: &str, spoken: u64) {
    out.list(key, |out| {
        out.item(|out| {
            out.text("modality", "AUDIO");
            out.number("tokenCount", spoken);
        });
    });
}
