//! Content blocks, written.

use crate::chat::{
    Body, Cache, Document, Fit, Media, Part, Role, Source, Text, ToolCall, ToolResult, is_claude,
    is_public,
};
use crate::json::Out;

/// How blocks are written: whether for the dialect they were read from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blocks {
    pub(super) own: bool,
}

impl Blocks {
    /// Whether a part of a turn can be said.
    pub(super) fn fit(self, role: Role, part: &Part) -> Fit {
        if self.own {
            return own_fit(part);
        }
        let no = |field: &str| Fit::No(format!("messages.content.{field}"));
        match &part.body {
            // Empty texts are refused.
            Body::Text(text) if text.text.is_empty() => Fit::Empty,
            Body::Text(text) if !text.citations.is_empty() => {
                Fit::Emulated("messages.content.citations")
            }
            Body::Text(_) => Fit::Yes,
            Body::Refusal(_) => Fit::Emulated("messages.refusal"),
            Body::Thinking(thinking) => {
                let known = part.signature.is_some() && is_claude(thinking.format.as_deref());
                if known { Fit::Yes } else { Fit::Hint("messages.reasoning_content".to_owned()) }
            }
            Body::Redacted(redacted) if is_claude(redacted.format.as_deref()) => Fit::Yes,
            Body::Redacted(_) => Fit::Hint("messages.reasoning_details".to_owned()),
            Body::Image(Media { source: Source::Base64 { .. }, .. }) => Fit::Yes,
            Body::Image(Media { source: Source::Url(url), .. }) if is_public(url) => Fit::Yes,
            Body::Image(_) => no("image_url"),
            Body::Audio(_) => no("input_audio"),
            Body::Video(_) => no("video_url"),
            Body::Document(document) if is_readable(&document.source) => Fit::Yes,
            Body::Document(_) => no("file"),
            Body::ToolCall(ToolCall { provider_kind: Some(kind), .. }) => {
                Fit::Hint(format!("messages.{kind}"))
            }
            Body::ToolCall(ToolCall { custom: true, .. }) => {
                Fit::Emulated("messages.tool_calls.custom")
            }
            Body::ToolCall(_) | Body::ToolResult(_) => Fit::Yes,
            Body::Opaque(opaque) if role == Role::Assistant => {
                Fit::Hint(format!("messages.content.{}", opaque.kind))
            }
            Body::Opaque(opaque) => no(&opaque.kind),
        }
    }

    /// Writes a block; `cache` is the marker that it bears.
    pub(super) fn write(self, out: &mut Out, part: &Part, cache: Option<&Cache>) {
        if let Body::Opaque(opaque) = &part.body {
            return out.raw_item(opaque.raw.as_str());
        }
        out.item(|out| {
            self.members(out, part);
            if let Some(cache) = cache {
                write_cache(out, cache);
            }
            if self.own {
                out.extra(&part.extra);
            }
        });
    }

    /// A block as JSON text.
    pub(super) fn to_text(self, part: &Part) -> String {
        let mut out = Out::default();
        self.write(&mut out, part, part.cache.as_ref());
        out.into_text()
    }

    fn members(self, out: &mut Out, part: &Part) {
        let signature = part.signature.as_deref();
        match &part.body {
            Body::Text(text) => self.text(out, text),
            Body::Refusal(text) => {
                out.text("type", "text");
                out.text("text", text);
            }
            Body::Thinking(thinking) => {
                out.text("type", "thinking");
                out.text("thinking", &thinking.text);
                if let Some(signature) = signature {
                    out.text("signature", signature);
                }
            }
            Body::Redacted(redacted) => {
                out.text("type", "redacted_thinking");
                out.text("data", &redacted.data);
            }
            Body::Image(image) => {
                out.text("type", "image");
                write_source(out, &image.source);
            }
            Body::Document(document) => write_document(out, document),
            Body::ToolCall(call) => self.tool_call(out, call),
            Body::ToolResult(result) => self.tool_result(out, result),
            // Never said: `fit` refuses the first two, and the last is written as a whole.
            Body::Audio(_) | Body::Video(_) | Body::Opaque(_) => {}
        }
    }

    fn text(self, out: &mut Out, text: &Text) {
        out.text("type", "text");
        out.text("text", &text.text);
        if self.own && !text.citations.is_empty() {
            out.list("citations", |out| {
                for citation in &text.citations {
                    out.raw_item(citation.raw.as_str());
                }
            });
        }
    }

    fn tool_call(self, out: &mut Out, call: &ToolCall) {
        out.text("type", call.provider_kind.as_deref().unwrap_or("tool_use"));
        out.text("id", &self.id(&call.id));
        out.text("name", &call.name);
        let input = call.arguments_object();
        out.raw("input", if self.own { &call.arguments } else { &input });
    }

    fn tool_result(self, out: &mut Out, result: &ToolResult) {
        out.text("type", "tool_result");
        out.text("tool_use_id", &self.id(&result.id));
        let said = || result.content.iter().filter(|part| self.fit(Role::Tool, part).is_said());
        match &result.content[..] {
            [Part { body: Body::Text(text), .. }] if result.plain => {
                out.text("content", &text.text)
            }
            [] if result.plain => {}
            _ => out.list("content", |out| {
                said().for_each(|part| self.write(out, part, part.cache.as_ref()));
            }),
        }
        if let Some(is_error) = result.is_error {
            out.boolean("is_error", is_error);
        }
    }

    /// Ids are of letters, digits, `_` and `-` here; whatever else another provider uses is replaced, in
    /// calls and results alike.
    fn id(self, id: &str) -> String {
        if self.own {
            return id.to_owned();
        }
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
        id.chars().map(|letter| if allowed(letter) { letter } else { '_' }).collect()
    }
}

/// Another maker's thoughts, which the caller was shown as if they were Claude's, mean nothing to Claude.
fn own_fit(part: &Part) -> Fit {
    let format = match &part.body {
        Body::Thinking(thinking) => thinking.format.as_deref(),
        Body::Redacted(redacted) => redacted.format.as_deref(),
        Body::Text(_)
        | Body::Refusal(_)
        | Body::Image(_)
        | Body::Audio(_)
        | Body::Video(_)
        | Body::Document(_)
        | Body::ToolCall(_)
        | Body::ToolResult(_)
        | Body::Opaque(_) => return Fit::Yes,
    };
    if is_claude(format) { Fit::Yes } else { Fit::Hint("messages.content.thinking".to_owned()) }
}

/// Writes a cache marker.
pub(super) fn write_cache(out: &mut Out, cache: &Cache) {
    out.member("cache_control", |out| {
        out.text("type", "ephemeral");
        if let Some(ttl) = &cache.ttl {
            out.text("ttl", ttl);
        }
    });
}

fn is_readable(source: &Source) -> bool {
    match source {
        Source::Url(url) => is_public(url),
        Source::Base64 { media_type, .. } => media_type == "application/pdf",
        Source::Text { .. } => true,
        Source::File(_) => false,
    }
}

fn write_document(out: &mut Out, document: &Document) {
    out.text("type", "document");
    write_source(out, &document.source);
    if let Some(title) = &document.title {
        out.text("title", title);
    }
    if let Some(context) = &document.context {
        out.text("context", context);
    }
    if let Some(enabled) = document.citations {
        out.member("citations", |out| out.boolean("enabled", enabled));
    }
}

fn write_source(out: &mut Out, source: &Source) {
    out.member("source", |out| match source {
        Source::Url(url) => {
            out.text("type", "url");
            out.text("url", url);
        }
        Source::Base64 { media_type, data } => inline(out, "base64", media_type, data),
        Source::Text { media_type, data } => inline(out, "text", media_type, data),
        Source::File(id) => {
            out.text("type", "file");
            out.text("file_id", id);
        }
    });
}

fn inline(out: &mut Out, kind: &str, media_type: &str, data: &str) {
    out.text("type", kind);
    out.text("media_type", media_type);
    out.text("data", data);
}
