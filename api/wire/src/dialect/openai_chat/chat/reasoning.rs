//! Thoughts, and how hard to think: every provider of this dialect has its own place for them.

use crate::chat::{Body, Effort, Part, Reasoning, Redacted, Thinking, Thinks};
use crate::json::{Fields, items, text};

/// How hard to think, wherever it is said. The fields stay where they are: only their own provider
/// knows which of them count.
pub(super) fn asked(fields: &Fields<'_>) -> Option<Reasoning> {
    let mut asked = Reasoning::default();
    if let Some(name) = fields.get("reasoning_effort").and_then(text) {
        asked.effort = Some(Effort::named(&name));
    }
    // OpenRouter.
    if let Some(mut inner) = fields.get("reasoning").and_then(|value| Fields::read(value).ok()) {
        asked.effort =
            asked.effort.or_else(|| inner.text("effort").map(|name| Effort::named(&name)));
        asked.budget_tokens = inner.whole("max_tokens");
        asked.thinks = inner.boolean("enabled").map(|on| if on { Thinks::Yes } else { Thinks::No });
    }
    // DeepSeek, Z.ai, Moonshot; proxies that hand Anthropic's field through.
    if let Some(mut inner) = fields.get("thinking").and_then(|value| Fields::read(value).ok()) {
        asked.budget_tokens = asked.budget_tokens.or_else(|| inner.whole("budget_tokens"));
        asked.thinks = match inner.text("type").as_deref() {
            Some("enabled") => Some(Thinks::Yes),
            Some("disabled") => Some(Thinks::No),
            Some("adaptive") => Some(Thinks::Adaptively),
            Some(_) | None => asked.thinks,
        };
    }
    (asked != Reasoning::default()).then_some(asked)
}

/// The thoughts beside a message's content. The fields stay where they are: they are said again as
/// they were, and nobody else's are made of them.
pub(super) fn thoughts(fields: &Fields<'_>) -> Vec<Part> {
    let details = fields.get("reasoning_details").and_then(items).unwrap_or_default();
    let parts: Vec<Part> = details.into_iter().filter_map(detail).collect();
    if !parts.is_empty() {
        return parts;
    }
    plain(fields).map(thought).into_iter().collect()
}

/// The thoughts as plain text, where they are not empty.
pub(super) fn plain(fields: &Fields<'_>) -> Option<String> {
    let places = ["reasoning_content", "reasoning"];
    let mut texts = places.iter().filter_map(|key| fields.get(key).and_then(text));
    texts.find(|text| !text.is_empty())
}

/// A part of thoughts that nobody signed.
pub(super) fn thought(text: String) -> Part {
    Part::new(Body::Thinking(Thinking { text, ..Thinking::default() }))
}

/// One of the typed thoughts that OpenRouter gives.
pub(super) fn detail(value: &str) -> Option<Part> {
    let mut fields = Fields::read(value).ok()?;
    let format = fields.text("format");
    let kind = fields.text("type")?;
    let mut part = match kind.as_str() {
        "reasoning.text" => {
            let text = fields.text("text").unwrap_or_default();
            Part::new(Body::Thinking(Thinking { text, format, ..Thinking::default() }))
        }
        "reasoning.summary" => {
            let text = fields.text("summary").unwrap_or_default();
            let (summary, inline) = (true, false);
            Part::new(Body::Thinking(Thinking { text, summary, inline, format }))
        }
        "reasoning.encrypted" => {
            Part::new(Body::Redacted(Redacted { data: fields.text("data")?, format }))
        }
        _ => return None,
    };
    part.signature = fields.text("signature");
    part.extra = fields.rest();
    Some(part)
}
