//! Items, read: messages, thoughts, calls and their results, each of them beside the others.

use super::content::{content, part};
use super::mark::{ITEM, PLAIN, mark};
use crate::chat::{
    Body, Extra, OPENAI, Opaque, Part, Raw, Redacted, Sealed, Thinking, ToolCall, ToolResult,
    unseal,
};
use crate::json::{Fields, items, text};

/// What an item of the model's says. A message may hold several parts; of a kind or form not known here
/// the item is kept as it was written.
pub(super) fn parts(value: &str) -> Vec<Part> {
    let Ok(fields) = Fields::read(value) else { return vec![opaque(value, "")] };
    let kind = fields.get("type").and_then(text).unwrap_or_default();
    let known = match kind.as_str() {
        "message" => message(fields),
        "reasoning" => thought(fields).map(|part| vec![part]),
        "function_call" => call(fields, false).map(|part| vec![part]),
        "custom_tool_call" => call(fields, true).map(|part| vec![part]),
        _ => None,
    };
    known.unwrap_or_else(|| vec![opaque(value, &kind)])
}

/// An item as it was written.
pub(super) fn opaque(value: &str, kind: &str) -> Part {
    let body = Body::Opaque(Opaque { kind: kind.to_owned(), raw: Raw::new(value) });
    Part { inner: mark(ITEM), ..Part::new(body) }
}

/// A message of the model's. Its first part keeps what stands beside the content.
pub(super) fn message(mut fields: Fields<'_>) -> Option<Vec<Part>> {
    let (mut parts, plain) = fields.take("content", |value| content(value, "output_text"))?;
    let first = parts.first_mut()?;
    let mut beside: Vec<(String, Raw)> =
        fields.rest().iter().map(|(key, value)| (key.to_owned(), value.clone())).collect();
    if plain {
        beside.push((PLAIN.to_owned(), Raw::new("null")));
    }
    first.inner = beside.into_iter().collect();
    Some(parts)
}

/// What was thought: a summary or the words themselves, and their encrypted form, by which the model
/// knows them again.
pub(super) fn thought(mut fields: Fields<'_>) -> Option<Part> {
    fields.text("type");
    let texts = |key: &str| -> Vec<String> {
        let list = fields.get(key).and_then(items).unwrap_or_default();
        let text = |item: &str| Fields::read(item).ok()?.text("text");
        list.into_iter().filter_map(text).collect()
    };
    let (summary, words) = (texts("summary"), texts("content"));
    let is_summary = !summary.is_empty() || words.is_empty();
    let said = if is_summary { summary.join("\n\n") } else { words.concat() };
    let encrypted = fields.text("encrypted_content");
    let mut format = fields.get("format").and_then(text);
    let mut signature = encrypted.clone();
    match encrypted.as_deref().and_then(unseal) {
        Some((Sealed::Redacted, maker, data)) => {
            let body = Redacted { data: data.to_owned(), format: Some(maker.to_owned()) };
            return Some(Part { extra: fields.rest(), ..Part::new(Body::Redacted(body)) });
        }
        Some((Sealed::Thought, maker, data)) => {
            (format, signature) = (Some(maker.to_owned()), Some(data.to_owned()));
        }
        // Belongs to the part before; whoever gathers the parts gives it to that.
        Some((Sealed::Behind, _, _)) => {}
        None if signature.is_some() => format = format.or_else(|| Some(OPENAI.to_owned())),
        None => {}
    }
    let body = Body::Thinking(Thinking { text: said, summary: is_summary, inline: false, format });
    Some(Part { signature, extra: fields.rest(), ..Part::new(body) })
}

fn call(mut fields: Fields<'_>, custom: bool) -> Option<Part> {
    fields.text("type");
    let id = fields.text("call_id").or_else(|| fields.get("id").and_then(text))?;
    let arguments = fields.text(if custom { "input" } else { "arguments" })?;
    let name = fields.text("name")?;
    let namespace = fields.get("namespace").and_then(text);
    let call = ToolCall { id, name, arguments, custom, provider_kind: None, namespace };
    Some(Part { extra: fields.rest(), ..Part::new(Body::ToolCall(call)) })
}

/// The result of a call; the type stays among the rest: it tells a custom tool's from a function's.
pub(super) fn result(value: &str) -> Option<Part> {
    let mut fields = Fields::read(value).ok()?;
    let id = fields.text("call_id")?;
    let (content, plain) = fields.take("output", |value| content(value, "input_text"))?;
    let result = ToolResult { id, name: None, content, plain, is_error: None };
    let (cache, signature, inner) = (None, None, Extra::default());
    let body = Body::ToolResult(result);
    Some(Part { body, cache, signature, extra: fields.rest(), inner })
}

/// One part of a message of the model's, for streams.
pub(super) fn spoken(value: &str) -> Part {
    part(value, "output_text")
}
