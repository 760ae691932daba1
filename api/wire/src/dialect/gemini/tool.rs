//! Tools and the choice among them, read.

use super::part::{object, several};
use super::schema::to_json_schema;
use crate::chat::{Extra, Function, Raw, Tool, ToolBody, ToolChoice};
use crate::json::{Fields, Out, items, text};

/// The tools of a list. One entry holds any number of functions and of tools that Google runs.
pub(super) fn tools(value: &str) -> Option<Vec<Tool>> {
    let list = several(value).filter(|list| !list.is_empty())?;
    Some(list.into_iter().flat_map(entry).collect())
}

fn entry(value: &str) -> Vec<Tool> {
    let Some(mut fields) = object(value) else { return vec![opaque("", value)] };
    let functions = fields.take("functionDeclarations", several).unwrap_or_default();
    let mut tools: Vec<Tool> = functions.into_iter().map(function).collect();
    for (kind, raw) in fields.rest().iter().filter(|(_, raw)| raw.as_str() != "null") {
        let alone = Out::object(|out| out.raw(kind, raw.as_str()));
        tools.push(opaque(kind, &String::from_utf8_lossy(&alone)));
    }
    tools
}

fn opaque(kind: &str, raw: &str) -> Tool {
    let body = ToolBody::Opaque { kind: kind.to_owned(), raw: Raw::new(raw) };
    Tool { body, cache: None, extra: Extra::default(), inner: Extra::default() }
}

fn function(value: &str) -> Tool {
    let Some(mut fields) = object(value) else { return opaque("", value) };
    let Some(name) = fields.text("name") else { return opaque("", value) };
    let newer = fields.raw("parametersJsonSchema");
    let schema = newer.or_else(|| fields.take("parameters", |older| Some(to_json_schema(older))));
    let body = ToolBody::Function(Function {
        name,
        description: fields.text("description"),
        schema,
        strict: None,
    });
    Tool { body, cache: None, extra: fields.rest(), inner: Extra::default() }
}

/// Which tools to call. A choice that can be said only here stays where it is, beside what comes
/// closest to it.
pub(super) fn choice(fields: &mut Fields<'_>) -> Option<ToolChoice> {
    let (choice, whole) = fields.get("toolConfig").and_then(read_choice)?;
    if whole {
        fields.raw("toolConfig");
    }
    choice
}

/// A choice, and whether there is nothing more to it.
fn read_choice(value: &str) -> Option<(Option<ToolChoice>, bool)> {
    let mut config = object(value)?;
    let Some(mut calling) = config.object("functionCallingConfig").map(Fields::camel) else {
        return Some((None, config.is_empty()));
    };
    let mode = calling.text("mode")?.to_ascii_uppercase();
    let names = calling.take("allowedFunctionNames", names).unwrap_or_default();
    let nothing_else = config.is_empty() && calling.is_empty();
    Some(match (mode.as_str(), &names[..]) {
        ("AUTO", []) => (Some(ToolChoice::Auto), nothing_else),
        ("NONE", _) => (Some(ToolChoice::Never), nothing_else),
        ("ANY", [name]) => (Some(ToolChoice::Tool(name.clone())), nothing_else),
        ("ANY", []) => (Some(ToolChoice::Required), nothing_else),
        ("ANY", _) => (Some(ToolChoice::Required), false),
        _ => (None, false),
    })
}

fn names(value: &str) -> Option<Vec<String>> {
    items(value)?.into_iter().map(text).collect()
}
