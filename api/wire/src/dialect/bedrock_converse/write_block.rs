//! Content blocks, written.

use std::cell::RefCell;

use super::media::{DOCUMENTS, IMAGES, SOUNDS, VIDEOS, encoded, format};
use super::think::Maker;
use crate::chat::{
    Body, CLAUDE, Cache, Citation, Document, Fit, Media, Part, Role, Source, Text, ToolCall,
    ToolResult,
};
use crate::json::Out;

/// Longest id of a call that is taken, in letters.
const ID_LETTERS_MAX: usize = 64;

/// How blocks are written.
#[derive(Debug)]
pub(super) struct Blocks {
    /// Whether for the dialect they were read from.
    pub(super) own: bool,
    /// Whose model reads them.
    pub(super) maker: Maker,
    /// Names of documents so far: each may be used only once.
    names: RefCell<Vec<String>>,
}

impl Blocks {
    pub(super) const fn new(own: bool, maker: Maker) -> Self {
        Self { own, maker, names: RefCell::new(Vec::new()) }
    }

    /// Whether a part of a turn can be said.
    pub(super) fn fit(&self, role: Role, part: &Part) -> Fit {
        if self.own {
            return Fit::Yes;
        }
        let no = |field: &str| Fit::No(format!("messages.content.{field}"));
        let when = |fits: bool, field: &str| if fits { Fit::Yes } else { no(field) };
        match &part.body {
            // Blank texts are refused.
            Body::Text(text) if text.text.trim().is_empty() => Fit::Empty,
            Body::Text(text) if !text.citations.is_empty() => {
                Fit::Emulated("messages.content.citations")
            }
            Body::Text(_) => Fit::Yes,
            Body::Refusal(_) => Fit::Emulated("messages.refusal"),
            _ if matches!(role, Role::System | Role::Developer) => no("system"),
            Body::Thinking(thinking) => {
                let known = part.signature.is_some() && self.knows(thinking.format.as_deref());
                if known { Fit::Yes } else { Fit::Hint("messages.reasoning_content".to_owned()) }
            }
            Body::Redacted(redacted) if self.knows(redacted.format.as_deref()) => Fit::Yes,
            Body::Redacted(_) => Fit::Hint("messages.reasoning_details".to_owned()),
            Body::Image(media) => when(is_here(media, IMAGES), "image_url"),
            Body::Video(media) => when(is_here(media, VIDEOS), "video_url"),
            Body::Audio(media) => when(role != Role::Tool && is_here(media, SOUNDS), "input_audio"),
            Body::Document(document) => when(is_readable(&document.source), "file"),
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

    fn knows(&self, format: Option<&str>) -> bool {
        format == Some(CLAUDE) && self.maker.knows_claude()
    }

    /// Writes a block, and behind it the cache point that belongs to it.
    pub(super) fn write(&self, out: &mut Out, part: &Part, cache: Option<&Cache>) {
        match &part.body {
            Body::Opaque(opaque) => out.raw_item(opaque.raw.as_str()),
            _ => out.item(|out| {
                self.member(out, part);
                if self.own {
                    out.extra(&part.extra);
                }
            }),
        }
        if let Some(cache) = cache.filter(|_| self.own || self.maker.caches()) {
            write_cache(out, cache);
        }
    }

    fn member(&self, out: &mut Out, part: &Part) {
        match &part.body {
            Body::Text(text) => self.text(out, part, text),
            Body::Refusal(text) => out.text("text", text),
            Body::Thinking(thinking) => out.member("reasoningContent", |out| {
                out.member("reasoningText", |out| {
                    out.text("text", &thinking.text);
                    if let Some(signature) = &part.signature {
                        out.text("signature", signature);
                    }
                });
            }),
            Body::Redacted(redacted) => out.member("reasoningContent", |out| {
                out.text("redactedContent", &encoded(&redacted.data));
            }),
            Body::Image(media) => self.media(out, part, ("image", IMAGES), media),
            Body::Video(media) => self.media(out, part, ("video", VIDEOS), media),
            Body::Audio(media) => self.media(out, part, ("audio", SOUNDS), media),
            Body::Document(document) => self.document(out, part, document),
            Body::ToolCall(call) => self.tool_call(out, part, call),
            Body::ToolResult(result) => self.tool_result(out, part, result),
            // Written as a whole.
            Body::Opaque(_) => {}
        }
    }

    fn text(&self, out: &mut Out, part: &Part, text: &Text) {
        let kept = |key: &str| part.inner.get(key).filter(|_| self.own);
        if let Some(value) = kept("json") {
            out.raw("json", value);
        } else if let Some(value) = kept("guardContent") {
            out.raw("guardContent", value);
        } else if self.own && !text.citations.is_empty() {
            write_cited(out, text, self.own);
        } else {
            out.text("text", &text.text);
        }
    }

    fn media(
        &self,
        out: &mut Out,
        part: &Part,
        (key, known): (&str, &[(&'static str, &str)]),
        media: &Media,
    ) {
        out.member(key, |out| {
            if let Source::Base64 { media_type, data } = &media.source {
                out.text("format", format(known, media_type).unwrap_or_default());
                out.member("source", |out| out.text("bytes", data));
            }
            if self.own {
                out.extra(&part.inner);
            }
        });
    }

    fn document(&self, out: &mut Out, part: &Part, document: &Document) {
        if let Some(value) = part.inner.get("searchResult").filter(|_| self.own) {
            return out.raw("searchResult", value);
        }
        if self.own && part.inner.get("source").is_some() {
            return out.member("document", |out| out.extra(&part.inner));
        }
        out.member("document", |out| {
            let Document { source, title, context, citations } = document;
            let kind = |media_type: &str| format(DOCUMENTS, media_type).unwrap_or("txt");
            let (format, data) = match source {
                Source::Base64 { media_type, data } => (kind(media_type), data.clone()),
                Source::Text { media_type, data } => (kind(media_type), encoded(data)),
                // Never said: `fit` refuses what is elsewhere.
                Source::Url(_) | Source::File(_) => ("txt", String::new()),
            };
            out.text("format", format);
            out.text("name", &self.name(title.as_deref()));
            out.member("source", |out| out.text("bytes", &data));
            if let Some(context) = context {
                out.text("context", context);
            }
            if let Some(enabled) = citations {
                out.member("citations", |out| out.boolean("enabled", *enabled));
            }
            if self.own {
                out.extra(&part.inner);
            }
        });
    }

    /// The name of a document: of letters, digits, single spaces, hyphens and brackets, and used once.
    fn name(&self, title: Option<&str>) -> String {
        let title = title.unwrap_or("document");
        if self.own {
            return title.to_owned();
        }
        let allowed = |letter: char| {
            letter.is_ascii_alphanumeric() || matches!(letter, '-' | '(' | ')' | '[' | ']')
        };
        let spaced: String =
            title.chars().map(|letter| if allowed(letter) { letter } else { ' ' }).collect();
        let plain = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
        let plain = if plain.is_empty() { "document" } else { plain.get(..180).unwrap_or(&plain) };
        let mut names = self.names.borrow_mut();
        let mut name = plain.to_owned();
        let mut number = 2;
        while names.contains(&name) {
            name = format!("{plain} {number}");
            number += 1;
        }
        names.push(name.clone());
        name
    }

    fn tool_call(&self, out: &mut Out, part: &Part, call: &ToolCall) {
        out.member("toolUse", |out| {
            out.text("toolUseId", &self.id(&call.id));
            out.text("name", &call.name);
            let input = call.arguments_object();
            out.raw("input", if self.own { &call.arguments } else { &input });
            if let Some(kind) = &call.provider_kind {
                out.text("type", kind);
            }
            if self.own {
                out.extra(&part.inner);
            }
        });
    }

    fn tool_result(&self, out: &mut Out, part: &Part, result: &ToolResult) {
        out.member("toolResult", |out| {
            out.text("toolUseId", &self.id(&result.id));
            out.list("content", |out| {
                for inner in &result.content {
                    if self.fit(Role::Tool, inner).is_said() {
                        self.write(out, inner, None);
                    }
                }
            });
            if let Some(failed) = result.is_error {
                out.text("status", if failed { "error" } else { "success" });
            }
            if self.own {
                out.extra(&part.inner);
            }
        });
    }

    /// Ids are of at most 64 letters, digits, `_` and `-` here; whatever else another provider uses is
    /// replaced, in calls and results alike.
    pub(super) fn id(&self, id: &str) -> String {
        if self.own {
            return id.to_owned();
        }
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
        let plain: String =
            id.chars().map(|letter| if allowed(letter) { letter } else { '_' }).collect();
        // The end tells ids of one answer apart.
        plain[plain.len().saturating_sub(ID_LETTERS_MAX)..].to_owned()
    }
}

/// Writes a cache point.
pub(super) fn write_cache(out: &mut Out, cache: &Cache) {
    out.item(|out| {
        out.member("cachePoint", |out| {
            out.text("type", "default");
            if let Some(ttl) = &cache.ttl {
                out.text("ttl", ttl);
            }
        });
    });
}

/// Writes words with their sources.
pub(super) fn write_cited(out: &mut Out, text: &Text, own: bool) {
    out.member("citationsContent", |out| {
        out.list("content", |out| out.item(|out| out.text("text", &text.text)));
        out.list("citations", |out| {
            for from in &text.citations {
                if own {
                    out.raw_item(from.raw.as_str());
                } else {
                    out.item(|out| write_citation(out, from));
                }
            }
        });
    });
}

/// Writes the members of a source that was found on the web.
pub(super) fn write_citation(out: &mut Out, from: &Citation) {
    if let Some(title) = &from.title {
        out.text("title", title);
    }
    if let Some(quote) = &from.quote {
        out.list("sourceContent", |out| out.item(|out| out.text("text", quote)));
    }
    if let Some(url) = &from.url {
        out.member("location", |out| out.member("web", |out| out.text("url", url)));
    }
}

fn is_here(media: &Media, known: &[(&'static str, &str)]) -> bool {
    match &media.source {
        Source::Base64 { media_type, .. } => format(known, media_type).is_some(),
        Source::Url(_) | Source::Text { .. } | Source::File(_) => false,
    }
}

fn is_readable(source: &Source) -> bool {
    match source {
        Source::Base64 { media_type, .. } => format(DOCUMENTS, media_type).is_some(),
        Source::Text { .. } => true,
        Source::Url(_) | Source::File(_) => false,
    }
}
