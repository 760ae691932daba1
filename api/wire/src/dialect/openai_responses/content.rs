//! Content of messages and results, read.

use crate::chat::{Body, Citation, Document, Extra, Media, Opaque, Part, Raw, Source, Text};
use crate::json::{Fields, items, text};

/// A text or a list of parts whose words have the type `words`; says whether it was a text.
pub(super) fn content(value: &str, words: &str) -> Option<(Vec<Part>, bool)> {
    if let Some(words) = text(value) {
        return Some((vec![Part::text(words)], true));
    }
    Some((items(value)?.into_iter().map(|item| part(item, words)).collect(), false))
}

/// One part; of a kind or form not known here it is kept as it was written. The type stays among the
/// rest where it is not the one that its place suggests.
pub(super) fn part(value: &str, words: &str) -> Part {
    let opaque = |kind: String| Part::new(Body::Opaque(Opaque { kind, raw: Raw::new(value) }));
    let Ok(mut fields) = Fields::read(value) else { return opaque(String::new()) };
    let kind = fields.get("type").and_then(text).unwrap_or_default();
    let body = match kind.as_str() {
        "input_text" | "output_text" | "text" => spoken(&mut fields),
        "refusal" => fields.text("refusal").map(Body::Refusal),
        "input_image" => image(&mut fields),
        "input_file" => file(&mut fields),
        "input_audio" => audio(&mut fields),
        _ => None,
    };
    let Some(body) = body else { return opaque(kind) };
    if !matches!(body, Body::Text(_)) || kind == words {
        fields.text("type");
    }
    Part { body, cache: None, signature: None, extra: fields.rest(), inner: Extra::default() }
}

fn spoken(fields: &mut Fields<'_>) -> Option<Body> {
    let text = fields.text("text")?;
    let citations = fields.filled("annotations").into_iter().map(citation).collect();
    Some(Body::Text(Text { text, citations }))
}

/// One annotation.
pub(super) fn citation(value: &str) -> Citation {
    let mut fields = Fields::read(value).unwrap_or_default();
    Citation {
        url: fields.text("url"),
        title: fields.text("title").or_else(|| fields.text("filename")),
        quote: None,
        raw: Raw::new(value),
    }
}

fn image(fields: &mut Fields<'_>) -> Option<Body> {
    let source = match (fields.get("image_url"), fields.get("file_id")) {
        (Some(_), None) => address(fields.text("image_url")?),
        (None, Some(_)) => Source::File(fields.text("file_id")?),
        (Some(_), Some(_)) | (None, None) => return None,
    };
    Some(Body::Image(Media { source, detail: fields.text("detail") }))
}

fn file(fields: &mut Fields<'_>) -> Option<Body> {
    let given = ["file_data", "file_url", "file_id"].map(|key| fields.get(key).and_then(text));
    let (key, source) = match given {
        [Some(data), None, None] => match address(data) {
            inline @ Source::Base64 { .. } => ("file_data", inline),
            // Without a word on what it is, only its own provider may guess.
            Source::Url(_) | Source::Text { .. } | Source::File(_) => return None,
        },
        [None, Some(url), None] => ("file_url", Source::Url(url)),
        [None, None, Some(id)] => ("file_id", Source::File(id)),
        _ => return None,
    };
    fields.text(key);
    let title = fields.text("filename");
    Some(Body::Document(Document { source, title, context: None, citations: None }))
}

fn audio(fields: &mut Fields<'_>) -> Option<Body> {
    fields.take("input_audio", |value| {
        let mut inner = Fields::read(value).ok()?;
        let (data, format) = (inner.text("data")?, inner.text("format")?);
        let source = Source::Base64 { media_type: format!("audio/{format}"), data };
        inner.is_empty().then_some(Body::Audio(Media { source, detail: None }))
    })
}

/// An address, or the data that it holds itself.
fn address(url: String) -> Source {
    let inline = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    match inline {
        Some((media_type, data)) => {
            Source::Base64 { media_type: media_type.to_owned(), data: data.to_owned() }
        }
        None => Source::Url(url),
    }
}
