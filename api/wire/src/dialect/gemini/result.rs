//! What tools gave, read and written.

use super::part::{object, parts};
use crate::chat::{Body, Part, ToolResult};
use crate::json::{Fields, Out};

/// Reads a result. The response stays where it is, to be said again as it was.
pub(super) fn read(inner: &mut Fields<'_>) -> Option<Body> {
    let response = inner.get("response").unwrap_or("{}");
    let (words, failed) = said(response);
    let shown = inner.get("parts").and_then(parts).unwrap_or_default();
    let plain = shown.is_empty();
    let content = std::iter::once(Part::text(words)).chain(shown).collect();
    Some(Body::ToolResult(ToolResult {
        id: inner.text("id").unwrap_or_default(),
        name: inner.text("name"),
        content,
        plain,
        is_error: failed.then_some(true),
    }))
}

/// The words of a response, and whether they tell a failure: `output`, `result` and `error` are the
/// names that Google's documentation and clients give to what has none of its own.
fn said(response: &str) -> (String, bool) {
    let Some(fields) = object(response) else { return (response.to_owned(), false) };
    for (key, failed) in [("error", true), ("output", false), ("result", false)] {
        let mut fields = Fields::read(response).unwrap_or_default();
        if let Some(words) = fields.text(key)
            && fields.is_empty()
        {
            return (words, failed);
        }
    }
    let failed = fields.get("error").is_some();
    (response.to_owned(), failed)
}

/// Writes the response of a result out of its words.
pub(super) fn write(out: &mut Out, result: &ToolResult) {
    let words: Vec<&str> = result.content.iter().filter_map(words).collect();
    let words = words.join("\n\n");
    if result.is_error == Some(true) {
        return out.member("response", |out| out.text("error", &words));
    }
    let is_object = words.trim_start().starts_with('{');
    if is_object && serde_json::from_str::<serde_json::Value>(&words).is_ok() {
        return out.raw("response", words.trim());
    }
    out.member("response", |out| out.text("output", &words));
}

fn words(part: &Part) -> Option<&str> {
    if let Body::Text(text) = &part.body { Some(&text.text) } else { None }
}
