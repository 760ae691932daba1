//! Turns and their parts, written.

use crate::chat::{
    Body, CLAUDE, Citation, Document, Fit, Media, Part, Redacted, Role, Sealed, Source, Text,
    Thinking, ToolCall, ToolResult, is_public, seal,
};
use crate::json::Out;

/// How parts are said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Speech {
    /// Whether for the dialect they were read from.
    pub(super) own: bool,
    /// Whether in an answer, where thoughts are shown.
    pub(super) answer: bool,
}

impl Speech {
    /// Whether a part of a turn can be said.
    pub(super) fn fit(self, role: Role, part: &Part) -> Fit {
        if self.own {
            return if is_foreign(part) { hint("thinking") } else { Fit::Yes };
        }
        let no = |field: &str| Fit::No(format!("messages.content.{field}"));
        match &part.body {
            Body::Text(Text { text, .. }) if text.is_empty() => Fit::Empty,
            Body::Text(_) => Fit::Yes,
            Body::Refusal(_) => Fit::Emulated("messages.refusal"),
            // Thoughts are of use to the model that had them.
            Body::Thinking(_) => hint("thinking"),
            Body::Redacted(_) => hint("redacted_thinking"),
            Body::Image(Media { source: Source::Base64 { .. }, .. }) => Fit::Yes,
            Body::Image(Media { source: Source::Url(url), .. }) if is_public(url) => Fit::Yes,
            Body::Image(_) => no("image"),
            Body::Audio(_) => no("audio"),
            Body::Video(_) => no("video"),
            Body::Document(Document { source: Source::Text { .. }, .. }) => {
                Fit::Emulated("messages.content.document")
            }
            Body::Document(_) => no("document"),
            Body::ToolCall(ToolCall { provider_kind: Some(kind), .. }) => hint(kind),
            Body::ToolCall(ToolCall { custom: true, .. }) => {
                Fit::Emulated("messages.tool_calls.custom")
            }
            Body::ToolCall(_) => Fit::Yes,
            Body::ToolResult(ToolResult { is_error: Some(true), .. }) => {
                Fit::Emulated("messages.content.is_error")
            }
            Body::ToolResult(_) => Fit::Yes,
            Body::Opaque(opaque) if role == Role::Assistant => hint(&opaque.kind),
            Body::Opaque(opaque) => no(&opaque.kind),
        }
    }

    /// Whether a part of the model's stands in the content.
    pub(super) fn is_content(self, part: &Part) -> bool {
        match &part.body {
            Body::Text(Text { text, .. }) => self.own || !text.is_empty(),
            Body::Refusal(_) => true,
            Body::Thinking(thinking) if self.own => thinking.inline,
            Body::Thinking(_) | Body::Redacted(_) => self.answer,
            Body::Image(_) | Body::Document(_) => !self.answer || self.own,
            Body::Opaque(_) => self.own,
            Body::Audio(_) | Body::Video(_) | Body::ToolCall(_) | Body::ToolResult(_) => false,
        }
    }

    /// Writes what the model said: its content, its plan, its calls.
    pub(super) fn assistant<'p>(
        self,
        out: &mut Out,
        parts: impl Iterator<Item = &'p Part> + Clone,
        plain: bool,
    ) {
        let content: Vec<&Part> = parts.clone().filter(|part| self.is_content(part)).collect();
        // A caller's empty list stays what it is.
        if !content.is_empty() || (self.own && !self.answer && !plain) {
            self.content(out, &content, plain);
        }
        let plan = parts.clone().filter(|_| self.own).find_map(plan);
        if let Some(plan) = plan {
            out.text("tool_plan", plan);
        }
        let mut calls = parts.filter(|part| part.is_client_call()).peekable();
        if calls.peek().is_some() {
            out.list("tool_calls", |out| {
                calls.for_each(|part| out.item(|out| self.call(out, part, false)));
            });
        }
    }

    /// Writes a content: a text, or a list of parts.
    pub(super) fn content(self, out: &mut Out, parts: &[&Part], plain: bool) {
        match parts {
            [Part { body: Body::Text(text), .. }] if plain => out.text("content", &text.text),
            [] if plain => {}
            parts => out.list("content", |out| parts.iter().for_each(|part| self.part(out, part))),
        }
    }

    /// Writes one part of a content.
    pub(super) fn part(self, out: &mut Out, part: &Part) {
        if let Body::Opaque(opaque) = &part.body {
            return out.raw_item(opaque.raw.as_str());
        }
        out.item(|out| {
            self.members(out, part);
            if self.own && !matches!(part.body, Body::Document(_)) {
                out.extra(&part.extra);
            }
        });
    }

    fn members(self, out: &mut Out, part: &Part) {
        match &part.body {
            Body::Text(Text { text, .. }) | Body::Refusal(text) => {
                out.text("type", "text");
                out.text("text", text);
            }
            Body::Thinking(thinking) => {
                out.text("type", "thinking");
                out.text("thinking", &thinking.text);
                if let Some(carried) = carried(part).filter(|_| !self.own) {
                    out.text("signature", &carried);
                }
            }
            Body::Redacted(_) => {
                out.text("type", "thinking");
                out.text("thinking", "");
                out.text("signature", &carried(part).unwrap_or_default());
            }
            Body::Image(image) => {
                out.text("type", "image_url");
                out.member("image_url", |out| {
                    out.text("url", &address(&image.source));
                    if let Some(detail) = &image.detail {
                        out.text("detail", detail);
                    }
                    if self.own {
                        out.extra(&part.inner);
                    }
                });
            }
            Body::Document(document) => match part.extra.get("document").filter(|_| self.own) {
                Some(raw) => {
                    out.text("type", "document");
                    out.raw("document", raw);
                }
                None => {
                    out.text("type", "text");
                    let title = document.title.as_deref().unwrap_or("document");
                    let data = address(&document.source);
                    out.text("text", &format!("{title}:\n\n{data}"));
                }
            },
            // Written elsewhere, as a whole, or never: `fit` refuses what is foreign.
            Body::Audio(_)
            | Body::Video(_)
            | Body::ToolCall(_)
            | Body::ToolResult(_)
            | Body::Opaque(_) => {}
        }
    }

    /// Writes the members of a call; one that `begins` has no arguments yet.
    pub(super) fn call(self, out: &mut Out, part: &Part, begins: bool) {
        let Body::ToolCall(call) = &part.body else { return };
        if !call.id.is_empty() {
            out.text("id", &call.id);
        }
        out.text("type", "function");
        out.member("function", |out| {
            out.text("name", &call.name);
            out.text("arguments", &self.arguments(call, begins));
            if self.own {
                out.extra(&part.inner);
            }
        });
        if self.own {
            out.extra(&part.extra);
        }
    }

    /// Arguments as text; those that a model was cut off in stay what they are in answers.
    fn arguments(self, call: &ToolCall, begins: bool) -> String {
        if begins {
            return String::new();
        }
        let none = matches!(call.arguments.trim(), "" | "null");
        if self.own || (self.answer && !call.custom && !none) {
            return call.arguments.clone();
        }
        call.arguments_object().into_owned()
    }
}

/// The plan told before calls.
fn plan(part: &Part) -> Option<&str> {
    if let Body::Thinking(thinking) = &part.body
        && !thinking.inline
    {
        return Some(&thinking.text);
    }
    None
}

fn hint(field: &str) -> Fit {
    Fit::Hint(format!("messages.content.{field}"))
}

/// Whether a part holds what another maker thought, shown to the caller as if it were Cohere's.
fn is_foreign(part: &Part) -> bool {
    match &part.body {
        Body::Thinking(thinking) => thinking.format.is_some(),
        Body::Redacted(_) => true,
        Body::Text(_)
        | Body::Refusal(_)
        | Body::Image(_)
        | Body::Audio(_)
        | Body::Video(_)
        | Body::Document(_)
        | Body::ToolCall(_)
        | Body::ToolResult(_)
        | Body::Opaque(_) => false,
    }
}

/// A signature with its maker told, so that it comes back to that one.
pub(super) fn carried(part: &Part) -> Option<String> {
    if let Body::Redacted(Redacted { data, format }) = &part.body {
        return Some(seal(Sealed::Redacted, format.as_deref().unwrap_or(CLAUDE), data));
    }
    let signature = part.signature.as_deref().filter(|text| !text.is_empty())?;
    let Body::Thinking(Thinking { format, .. }) = &part.body else { return None };
    Some(seal(Sealed::Thought, format.as_deref().unwrap_or("unknown"), signature))
}

/// Writes the members of a foreign source, of all of a text.
pub(super) fn write_citation(out: &mut Out, from: &Citation, text: &str, index: u64) {
    let url = from.url.as_deref().unwrap_or_default();
    out.number("start", 0);
    out.number("end", text.chars().count() as u64);
    out.text("text", text);
    out.list("sources", |out| {
        out.item(|out| {
            out.text("type", "document");
            out.text("id", url);
            out.member("document", |out| {
                out.text("id", url);
                out.text("title", from.title.as_deref().unwrap_or_default());
                out.text("url", url);
                if let Some(quote) = &from.quote {
                    out.text("snippet", quote);
                }
            });
        });
    });
    out.number("content_index", index);
    out.text("type", "TEXT_CONTENT");
}

fn address(source: &Source) -> String {
    match source {
        Source::Url(url) => url.clone(),
        Source::Base64 { media_type, data } => format!("data:{media_type};base64,{data}"),
        Source::Text { data, .. } => data.clone(),
        Source::File(id) => id.clone(),
    }
}
