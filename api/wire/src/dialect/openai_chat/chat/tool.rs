//! Tools and calls of them, read.

use super::content::cache;
use crate::chat::{Body, Extra, Function, Opaque, Part, Raw, Tool, ToolBody, ToolCall, ToolChoice};
use crate::json::{Fields, text};

/// One tool; of a kind or form not known here it is kept as it was written.
pub(super) fn tool(value: &str) -> Tool {
    function(value).unwrap_or_else(|| {
        let kind = Fields::read(value).ok().and_then(|mut fields| fields.text("type"));
        let body = ToolBody::Opaque { kind: kind.unwrap_or_default(), raw: Raw::new(value) };
        Tool { body, cache: None, extra: Extra::default(), inner: Extra::default() }
    })
}

fn function(value: &str) -> Option<Tool> {
    let mut fields = Fields::read(value).ok()?;
    // Some leave the type out.
    if fields.get("type").is_some() && !fields.tag("type", "function") {
        return None;
    }
    let mut inner = fields.object("function")?;
    let body = ToolBody::Function(Function {
        name: inner.text("name")?,
        description: inner.text("description"),
        schema: inner.raw("parameters"),
        strict: inner.boolean("strict"),
    });
    let cache = cache(&mut fields);
    Some(Tool { body, cache, extra: fields.rest(), inner: inner.rest() })
}

/// Which tools to call, of the forms known here.
pub(super) fn tool_choice(value: &str) -> Option<ToolChoice> {
    if let Some(word) = text(value) {
        return match word.as_str() {
            "auto" => Some(ToolChoice::Auto),
            "none" => Some(ToolChoice::Never),
            // The latter is Mistral's.
            "required" | "any" => Some(ToolChoice::Required),
            _ => None,
        };
    }
    let mut fields = Fields::read(value).ok()?;
    let mut inner = fields.tag("type", "function").then(|| fields.object("function"))??;
    let name = inner.text("name")?;
    (fields.is_empty() && inner.is_empty()).then_some(ToolChoice::Tool(name))
}

/// One call; of a form not known here it is kept as it was written.
pub(super) fn tool_call(value: &str) -> Part {
    call(value).unwrap_or_else(|| {
        let kind = "tool_calls".to_owned();
        Part::new(Body::Opaque(Opaque { kind, raw: Raw::new(value) }))
    })
}

fn call(value: &str) -> Option<Part> {
    let mut fields = Fields::read(value).ok()?;
    let kind = fields.text("type");
    let id = fields.text("id").unwrap_or_default();
    let cache = cache(&mut fields);
    let signature = signature(&fields);
    // Some call it a function and give what a custom tool takes.
    let custom = kind.as_deref() == Some("custom") || fields.get("function").is_none();
    let mut inner = fields.object(if custom { "custom" } else { "function" })?;
    let arguments = if custom { inner.text("input") } else { arguments(&mut inner) };
    let call = ToolCall {
        id,
        name: inner.text("name")?,
        arguments: arguments.unwrap_or_default(),
        custom,
        provider_kind: None,
        namespace: None,
    };
    let (extra, inner) = (fields.rest(), inner.rest());
    Some(Part { body: Body::ToolCall(call), cache, signature, extra, inner })
}

/// The signature of a call where Google's own endpoint of this dialect has it. It stays where it is.
pub(super) fn signature(fields: &Fields<'_>) -> Option<String> {
    let content = fields.get("extra_content")?;
    Fields::read(content).ok()?.object("google")?.text("thought_signature")
}

/// Arguments as text, or as the object that some give.
pub(super) fn arguments(inner: &mut Fields<'_>) -> Option<String> {
    inner.text("arguments").or_else(|| {
        let is_object = |value: &&str| value.starts_with('{');
        inner.take("arguments", |value| Some(value).filter(is_object).map(str::to_owned))
    })
}
