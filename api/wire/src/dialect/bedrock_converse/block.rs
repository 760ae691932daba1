//! Content blocks, read: objects whose one key tells the kind.

use super::media::{DOCUMENTS, IMAGES, SOUNDS, VIDEOS, decoded_text, media_type};
use super::source::source;
use crate::chat::{
    Body, CLAUDE, Cache, Citation, Document, Extra, Media, Opaque, Part, Raw, Redacted, Source,
    Text, Thinking, ToolCall, ToolResult, is_public,
};
use crate::json::{Fields, items, text};

/// Kinds of blocks with a meaning elsewhere.
const KINDS: [&str; 11] = [
    "text",
    "image",
    "document",
    "video",
    "audio",
    "toolUse",
    "toolResult",
    "guardContent",
    "reasoningContent",
    "citationsContent",
    "searchResult",
];

/// The parts of a list of blocks. A cache point belongs to the part before it.
pub(super) fn parts(blocks: Vec<&str>, assistant: bool) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::with_capacity(blocks.len());
    for value in blocks {
        match (cache_point(value), parts.last_mut()) {
            (Some(cache), Some(last)) if last.cache.is_none() => last.cache = Some(cache),
            _ => parts.push(block(value, assistant)),
        }
    }
    parts
}

/// A cache point of the usual form.
pub(super) fn cache_point(value: &str) -> Option<Cache> {
    let mut fields = Fields::read(value).ok()?;
    let mut mark = fields.object("cachePoint")?;
    let ttl = mark.tag("type", "default").then(|| mark.text("ttl"))?;
    (mark.is_empty() && fields.is_empty()).then_some(Cache { ttl })
}

/// One block; of a kind or form not known here it is kept as it was written.
pub(super) fn block(value: &str, assistant: bool) -> Part {
    let fields = Fields::read(value).unwrap_or_default();
    let kind = KINDS.into_iter().find(|kind| fields.get(kind).is_some());
    let kind =
        kind.or_else(|| ["cachePoint", "json"].into_iter().find(|key| fields.get(key).is_some()));
    let opaque = |kind: &str| {
        Part::new(Body::Opaque(Opaque { kind: kind.to_owned(), raw: Raw::new(value) }))
    };
    let Some(kind) = kind else { return opaque("") };
    // What a tool of the provider gave is no turn of the caller's.
    if kind == "toolResult" && assistant {
        return opaque(kind);
    }
    known(kind, fields).unwrap_or_else(|| opaque(kind))
}

fn known(kind: &str, mut fields: Fields<'_>) -> Option<Part> {
    if kind == "text" {
        let mut part = Part::text(fields.text("text")?);
        part.extra = fields.rest();
        return Some(part);
    }
    if kind == "json" {
        return json(fields);
    }
    let whole = fields.get(kind)?;
    let mut inner = fields.object(kind)?;
    let mut part = match kind {
        "image" => media(&mut inner, IMAGES, Body::Image),
        "video" => media(&mut inner, VIDEOS, Body::Video),
        "audio" => media(&mut inner, SOUNDS, Body::Audio),
        "document" => document(&mut inner),
        "toolUse" => tool_call(&mut inner),
        "toolResult" => tool_result(&mut inner),
        "guardContent" => guarded(whole, &mut inner),
        "reasoningContent" => thinking(&mut inner),
        "citationsContent" => cited(&mut inner),
        "searchResult" => found(whole, &mut inner),
        _ => None,
    }?;
    let kept = inner.rest();
    if part.inner.is_empty() {
        part.inner = kept;
    }
    part.extra = fields.rest();
    Some(part)
}

/// One member kept beside what was made of it, to be said again as it was.
fn kept(key: &str, value: &str) -> Extra {
    [(key.to_owned(), Raw::new(value))].into_iter().collect()
}

/// What a tool gave as a value: words to everybody else.
fn json(mut fields: Fields<'_>) -> Option<Part> {
    let value = fields.raw("json")?;
    let mut part = Part::text(value.as_str());
    part.inner = kept("json", value.as_str());
    part.extra = fields.rest();
    Some(part)
}

fn media(
    inner: &mut Fields<'_>,
    known: &[(&str, &'static str)],
    body: fn(Media) -> Body,
) -> Option<Part> {
    let format = inner.get("format").and_then(text)?;
    let source = source(inner, media_type(known, &format)?)?;
    if matches!(source, Source::Base64 { .. }) {
        inner.text("format");
    }
    Some(Part::new(body(Media { source, detail: None })))
}

fn document(inner: &mut Fields<'_>) -> Option<Part> {
    let format = inner.get("format").and_then(text);
    let kind = format.as_deref().map_or(Some("text/plain"), |name| media_type(DOCUMENTS, name))?;
    let text_of = |value: &str| {
        let mut given = Fields::read(value).ok()?;
        let data = match given.text("text") {
            Some(text) => Some(text),
            None if kind.starts_with("text/") => decoded_text(&given.text("bytes")?),
            None => None,
        };
        Some(Source::Text { media_type: kind.to_owned(), data: data? })
    };
    let enabled = |value: &str| Fields::read(value).ok()?.boolean("enabled");
    let citations = inner.get("citations").and_then(enabled);
    let title = inner.get("name").and_then(text);
    let context = inner.get("context").and_then(text);
    // Other dialects take a text as such. Here it stays what it was.
    if let Some(source) = inner.get("source").and_then(text_of) {
        return Some(Part::new(Body::Document(Document { source, title, context, citations })));
    }
    let source = source(inner, kind)?;
    if matches!(source, Source::Base64 { .. }) {
        for key in ["format", "name", "context"] {
            inner.text(key);
        }
        if citations.is_some() {
            inner.object("citations");
        }
    }
    Some(Part::new(Body::Document(Document { source, title, context, citations })))
}

fn tool_call(inner: &mut Fields<'_>) -> Option<Part> {
    let arguments = inner.raw("input")?.as_str().to_owned();
    let kind = inner.take("type", |value| text(value).filter(|kind| kind != "tool_use"));
    Some(Part::new(Body::ToolCall(ToolCall {
        id: inner.text("toolUseId")?,
        name: inner.text("name")?,
        arguments,
        custom: false,
        provider_kind: kind,
        namespace: None,
    })))
}

fn tool_result(inner: &mut Fields<'_>) -> Option<Part> {
    let id = inner.text("toolUseId")?;
    let content = inner.list("content").map(|blocks| parts(blocks, false)).unwrap_or_default();
    let is_error = inner.take("status", |value| match text(value)?.as_str() {
        "error" => Some(true),
        "success" => Some(false),
        _ => None,
    });
    let (name, plain) = (None, false);
    Some(Part::new(Body::ToolResult(ToolResult { id, name, content, plain, is_error })))
}

/// Words that a guardrail is to look at.
fn guarded(whole: &str, inner: &mut Fields<'_>) -> Option<Part> {
    let mut part = Part::text(inner.object("text")?.text("text")?);
    part.inner = kept("guardContent", whole);
    Some(part)
}

fn thinking(inner: &mut Fields<'_>) -> Option<Part> {
    if let Some(data) = inner.take("redactedContent", |value| decoded_text(&text(value)?)) {
        return Some(Part::new(redacted(data)));
    }
    let mut said = inner.object("reasoningText")?;
    let signature = said.text("signature").filter(|text| !text.is_empty());
    // Of the makers here only Claude's signs.
    let format = signature.is_some().then(|| CLAUDE.to_owned());
    let text = said.text("text").unwrap_or_default();
    let mut part = Part::new(Body::Thinking(Thinking { text, format, ..Thinking::default() }));
    part.signature = signature;
    Some(part)
}

/// What only Claude can read of what it thought.
pub(super) fn redacted(data: String) -> Body {
    Body::Redacted(Redacted { data, format: Some(CLAUDE.to_owned()) })
}

fn cited(inner: &mut Fields<'_>) -> Option<Part> {
    let words =
        inner.list("content")?.into_iter().map(|item| Fields::read(item).ok()?.text("text"));
    let text = words.collect::<Option<Vec<String>>>()?.concat();
    let from = inner.list("citations").unwrap_or_default();
    let citations = from.into_iter().map(citation).collect();
    Some(Part::new(Body::Text(Text { text, citations })))
}

/// One source of words.
pub(super) fn citation(value: &str) -> Citation {
    let mut fields = Fields::read(value).unwrap_or_default();
    let web = fields.object("location").and_then(|mut place| place.object("web")?.text("url"));
    let source = fields.text("source").filter(|source| is_public(source));
    let quoted = fields.list("sourceContent").unwrap_or_default();
    let quote: Vec<String> =
        quoted.iter().filter_map(|item| Fields::read(item).ok()?.text("text")).collect();
    Citation {
        url: web.or(source),
        title: fields.text("title"),
        quote: Some(quote.concat()).filter(|quote| !quote.is_empty()),
        raw: Raw::new(value),
    }
}

/// What a search found: a text with a title to everybody else.
fn found(whole: &str, inner: &mut Fields<'_>) -> Option<Part> {
    let texts = inner.get("content").and_then(items)?;
    let texts: Option<Vec<String>> =
        texts.into_iter().map(|item| Fields::read(item).ok()?.text("text")).collect();
    let source = Source::Text { media_type: "text/plain".to_owned(), data: texts?.join("\n\n") };
    let citations = inner.object("citations").and_then(|mut inner| inner.boolean("enabled"));
    let title = inner.text("title");
    let context = inner.text("source");
    let body = Body::Document(Document { source, title, context, citations });
    let mut part = Part::new(body);
    part.inner = kept("searchResult", whole);
    Some(part)
}
