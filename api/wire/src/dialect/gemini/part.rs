//! Parts of contents, read.

use super::carried::{self, Carried};
use super::result;
use crate::chat::{
    Body, Document, Extra, GOOGLE, Media, Opaque, Part, Raw, Redacted, Sealed, Source, Text,
    Thinking, ToolCall,
};
use crate::json::{Fields, items};

/// The items of a list; one that stands alone counts as a list of it.
pub(super) fn several(value: &str) -> Option<Vec<&str>> {
    if value.starts_with('{') { Some(vec![value]) } else { items(value) }
}

/// An object whose members may be named in either case.
pub(super) fn object(value: &str) -> Option<Fields<'_>> {
    Fields::read(value).ok().map(Fields::camel)
}

/// The parts of a content; of a kind not known here they are kept as they were written.
pub(super) fn parts(value: &str) -> Option<Vec<Part>> {
    Some(several(value)?.into_iter().map(part).collect())
}

/// One part.
pub(super) fn part(value: &str) -> Part {
    let opaque = |kind: &str| {
        let raw = Raw::new(value);
        Part::new(Body::Opaque(Opaque { kind: kind.to_owned(), raw }))
    };
    let Some(mut fields) = object(value) else { return opaque("") };
    const KINDS: [&str; 4] = ["executableCode", "codeExecutionResult", "toolCall", "toolResponse"];
    if let Some(kind) = KINDS.into_iter().find(|kind| fields.get(kind).is_some()) {
        return opaque(kind);
    }
    let thinks = fields.get("thought") == Some("true");
    let signature = fields.text("thoughtSignature").map(carried::read);
    let (body, inner) = if fields.get("functionCall").is_some() {
        inside(&mut fields, "functionCall", call)
    } else if fields.get("functionResponse").is_some() {
        inside(&mut fields, "functionResponse", result::read)
    } else if fields.get("inlineData").is_some() {
        inside(&mut fields, "inlineData", inline)
    } else if fields.get("fileData").is_some() {
        inside(&mut fields, "fileData", file)
    } else {
        let text = fields.text("text").or_else(|| signature.as_ref().map(|_| String::new()));
        (text.map(|text| words(text, thinks, signature.as_ref())), Extra::default())
    };
    let Some(body) = body else { return opaque("") };
    if thinks {
        fields.boolean("thought");
    }
    // That of an encrypted thought is the thought itself.
    let is_thought = matches!(body, Body::Redacted(_));
    let signature = signature.filter(|_| !is_thought).map(|carried| carried.data);
    Part { body, cache: None, signature, extra: fields.rest(), inner }
}

/// Reads what stands in an object of its own, and keeps what is left of that.
fn inside<'a>(
    fields: &mut Fields<'a>,
    key: &str,
    read: impl FnOnce(&mut Fields<'a>) -> Option<Body>,
) -> (Option<Body>, Extra) {
    let Some(mut inner) = fields.object(key).map(Fields::camel) else {
        return (None, Extra::default());
    };
    let body = read(&mut inner);
    (body, inner.rest())
}

fn words(text: String, thinks: bool, signature: Option<&Carried>) -> Body {
    match signature {
        Some(Carried { kind: Sealed::Redacted, format, data }) => {
            Body::Redacted(Redacted { data: data.clone(), format: Some(format.clone()) })
        }
        _ if !thinks => Body::Text(Text { text, citations: Vec::new() }),
        carried => {
            let format = carried.map_or(GOOGLE, |carried| &carried.format).to_owned();
            Body::Thinking(Thinking { text, format: Some(format), ..Thinking::default() })
        }
    }
}

/// A call. One without arguments has an empty object of them.
fn call(inner: &mut Fields<'_>) -> Option<Body> {
    let arguments =
        inner.raw("args").map_or_else(|| "{}".to_owned(), |raw| raw.as_str().to_owned());
    Some(Body::ToolCall(ToolCall {
        id: inner.text("id").unwrap_or_default(),
        name: inner.text("name").unwrap_or_default(),
        arguments,
        custom: false,
        provider_kind: None,
        namespace: None,
    }))
}

fn inline(inner: &mut Fields<'_>) -> Option<Body> {
    let data = inner.text("data")?;
    let media_type = inner.text("mimeType").unwrap_or_default();
    Some(medium(Source::Base64 { media_type: media_type.clone(), data }, &media_type))
}

/// A file by its address. Those of Google's own stores nobody else can fetch.
fn file(inner: &mut Fields<'_>) -> Option<Body> {
    let uri = inner.text("fileUri")?;
    let is_stored = uri.starts_with("https://generativelanguage.googleapis.com/");
    let source = match uri.split_once("://") {
        Some(("http" | "https", _)) if !is_stored => Source::Url(uri),
        Some(_) | None => Source::File(uri),
    };
    // Stays where it is: other dialects have no place for the type of what is at an address.
    let media_type = inner.get("mimeType").and_then(crate::json::text).unwrap_or_default();
    Some(medium(source, &media_type))
}

fn medium(source: Source, media_type: &str) -> Body {
    let media = |source| Media { source, detail: None };
    match media_type.split('/').next() {
        Some("image") => Body::Image(media(source)),
        Some("audio") => Body::Audio(media(source)),
        Some("video") => Body::Video(media(source)),
        Some(_) | None => {
            Body::Document(Document { source, title: None, context: None, citations: None })
        }
    }
}
