//! Content of messages and results, written.

use crate::chat::{
    Body, Citation, Document, Fit, Media, Part, Role, Source, Text, Token, ToolCall, ToolResult,
    is_public, write_tokens,
};
use crate::json::Out;

/// Whether what a signature of this format signs can be read by the makers that speak this dialect.
pub(super) fn is_ours(format: Option<&str>) -> bool {
    format.is_some_and(|format| format.ends_with("responses-v1"))
}

/// Whether a part of a foreign turn can be said.
pub(super) fn fit(role: Role, part: &Part) -> Fit {
    let no = |field: &str| Fit::No(format!("messages.content.{field}"));
    match &part.body {
        Body::Text(Text { text, .. }) if text.is_empty() => Fit::Empty,
        Body::Text(_) | Body::Refusal(_) => Fit::Yes,
        // Thoughts are of use to the model that had them.
        Body::Thinking(thinking)
            if part.signature.is_some() && is_ours(thinking.format.as_deref()) =>
        {
            Fit::Yes
        }
        Body::Redacted(redacted) if is_ours(redacted.format.as_deref()) => Fit::Yes,
        Body::Thinking(_) => Fit::Hint("messages.content.thinking".to_owned()),
        Body::Redacted(_) => Fit::Hint("messages.content.redacted_thinking".to_owned()),
        Body::Image(Media { source: Source::Base64 { .. }, .. }) => Fit::Yes,
        Body::Image(Media { source: Source::Url(url), .. }) if is_public(url) => Fit::Yes,
        Body::Image(_) => no("image"),
        Body::Audio(Media { source: Source::Base64 { .. }, .. }) => Fit::Yes,
        Body::Audio(_) => no("audio"),
        Body::Video(_) => no("video"),
        Body::Document(Document { source: Source::Base64 { .. }, .. }) => Fit::Yes,
        Body::Document(Document { source: Source::Url(url), .. }) if is_public(url) => Fit::Yes,
        Body::Document(Document { source: Source::Text { .. }, .. }) => {
            Fit::Emulated("messages.content.document")
        }
        Body::Document(_) => no("document"),
        Body::ToolCall(ToolCall { provider_kind: Some(kind), .. }) => {
            Fit::Hint(format!("messages.content.{kind}"))
        }
        Body::ToolCall(_) => Fit::Yes,
        Body::ToolResult(ToolResult { is_error: Some(true), .. }) => {
            Fit::Emulated("messages.content.is_error")
        }
        Body::ToolResult(_) => Fit::Yes,
        Body::Opaque(opaque) if role == Role::Assistant && opaque.kind != "compaction" => {
            Fit::Hint(format!("messages.content.{}", opaque.kind))
        }
        Body::Opaque(opaque) => no(&opaque.kind),
    }
}

/// Writes a part of a content; `words` is the type of words in its place.
pub(super) fn write_part(out: &mut Out, part: &Part, words: &str, own: bool) {
    item(out, part, own, |out| {
        let typed = own && part.extra.get("type").is_some();
        members(out, part, if typed { "" } else { words }, own);
    });
}

/// Writes a part of what the model says, and how likely its words are.
pub(super) fn write_spoken(out: &mut Out, part: &Part, likely: &[Token], own: bool) {
    if likely.is_empty() || own {
        return write_part(out, part, "output_text", own);
    }
    item(out, part, own, |out| {
        members(out, part, "output_text", own);
        if matches!(part.body, Body::Text(_)) {
            write_tokens(out, "logprobs", likely);
        }
    });
}

fn item(out: &mut Out, part: &Part, own: bool, body: impl FnOnce(&mut Out)) {
    if let Body::Opaque(opaque) = &part.body {
        return out.raw_item(opaque.raw.as_str());
    }
    out.item(|out| {
        body(out);
        if own {
            out.extra(&part.extra);
        }
    });
}

fn members(out: &mut Out, part: &Part, words: &str, own: bool) {
    match &part.body {
        Body::Text(text) => {
            kind(out, words);
            out.text("text", &text.text);
            write_annotations(out, part, text, own, words == "output_text");
        }
        Body::Refusal(text) if words == "input_text" => {
            kind(out, words);
            out.text("text", text);
        }
        Body::Refusal(text) => {
            kind(out, "refusal");
            out.text("refusal", text);
        }
        Body::Image(image) => {
            kind(out, "input_image");
            match &image.source {
                Source::File(id) => out.text("file_id", id),
                source => out.text("image_url", &address(source)),
            }
            if let Some(detail) = &image.detail {
                out.text("detail", detail);
            }
        }
        Body::Audio(sound) => {
            kind(out, "input_audio");
            if let Source::Base64 { media_type, data } = &sound.source {
                let format = media_type.strip_prefix("audio/").unwrap_or(media_type);
                out.member("input_audio", |out| {
                    out.text("data", data);
                    out.text("format", if format == "mpeg" { "mp3" } else { format });
                });
            }
        }
        Body::Document(document) => write_file(out, document, own),
        // Items of their own, or never said: `fit` refuses what is foreign.
        Body::Thinking(_)
        | Body::Redacted(_)
        | Body::Video(_)
        | Body::ToolCall(_)
        | Body::ToolResult(_)
        | Body::Opaque(_) => {}
    }
}

fn kind(out: &mut Out, kind: &str) {
    if !kind.is_empty() {
        out.text("type", kind);
    }
}

/// Writes the sources of words; a list is expected wherever the model speaks.
fn write_annotations(out: &mut Out, part: &Part, text: &Text, own: bool, spoken: bool) {
    if own {
        let given = !text.citations.is_empty();
        if given {
            let raw = text.citations.iter().map(|from| from.raw.as_str());
            out.list("annotations", |out| raw.for_each(|raw| out.raw_item(raw)));
        }
        return;
    }
    if spoken && part.extra.get("annotations").is_none() {
        let end = text.text.chars().count() as u64;
        out.list("annotations", |out| {
            for from in text.citations.iter().filter(|from| from.url.is_some()) {
                out.item(|out| write_citation(out, from, end));
            }
        });
    }
}

/// Writes the members of a source that was found on the web, of all words up to `end`, in letters.
pub(super) fn write_citation(out: &mut Out, from: &Citation, end: u64) {
    out.text("type", "url_citation");
    out.number("start_index", 0);
    out.number("end_index", end);
    out.text("title", from.title.as_deref().unwrap_or_default());
    out.text("url", from.url.as_deref().unwrap_or_default());
}

fn write_file(out: &mut Out, document: &Document, own: bool) {
    let title = document.title.as_deref();
    if let Source::Text { data, .. } = &document.source {
        kind(out, "input_text");
        return out.text("text", &format!("{}:\n\n{data}", title.unwrap_or("document")));
    }
    kind(out, "input_file");
    match &document.source {
        Source::File(id) => out.text("file_id", id),
        Source::Url(url) => out.text("file_url", url),
        source @ (Source::Base64 { .. } | Source::Text { .. }) => {
            out.text("file_data", &address(source));
        }
    }
    // A name is demanded where the data is given.
    let nameless = !own && matches!(document.source, Source::Base64 { .. });
    if let Some(title) = title.or_else(|| nameless.then_some("document.pdf")) {
        out.text("filename", title);
    }
}

fn address(source: &Source) -> String {
    match source {
        Source::Url(url) => url.clone(),
        Source::Base64 { media_type, data } => format!("data:{media_type};base64,{data}"),
        Source::Text { data, .. } => data.clone(),
        Source::File(id) => id.clone(),
    }
}
