//! A request, read for its meaning.

use super::NAME;
use super::block::{cache, content};
use crate::chat::{
    Effort, Extra, Format, Function, Raw, Reasoning, Request, Role, Sampling, Schema, Thinks, Tool,
    ToolBody, ToolChoice, Turn,
};
use crate::field_value::{invalid_json, missing};
use crate::json::{Fields, items, text};
use crate::refusal::Refusal;

/// Reads what a request means. The body has been checked by [`super::read`] before.
///
/// # Errors
/// A 400 that names the field.
pub fn read_request(body: &[u8]) -> Result<Request, Refusal> {
    let request = read_enveloped(body)?;
    if request.model.is_empty() {
        return Err(missing("model"));
    }
    Ok(request)
}

/// Reads what a request means whose model stands in the path.
///
/// # Errors
/// A 400 that names the field.
pub(crate) fn read_enveloped(body: &[u8]) -> Result<Request, Refusal> {
    let text = std::str::from_utf8(body)
        .map_err(|error| invalid_json(format!("request body is no UTF-8: {error}")))?;
    let not_json = |at| invalid_json(format!("request body is not a JSON object at byte {at}"));
    let mut fields = Fields::read(text).map_err(|malformed| not_json(malformed.at))?;
    let mut turns = Vec::new();
    turns.extend(fields.take("system", system));
    for message in fields.list("messages").ok_or_else(|| missing("messages"))? {
        turns.push(turn(message)?);
    }
    let (tool_choice, parallel_tools) = tool_choice(&mut fields);
    let (format, effort, output_extra) = output_config(&mut fields);
    let reasoning = reasoning(&mut fields, effort);
    Ok(Request {
        dialect: NAME,
        model: fields.text("model").unwrap_or_default(),
        turns,
        tools: fields.filled("tools").into_iter().map(tool).collect(),
        tool_choice,
        parallel_tools,
        format: format.or_else(|| fields.take("output_format", format_of)),
        sampling: Sampling {
            temperature: fields.number("temperature"),
            top_p: fields.number("top_p"),
            top_k: fields.number("top_k"),
            ..Sampling::default()
        },
        output_tokens_max: fields.whole("max_tokens"),
        stop: fields.take("stop_sequences", texts).unwrap_or_default(),
        answers: None,
        logprobs: None,
        reasoning,
        stream: fields.boolean("stream"),
        user: fields.take("metadata", user),
        cache: cache(&mut fields),
        extra: fields.rest(),
        output_extra,
    })
}

fn system(value: &str) -> Option<Turn> {
    let (parts, plain) = content(value).filter(|(parts, _)| !parts.is_empty())?;
    Some(Turn {
        role: Role::System,
        name: None,
        parts,
        plain,
        cache: None,
        extra: Extra::default(),
    })
}

fn turn(message: &str) -> Result<Turn, Refusal> {
    let wrong = |say: String| Refusal::invalid("invalid_value", Some("messages"), say);
    let mut fields = Fields::read(message)
        .map_err(|_| wrong("'messages' must be an array of objects".to_owned()))?;
    let role = fields.text("role").unwrap_or_default();
    let role = match role.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        _ => return Err(wrong(format!("unknown role '{role:.40}' in 'messages'"))),
    };
    let given = fields.take("content", content);
    let (parts, plain) =
        given.ok_or_else(|| wrong("'content' must be a text or an array of blocks".to_owned()))?;
    Ok(Turn { role, name: None, parts, plain, cache: None, extra: fields.rest() })
}

fn texts(value: &str) -> Option<Vec<String>> {
    items(value).filter(|items| !items.is_empty())?.into_iter().map(text).collect()
}

fn user(value: &str) -> Option<String> {
    let mut inner = Fields::read(value).ok()?;
    let user = inner.text("user_id");
    user.filter(|_| inner.is_empty())
}

fn tool(value: &str) -> Tool {
    let opaque = |kind: String| ToolBody::Opaque { kind, raw: Raw::new(value) };
    let none = Extra::default;
    let Ok(mut fields) = Fields::read(value) else {
        return Tool { body: opaque(String::new()), cache: None, extra: none(), inner: none() };
    };
    let kind = fields.get("type").and_then(text);
    let name = fields.text("name");
    match (kind, name) {
        (None, Some(name)) => function(fields, name),
        // The type stays among the rest: it may as well be left out.
        (Some(kind), Some(name)) if kind == "custom" => function(fields, name),
        (kind, _) => {
            let body = opaque(kind.unwrap_or_default());
            Tool { body, cache: None, extra: none(), inner: none() }
        }
    }
}

fn function(mut fields: Fields<'_>, name: String) -> Tool {
    let cache = cache(&mut fields);
    let body = ToolBody::Function(Function {
        name,
        description: fields.text("description"),
        schema: fields.raw("input_schema"),
        strict: fields.boolean("strict"),
    });
    Tool { body, cache, extra: fields.rest(), inner: Extra::default() }
}

fn tool_choice(fields: &mut Fields<'_>) -> (Option<ToolChoice>, Option<bool>) {
    let read = fields.take("tool_choice", |value| {
        let mut inner = Fields::read(value).ok()?;
        let kind = inner.text("type")?;
        let parallel = inner.boolean("disable_parallel_tool_use").map(|disabled| !disabled);
        let choice = match kind.as_str() {
            "auto" => ToolChoice::Auto,
            "any" => ToolChoice::Required,
            "none" => ToolChoice::Never,
            "tool" => ToolChoice::Tool(inner.text("name")?),
            _ => return None,
        };
        inner.is_empty().then_some((choice, parallel))
    });
    read.map_or((None, None), |(choice, parallel)| (Some(choice), parallel))
}

fn output_config(fields: &mut Fields<'_>) -> (Option<Format>, Option<Effort>, Extra) {
    let Some(mut inner) = fields.object("output_config") else {
        return (None, None, Extra::default());
    };
    let format = inner.take("format", format_of);
    let effort = inner.text("effort").map(|name| Effort::named(&name));
    (format, effort, inner.rest())
}

fn format_of(value: &str) -> Option<Format> {
    let mut inner = Fields::read(value).ok()?;
    if !inner.tag("type", "json_schema") {
        return None;
    }
    let schema = inner.raw("schema")?;
    let (name, description, strict) = (None, None, Some(true));
    inner.is_empty().then_some(Format::Schema(Schema { name, description, schema, strict }))
}

fn reasoning(fields: &mut Fields<'_>, effort: Option<Effort>) -> Option<Reasoning> {
    let read = fields.take("thinking", |value| {
        let mut inner = Fields::read(value).ok()?;
        let kind = inner.text("type")?;
        let thinks = match kind.as_str() {
            "enabled" => Thinks::Yes,
            "disabled" => Thinks::No,
            "adaptive" => Thinks::Adaptively,
            _ => return None,
        };
        let budget_tokens = inner.whole("budget_tokens");
        let display = inner.text("display");
        let thinks = Some(thinks);
        inner.is_empty().then_some(Reasoning { thinks, effort: None, budget_tokens, display })
    });
    match (read, effort) {
        (None, None) => None,
        (read, effort) => Some(Reasoning { effort, ..read.unwrap_or_default() }),
    }
}
