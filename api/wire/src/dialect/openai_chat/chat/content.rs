//! Content, read: a text or a list of parts.

use super::request::cache_of;
use crate::chat::{
    Body, Cache, Citation, Document, Extra, Media, Opaque, Part, Raw, Source, Thinking,
};
use crate::json::{Fields, items, text};

/// A text or a list of parts; says whether it was a text.
pub(super) fn content(value: &str) -> Option<(Vec<Part>, bool)> {
    if let Some(words) = text(value) {
        return Some((vec![Part::text(words)], true));
    }
    Some((items(value)?.into_iter().map(part).collect(), false))
}

/// One part; of a kind or form not known here it is kept as it was written.
pub(super) fn part(value: &str) -> Part {
    let opaque = |kind: String| Part::new(Body::Opaque(Opaque { kind, raw: Raw::new(value) }));
    let Ok(mut fields) = Fields::read(value) else { return opaque(String::new()) };
    let kind = fields.text("type").unwrap_or_default();
    let cache = cache(&mut fields);
    let (body, inner) = match kind.as_str() {
        "text" => (fields.text("text").map(|text| Part::text(text).body), Extra::default()),
        "refusal" => (fields.text("refusal").map(Body::Refusal), Extra::default()),
        "thinking" => (fields.take("thinking", thinking), Extra::default()),
        "image_url" => inside(&mut fields, "image_url", image),
        "input_audio" => inside(&mut fields, "input_audio", audio),
        "file" => inside(&mut fields, "file", file),
        _ => (None, Extra::default()),
    };
    let Some(body) = body else { return opaque(kind) };
    Part { body, cache, signature: None, extra: fields.rest(), inner }
}

/// Reads what stands in an object of its own, and keeps what is left of that.
fn inside<'a>(
    fields: &mut Fields<'a>,
    key: &str,
    read: impl FnOnce(&mut Fields<'a>) -> Option<Body>,
) -> (Option<Body>, Extra) {
    let Some(value) = fields.get(key) else { return (None, Extra::default()) };
    // A picture may be given by its bare address.
    if let Some(url) = text(value).filter(|_| key == "image_url") {
        fields.text(key);
        let media = Media { source: source(url), detail: None };
        return (Some(Body::Image(media)), Extra::default());
    }
    let Some(mut inner) = fields.object(key) else { return (None, Extra::default()) };
    let body = read(&mut inner);
    (body, inner.rest())
}

fn image(inner: &mut Fields<'_>) -> Option<Body> {
    let source = source(inner.text("url")?);
    Some(Body::Image(Media { source, detail: inner.text("detail") }))
}

fn audio(inner: &mut Fields<'_>) -> Option<Body> {
    let (data, format) = (inner.text("data")?, inner.text("format")?);
    let source = Source::Base64 { media_type: format!("audio/{format}"), data };
    Some(Body::Audio(Media { source, detail: None }))
}

fn file(inner: &mut Fields<'_>) -> Option<Body> {
    let source = match (inner.text("file_data"), inner.text("file_id")) {
        (Some(data), None) => source(data),
        (None, Some(id)) => Source::File(id),
        (Some(_), Some(_)) | (None, None) => return None,
    };
    let title = inner.text("filename");
    Some(Body::Document(Document { source, title, context: None, citations: None }))
}

/// An address, or the data that it holds itself.
fn source(url: String) -> Source {
    let inline = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    match inline {
        Some((media_type, data)) => {
            Source::Base64 { media_type: media_type.to_owned(), data: data.to_owned() }
        }
        None => Source::Url(url),
    }
}

/// Mistral's thoughts: a list of texts inside the content.
fn thinking(value: &str) -> Option<Body> {
    let texts = items(value)?.into_iter().map(|item| {
        let mut fields = Fields::read(item).ok()?;
        let text = fields.tag("type", "text").then(|| fields.text("text"))?;
        text.filter(|_| fields.is_empty())
    });
    let text = texts.collect::<Option<Vec<String>>>()?.concat();
    Some(Body::Thinking(Thinking { text, inline: true, ..Thinking::default() }))
}

/// Takes a cache marker of the usual form out.
pub(super) fn cache(fields: &mut Fields<'_>) -> Option<Cache> {
    fields.take("cache_control", |value| {
        let mut mark = Fields::read(value).ok()?;
        let ttl = mark.tag("type", "ephemeral").then(|| mark.text("ttl"))?;
        mark.is_empty().then(|| cache_of(ttl))
    })
}

/// Sources of an answer's words: those found on the web.
pub(super) fn citations(list: &str) -> Vec<Citation> {
    let cited = |value: &str| {
        let mut from = Fields::read(value).ok()?.object("url_citation")?;
        let (url, title, quote) = (from.text("url"), from.text("title"), from.text("content"));
        Some(Citation { url, title, quote, raw: Raw::new(value) })
    };
    items(list).unwrap_or_default().into_iter().filter_map(cited).collect()
}
