//! Content, documents, calls and sources, read.

use crate::chat::{
    Body, Citation, Document, Extra, Media, Opaque, Part, Raw, Redacted, Sealed, Source, Thinking,
    ToolCall, unseal,
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
    let part = match kind.as_str() {
        "text" => fields.text("text").map(Part::text),
        "thinking" => thinking(&mut fields),
        "image_url" => fields.take("image_url", image),
        "document" => fields.get("document").map(document),
        _ => None,
    };
    let Some(part) = part else { return opaque(kind) };
    if matches!(part.body, Body::Document(_)) {
        return part;
    }
    Part { extra: fields.rest(), ..part }
}

/// What was thought. A signature is another maker's, carried through the caller.
fn thinking(fields: &mut Fields<'_>) -> Option<Part> {
    let text = fields.text("thinking")?;
    let thought = |format| Body::Thinking(Thinking { text, inline: true, format, summary: false });
    let carried = fields.text("signature");
    Some(match carried.as_deref().and_then(unseal) {
        Some((Sealed::Redacted, maker, data)) => {
            let format = Some(maker.to_owned());
            Part::new(Body::Redacted(Redacted { data: data.to_owned(), format }))
        }
        Some((Sealed::Thought | Sealed::Behind, maker, data)) => {
            Part { signature: Some(data.to_owned()), ..Part::new(thought(Some(maker.to_owned()))) }
        }
        None => Part::new(thought(None)),
    })
}

/// The plan that is told before tools are called.
pub(super) fn plan(text: String) -> Part {
    Part::new(Body::Thinking(Thinking { text, ..Thinking::default() }))
}

fn image(value: &str) -> Option<Part> {
    let mut inner = Fields::read(value).ok()?;
    let url = inner.text("url")?;
    let detail = inner.text("detail");
    let inline = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    let source = match inline {
        Some((media_type, data)) => {
            Source::Base64 { media_type: media_type.to_owned(), data: data.to_owned() }
        }
        None => Source::Url(url),
    };
    let body = Body::Image(Media { source, detail });
    Some(Part { inner: inner.rest(), ..Part::new(body) })
}

/// A document: a text, or an object of an id and data, which is a text or an object itself. The whole is
/// kept as well.
pub(super) fn document(value: &str) -> Part {
    let mut fields = Fields::read(value).unwrap_or_default();
    let title = fields.text("id");
    let data = fields.get("data").unwrap_or(value);
    let (media_type, data) = match text(data) {
        Some(words) => ("text/plain", words),
        None => ("application/json", data.to_owned()),
    };
    let source = Source::Text { media_type: media_type.to_owned(), data };
    let body = Body::Document(Document { source, title, context: None, citations: None });
    let extra: Extra = [("document".to_owned(), Raw::new(value))].into_iter().collect();
    Part { extra, ..Part::new(body) }
}

/// One call.
pub(super) fn call(value: &str) -> Option<Part> {
    let mut fields = Fields::read(value).ok()?;
    let id = fields.text("id").unwrap_or_default();
    fields.tag("type", "function");
    let mut inner = fields.object("function")?;
    let call = ToolCall {
        id,
        name: inner.text("name").unwrap_or_default(),
        arguments: inner.text("arguments").unwrap_or_default(),
        custom: false,
        provider_kind: None,
        namespace: None,
    };
    let (extra, inner) = (fields.rest(), inner.rest());
    Some(Part { extra, inner, ..Part::new(Body::ToolCall(call)) })
}

/// One source of words: what of a text it stands for is the quote.
pub(super) fn citation(value: &str) -> Citation {
    let mut fields = Fields::read(value).unwrap_or_default();
    let mut sources = fields.list("sources").unwrap_or_default().into_iter();
    let mut document = sources
        .find_map(|source| Fields::read(source).ok()?.object("document"))
        .unwrap_or_default();
    Citation {
        url: document.text("url"),
        title: document.text("title").or_else(|| document.text("id")),
        quote: fields.text("text"),
        raw: Raw::new(value),
    }
}
