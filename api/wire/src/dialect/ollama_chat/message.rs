//! Messages, read: words, pictures beside them, thoughts, calls with arguments as objects.

use crate::chat::{Body, Extra, Media, Part, Role, Source, Thinking, ToolCall, ToolResult, Turn};
use crate::json::{Fields, items, text};
use crate::refusal::Refusal;

/// Calls of the conversation that have no result yet: id and name. Results of this dialect name the tool
/// at most.
#[derive(Debug, Default)]
pub(super) struct Pending {
    calls: Vec<(String, String)>,
    /// Calls met so far.
    count: usize,
}

impl Pending {
    /// An id for the next call that came without.
    fn next_id(&mut self) -> String {
        self.count += 1;
        format!("call_{}", self.count)
    }

    /// The call that a result belongs to: the first of that name that has none, or the first of all.
    fn answered(&mut self, name: Option<&str>) -> Option<String> {
        let named = name.and_then(|name| self.calls.iter().position(|(_, known)| known == name));
        let at = named.or_else(|| (!self.calls.is_empty()).then_some(0))?;
        Some(self.calls.remove(at).0)
    }
}

/// One message.
pub(super) fn turn(message: &str, pending: &mut Pending) -> Result<Turn, Refusal> {
    let wrong = |say: String| Refusal::invalid("invalid_value", Some("messages"), say);
    let mut fields = Fields::read(message)
        .map_err(|_| wrong("'messages' must be an array of objects".to_owned()))?;
    let role = fields.text("role").unwrap_or_default();
    let role = match role.as_str() {
        "system" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        _ => return Err(wrong(format!("unknown role '{role:.40}' in 'messages'"))),
    };
    let parts = if role == Role::Tool {
        vec![result(&mut fields, pending)]
    } else {
        let mut parts = said(&mut fields);
        for part in &mut parts {
            if let Body::ToolCall(call) = &mut part.body {
                if call.id.is_empty() {
                    call.id = pending.next_id();
                }
                pending.calls.push((call.id.clone(), call.name.clone()));
            }
        }
        parts
    };
    Ok(Turn { role, name: None, parts, plain: true, cache: None, extra: fields.rest() })
}

/// What a message says: thoughts, words, pictures, calls.
pub(super) fn said(fields: &mut Fields<'_>) -> Vec<Part> {
    let mut parts = Vec::new();
    if let Some(text) = fields.text("thinking").filter(|text| !text.is_empty()) {
        parts.push(Part::new(Body::Thinking(Thinking { text, ..Thinking::default() })));
    }
    if let Some(words) = fields.text("content").filter(|words| !words.is_empty()) {
        parts.push(Part::text(words));
    }
    let pictures = fields.take("images", |list| items(list)?.into_iter().map(text).collect());
    let pictures: Vec<String> = pictures.unwrap_or_default();
    parts.extend(pictures.into_iter().map(picture));
    parts.extend(fields.filled("tool_calls").into_iter().filter_map(call));
    parts
}

/// A picture of which only the data is given: its first letters tell the kind.
fn picture(data: String) -> Part {
    let kinds = [
        ("/9j/", "image/jpeg"),
        ("R0lGOD", "image/gif"),
        ("UklGR", "image/webp"),
        ("", "image/png"),
    ];
    let known = kinds.iter().find(|(start, _)| data.starts_with(start));
    let media_type = known.map_or("image/png", |(_, kind)| kind).to_owned();
    let source = Source::Base64 { media_type, data };
    Part::new(Body::Image(Media { source, detail: None }))
}

/// One call; its id is empty where none is given.
pub(super) fn call(value: &str) -> Option<Part> {
    let mut fields = Fields::read(value).ok()?;
    let mut function = fields.object("function")?;
    let given = function.raw("arguments");
    let arguments = given.map_or_else(|| "{}".to_owned(), |raw| raw.as_str().to_owned());
    let call = ToolCall {
        id: fields.text("id").unwrap_or_default(),
        name: function.text("name")?,
        arguments,
        custom: false,
        provider_kind: None,
        namespace: None,
    };
    let mut part = Part::new(Body::ToolCall(call));
    (part.extra, part.inner) = (fields.rest(), function.rest());
    Some(part)
}

fn result(fields: &mut Fields<'_>, pending: &mut Pending) -> Part {
    let name = fields.text("tool_name").or_else(|| fields.text("name"));
    let given = fields.text("tool_call_id");
    if let Some(id) = &given {
        pending.calls.retain(|(known, _)| known != id);
    }
    let id = given.or_else(|| pending.answered(name.as_deref())).unwrap_or_default();
    let mut content: Vec<Part> = Vec::new();
    content.extend(fields.text("content").map(Part::text));
    Part::new(Body::ToolResult(ToolResult { id, name, content, plain: true, is_error: None }))
}

/// Members of an object that nothing was made of.
pub(super) fn none() -> Extra {
    Extra::default()
}
