//! A request, read for its meaning.

use super::NAME;
use super::content::{call, citation, content, document, plan};
use crate::chat::{
    Body, Extra, Format, Function, Logprobs, Part, Raw, Reasoning, Request, Role, Sampling, Schema,
    Thinks, Tool, ToolBody, ToolChoice, ToolResult, Turn,
};
use crate::field_value::{invalid_json, missing};
use crate::json::{Fields, items, text};
use crate::refusal::Refusal;

/// The mark of the turn that holds what was given as `documents`.
pub(super) const DOCUMENTS: &str = "documents";

/// Reads what a request means. The body has been checked by [`super::read`] before.
///
/// # Errors
/// A 400 that names the field.
pub fn read_request(body: &[u8]) -> Result<Request, Refusal> {
    let body = std::str::from_utf8(body)
        .map_err(|error| invalid_json(format!("request body is no UTF-8: {error}")))?;
    let not_json = |at| invalid_json(format!("request body is not a JSON object at byte {at}"));
    let mut fields = Fields::read(body).map_err(|malformed| not_json(malformed.at))?;
    let messages = fields.list("messages").ok_or_else(|| missing("messages"))?;
    let mut turns = messages.into_iter().map(turn).collect::<Result<Vec<_>, _>>()?;
    let given = fields.filled("documents");
    if !given.is_empty() {
        let talk = turns.iter().position(|turn| turn.role != Role::System);
        let documents = of(Role::User, given.into_iter().map(document).collect());
        let extra = [(DOCUMENTS.to_owned(), Raw::new("null"))].into_iter().collect();
        turns.insert(talk.unwrap_or(turns.len()), Turn { extra, ..documents });
    }
    Ok(Request {
        dialect: NAME,
        model: fields.text("model").ok_or_else(|| missing("model"))?,
        turns,
        tools: fields.filled("tools").into_iter().map(tool).collect(),
        tool_choice: fields.take("tool_choice", tool_choice),
        parallel_tools: None,
        format: fields.take("response_format", format),
        sampling: Sampling {
            temperature: fields.number("temperature"),
            top_p: fields.number("p"),
            top_k: fields.number("k"),
            frequency_penalty: fields.number("frequency_penalty"),
            presence_penalty: fields.number("presence_penalty"),
            seed: fields.number("seed"),
        },
        output_tokens_max: fields.whole("max_tokens"),
        stop: fields.take("stop_sequences", texts).unwrap_or_default(),
        answers: None,
        logprobs: fields.boolean("logprobs").map(|on| Logprobs { on: Some(on), top: None }),
        reasoning: fields.take("thinking", reasoning),
        stream: fields.boolean("stream"),
        user: None,
        cache: None,
        extra: fields.rest(),
        output_extra: Extra::default(),
    })
}

fn of(role: Role, parts: Vec<Part>) -> Turn {
    Turn { role, name: None, parts, plain: false, cache: None, extra: Extra::default() }
}

fn turn(message: &str) -> Result<Turn, Refusal> {
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
    let given = fields.take("content", content);
    let plain = given.as_ref().is_none_or(|(_, plain)| *plain);
    let mut parts = given.map(|(parts, _)| parts).unwrap_or_default();
    if role == Role::Tool {
        let id = fields.text("tool_call_id").unwrap_or_default();
        let content = std::mem::take(&mut parts);
        let result = ToolResult { id, name: None, content, plain, is_error: None };
        parts.push(Part::new(Body::ToolResult(result)));
    }
    if role == Role::Assistant {
        said(&mut fields, &mut parts);
    }
    Ok(Turn { plain, extra: fields.rest(), ..of(role, parts) })
}

/// What stands beside the content of what the model said: a plan before, calls behind, sources.
pub(super) fn said(fields: &mut Fields<'_>, parts: &mut Vec<Part>) {
    for value in fields.filled("citations") {
        let at = Fields::read(value).ok().and_then(|mut from| from.whole("content_index"));
        let is_text = |part: &Part| matches!(part.body, Body::Text(_));
        let named = at.and_then(|at| usize::try_from(at).ok());
        let place = named.filter(|at| parts.get(*at).is_some_and(is_text));
        let place = place.or_else(|| parts.iter().rposition(is_text));
        if let Some(Part { body: Body::Text(text), .. }) = place.and_then(|at| parts.get_mut(at)) {
            text.citations.push(citation(value));
        }
    }
    if let Some(text) = fields.text("tool_plan") {
        parts.insert(0, plan(text));
    }
    parts.extend(fields.filled("tool_calls").into_iter().filter_map(call));
}

fn texts(value: &str) -> Option<Vec<String>> {
    items(value).filter(|items| !items.is_empty())?.into_iter().map(text).collect()
}

fn tool(value: &str) -> Tool {
    function(value).unwrap_or_else(|| {
        let kind = Fields::read(value).ok().and_then(|mut fields| fields.text("type"));
        let body = ToolBody::Opaque { kind: kind.unwrap_or_default(), raw: Raw::new(value) };
        Tool { body, cache: None, extra: Extra::default(), inner: Extra::default() }
    })
}

fn function(value: &str) -> Option<Tool> {
    let mut fields = Fields::read(value).ok()?;
    let mut inner = fields.tag("type", "function").then(|| fields.object("function"))??;
    let body = ToolBody::Function(Function {
        name: inner.text("name")?,
        description: inner.text("description"),
        schema: inner.raw("parameters"),
        strict: None,
    });
    Some(Tool { body, cache: None, extra: fields.rest(), inner: inner.rest() })
}

fn tool_choice(value: &str) -> Option<ToolChoice> {
    match text(value)?.as_str() {
        "REQUIRED" => Some(ToolChoice::Required),
        "NONE" => Some(ToolChoice::Never),
        _ => None,
    }
}

fn format(value: &str) -> Option<Format> {
    let mut fields = Fields::read(value).ok()?;
    let kind = fields.text("type")?;
    // The older key means the same.
    let schema = fields.raw("json_schema").or_else(|| fields.raw("schema"));
    let format = match (kind.as_str(), schema) {
        ("text", None) => Format::Text,
        ("json_object", None) => Format::Json,
        ("json_object", Some(schema)) => {
            let strict = Some(true);
            Format::Schema(Schema { name: None, description: None, schema, strict })
        }
        _ => return None,
    };
    fields.is_empty().then_some(format)
}

fn reasoning(value: &str) -> Option<Reasoning> {
    let mut fields = Fields::read(value).ok()?;
    let thinks = match fields.text("type")?.as_str() {
        "enabled" => Thinks::Yes,
        "disabled" => Thinks::No,
        _ => return None,
    };
    let budget_tokens = fields.whole("token_budget");
    let thinks = Some(thinks);
    fields.is_empty().then_some(Reasoning { thinks, budget_tokens, ..Reasoning::default() })
}
