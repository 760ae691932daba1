//! Content blocks, read.

use super::NAME;
use crate::chat::{
    Body, CLAUDE, Cache, Citation, Document, Extra, Media, Opaque, Part, Raw, Redacted, Sealed,
    Source, Text, Thinking, ToolCall, ToolResult, unseal, unseal_behind,
};
use crate::json::{Fields, items, text};

/// A text or a list of blocks; says whether it was a text.
pub(super) fn content(value: &str) -> Option<(Vec<Part>, bool)> {
    if let Some(words) = text(value) {
        return Some((vec![Part::text(words)], true));
    }
    let mut parts = Vec::new();
    for value in items(value)? {
        let part = block(value);
        let behind = matches!(&part.body, Body::Redacted(carried)
            if carried.format.is_none() && unseal_behind(&mut parts, &carried.data));
        if !behind {
            parts.push(part);
        }
    }
    Some((parts, false))
}

/// One block; of a kind or form not known here it is kept as it was written.
pub(super) fn block(value: &str) -> Part {
    let opaque = |kind: String| Part::new(Body::Opaque(Opaque { kind, raw: Raw::new(value) }));
    let Ok(mut fields) = Fields::read(value) else { return opaque(String::new()) };
    let kind = fields.text("type").unwrap_or_default();
    let cache = cache(&mut fields);
    let mut signature = None;
    let body = match kind.as_str() {
        "text" => words(&mut fields),
        "thinking" => {
            signature = fields.text("signature");
            thinking(&mut fields, &mut signature)
        }
        "redacted_thinking" => redacted(&mut fields),
        "tool_use" => tool_call(&mut fields, None),
        "server_tool_use" | "mcp_tool_use" => tool_call(&mut fields, Some(kind.clone())),
        "tool_result" => tool_result(&mut fields),
        "image" => source(&mut fields).map(|source| Body::Image(Media { source, detail: None })),
        "document" => document(&mut fields),
        _ => None,
    };
    let Some(body) = body else { return opaque(kind) };
    Part { body, cache, signature, extra: fields.rest(), inner: Extra::default() }
}

/// Takes a cache marker of the usual form out.
pub(super) fn cache(fields: &mut Fields<'_>) -> Option<Cache> {
    fields.take("cache_control", |value| {
        let mut mark = Fields::read(value).ok()?;
        let ttl = mark.tag("type", "ephemeral").then(|| mark.text("ttl"))?;
        mark.is_empty().then_some(Cache { ttl })
    })
}

fn words(fields: &mut Fields<'_>) -> Option<Body> {
    let text = fields.text("text")?;
    // An empty list of citations says that there could be some; it stays what it is.
    let citations = fields.take("citations", |value| {
        let list = items(value).filter(|list| !list.is_empty())?;
        Some(list.into_iter().map(citation).collect())
    });
    Some(Body::Text(Text { text, citations: citations.unwrap_or_default() }))
}

/// One citation.
pub(super) fn citation(value: &str) -> Citation {
    let mut fields = Fields::read(value).unwrap_or_default();
    Citation {
        url: fields.text("url"),
        title: fields.text("title").or_else(|| fields.text("document_title")),
        quote: fields.text("cited_text"),
        raw: Raw::new(value),
    }
}

/// A thought, which may be another maker's that was shown to the caller as if it were Claude's.
fn thinking(fields: &mut Fields<'_>, signature: &mut Option<String>) -> Option<Body> {
    let text = fields.text("thinking")?;
    let mut format = Some(CLAUDE.to_owned());
    let carried = signature.as_deref().and_then(unseal);
    if let Some((maker, data)) = carried.map(|(_, maker, data)| (maker.to_owned(), data.to_owned()))
    {
        (format, *signature) = (Some(maker), Some(data));
    }
    Some(Body::Thinking(Thinking { text, format, ..Thinking::default() }))
}

fn redacted(fields: &mut Fields<'_>) -> Option<Body> {
    let data = fields.text("data")?;
    let (data, format) = match unseal(&data) {
        Some((Sealed::Redacted, maker, inner)) => (inner.to_owned(), Some(maker.to_owned())),
        // Belongs to the part before, and is given to it by whoever reads that.
        Some((Sealed::Behind | Sealed::Thought, _, _)) => (data, None),
        None => (data, Some(CLAUDE.to_owned())),
    };
    Some(Body::Redacted(Redacted { data, format }))
}

fn tool_call(fields: &mut Fields<'_>, provider_kind: Option<String>) -> Option<Body> {
    let arguments = fields.raw("input")?.as_str().to_owned();
    Some(Body::ToolCall(ToolCall {
        id: fields.text("id")?,
        name: fields.text("name")?,
        arguments,
        custom: false,
        provider_kind,
        namespace: None,
    }))
}

fn tool_result(fields: &mut Fields<'_>) -> Option<Body> {
    let id = fields.text("tool_use_id")?;
    let given = fields.take("content", content);
    let is_error = fields.boolean("is_error");
    // A result without content is told from one with an empty list.
    let (content, plain) = given.unwrap_or((Vec::new(), true));
    Some(Body::ToolResult(ToolResult { id, name: None, content, plain, is_error }))
}

fn document(fields: &mut Fields<'_>) -> Option<Body> {
    let source = source(fields)?;
    let citations = fields.take("citations", |value| {
        let mut inner = Fields::read(value).ok()?;
        let enabled = inner.boolean("enabled");
        enabled.filter(|_| inner.is_empty())
    });
    let (title, context) = (fields.text("title"), fields.text("context"));
    Some(Body::Document(Document { source, title, context, citations }))
}

fn source(fields: &mut Fields<'_>) -> Option<Source> {
    fields.take("source", |value| {
        let mut inner = Fields::read(value).ok()?;
        let kind = inner.text("type")?;
        let source = match kind.as_str() {
            "url" => Source::Url(inner.text("url")?),
            "file" => Source::File(inner.text("file_id")?),
            "base64" => {
                Source::Base64 { media_type: inner.text("media_type")?, data: inner.text("data")? }
            }
            "text" => {
                Source::Text { media_type: inner.text("media_type")?, data: inner.text("data")? }
            }
            _ => return None,
        };
        inner.is_empty().then_some(source)
    })
}

/// Whether what was read from `dialect` may be said here as it was written.
pub(super) fn is_own(dialect: &str) -> bool {
    dialect == NAME
}
