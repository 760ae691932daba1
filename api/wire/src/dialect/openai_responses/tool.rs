//! Tools and the choice among them, read and written.

use crate::chat::{Extra, Function, Raw, Request, Tool, ToolBody, ToolChoice};
use crate::json::{Fields, Out, text};

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
    if !fields.tag("type", "function") {
        return None;
    }
    let body = ToolBody::Function(Function {
        name: fields.text("name")?,
        description: fields.text("description"),
        schema: fields.raw("parameters"),
        strict: fields.boolean("strict"),
    });
    Some(Tool { body, cache: None, extra: fields.rest(), inner: Extra::default() })
}

/// Which tools to call, of the forms known here.
pub(super) fn tool_choice(value: &str) -> Option<ToolChoice> {
    if let Some(word) = text(value) {
        return match word.as_str() {
            "auto" => Some(ToolChoice::Auto),
            "none" => Some(ToolChoice::Never),
            "required" => Some(ToolChoice::Required),
            _ => None,
        };
    }
    let mut fields = Fields::read(value).ok()?;
    let name = fields.tag("type", "function").then(|| fields.text("name"))??;
    fields.is_empty().then_some(ToolChoice::Tool(name))
}

/// Writes the tools, and which of them to call.
pub(super) fn write_tools(out: &mut Out, request: &Request, own: bool) {
    let said = |tool: &&Tool| own || !matches!(tool.body, ToolBody::Opaque { .. });
    let tools: Vec<&Tool> = request.tools.iter().filter(said).collect();
    if !tools.is_empty() {
        out.list("tools", |out| tools.iter().for_each(|tool| write_tool(out, tool, own)));
    }
    // A choice among no tools is refused.
    if !own && tools.is_empty() {
        return;
    }
    match &request.tool_choice {
        None => {}
        Some(ToolChoice::Auto) => out.text("tool_choice", "auto"),
        Some(ToolChoice::Never) => out.text("tool_choice", "none"),
        Some(ToolChoice::Required) => out.text("tool_choice", "required"),
        Some(ToolChoice::Tool(name)) => out.member("tool_choice", |out| {
            out.text("type", "function");
            out.text("name", name);
        }),
    }
    if let Some(parallel) = request.parallel_tools {
        out.boolean("parallel_tool_calls", parallel);
    }
}

fn write_tool(out: &mut Out, tool: &Tool, own: bool) {
    let function = match &tool.body {
        ToolBody::Opaque { raw, .. } | ToolBody::Hosted(raw) => return out.raw_item(raw.as_str()),
        ToolBody::Function(function) => function,
    };
    out.item(|out| {
        out.text("type", "function");
        out.text("name", &function.name);
        if let Some(description) = &function.description {
            out.text("description", description);
        }
        match &function.schema {
            Some(schema) => out.raw("parameters", schema.as_str()),
            None if own => {}
            None => out.raw("parameters", r#"{"type":"object","properties":{}}"#),
        }
        match function.strict {
            Some(strict) => out.boolean("strict", strict),
            None if own => {}
            // Strict is what happens here where nobody says, and not where the request is from.
            None => out.boolean("strict", false),
        }
        if own {
            out.extra(&tool.extra);
        }
    });
}
