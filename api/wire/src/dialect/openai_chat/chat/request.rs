//! A request, read for its meaning.

use super::super::NAME;
use super::content::{self, cache};
use super::reasoning;
use super::tool::{tool, tool_call, tool_choice};
use crate::chat::{
    Body, Cache, Format, Logprobs, Part, Request, Role, Sampling, Schema, ToolResult, Turn,
};
use crate::field_value::{invalid_json, missing};
use crate::json::{Fields, items, text};
use crate::refusal::Refusal;

/// Reads what a request means. The body has been checked by [`super::super::read`] before.
///
/// # Errors
/// A 400 that names the field.
pub fn read_request(body: &[u8]) -> Result<Request, Refusal> {
    let body = std::str::from_utf8(body)
        .map_err(|error| invalid_json(format!("request body is no UTF-8: {error}")))?;
    let not_json = |at| invalid_json(format!("request body is not a JSON object at byte {at}"));
    let mut fields = Fields::read(body).map_err(|malformed| not_json(malformed.at))?;
    let messages = fields.list("messages").ok_or_else(|| missing("messages"))?;
    let turns = messages.into_iter().map(turn).collect::<Result<Vec<_>, _>>()?;
    // The newer of the two counts where both are given; the older stays among the rest then.
    let limit = fields.whole("max_completion_tokens").or_else(|| fields.whole("max_tokens"));
    Ok(Request {
        dialect: NAME,
        model: fields.text("model").ok_or_else(|| missing("model"))?,
        turns,
        tools: fields.filled("tools").into_iter().map(tool).collect(),
        tool_choice: fields.take("tool_choice", tool_choice),
        parallel_tools: fields.boolean("parallel_tool_calls"),
        format: fields.take("response_format", format),
        sampling: Sampling {
            temperature: fields.number("temperature"),
            top_p: fields.number("top_p"),
            top_k: fields.number("top_k"),
            frequency_penalty: fields.number("frequency_penalty"),
            presence_penalty: fields.number("presence_penalty"),
            seed: fields.number("seed"),
        },
        output_tokens_max: limit,
        stop: fields.take("stop", stop).unwrap_or_default(),
        answers: fields.whole("n"),
        logprobs: logprobs(&mut fields),
        reasoning: reasoning::asked(&fields),
        stream: fields.boolean("stream"),
        user: fields.text("user"),
        cache: None,
        extra: fields.rest(),
        output_extra: crate::chat::Extra::default(),
    })
}

fn turn(message: &str) -> Result<Turn, Refusal> {
    let wrong = |say: String| Refusal::invalid("invalid_value", Some("messages"), say);
    let mut fields = Fields::read(message)
        .map_err(|_| wrong("'messages' must be an array of objects".to_owned()))?;
    let role = fields.text("role").unwrap_or_default();
    let role = match role.as_str() {
        "system" => Role::System,
        "developer" => Role::Developer,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        "function" => {
            let say = "role 'function' is no longer spoken: give results of tools as role 'tool'";
            return Err(wrong(say.to_owned()));
        }
        _ => return Err(wrong(format!("unknown role '{role:.40}' in 'messages'"))),
    };
    if fields.get("content").is_some_and(|content| content.starts_with('{')) {
        return Err(wrong("'content' must be a text or an array of parts".to_owned()));
    }
    let name = fields.text("name");
    let cache = cache(&mut fields);
    let given = fields.take("content", content::content);
    let plain = given.as_ref().is_none_or(|(_, plain)| *plain);
    let content = given.map(|(parts, _)| parts).unwrap_or_default();
    let parts = match role {
        Role::Tool => vec![result(&mut fields, content, plain)],
        Role::Assistant => assistant(&mut fields, content),
        Role::System | Role::Developer | Role::User => content,
    };
    Ok(Turn { role, name, parts, plain, cache, extra: fields.rest() })
}

fn result(fields: &mut Fields<'_>, content: Vec<Part>, plain: bool) -> Part {
    let id = fields.text("tool_call_id").unwrap_or_default();
    Part::new(Body::ToolResult(ToolResult { id, name: None, content, plain, is_error: None }))
}

/// What a model said: thoughts first, then words, then calls.
fn assistant(fields: &mut Fields<'_>, content: Vec<Part>) -> Vec<Part> {
    let mut parts = reasoning::thoughts(fields);
    parts.extend(content);
    let refusal = fields.text("refusal").map(|text| Part::new(Body::Refusal(text)));
    parts.extend(refusal);
    let calls = fields.filled("tool_calls");
    parts.extend(calls.into_iter().map(tool_call));
    parts
}

fn stop(value: &str) -> Option<Vec<String>> {
    let list =
        |value| items(value).filter(|items| !items.is_empty())?.into_iter().map(text).collect();
    text(value).map(|one| vec![one]).or_else(|| list(value))
}

fn logprobs(fields: &mut Fields<'_>) -> Option<Logprobs> {
    let (on, top) = (fields.boolean("logprobs"), fields.whole("top_logprobs"));
    (on.is_some() || top.is_some()).then_some(Logprobs { on, top })
}

fn format(value: &str) -> Option<Format> {
    let mut fields = Fields::read(value).ok()?;
    let kind = fields.text("type")?;
    let format = match kind.as_str() {
        "text" => Format::Text,
        "json_object" => Format::Json,
        "json_schema" => Format::Schema(schema(fields.object("json_schema")?)?),
        _ => return None,
    };
    fields.is_empty().then_some(format)
}

fn schema(mut fields: Fields<'_>) -> Option<Schema> {
    let schema = Schema {
        name: fields.text("name"),
        description: fields.text("description"),
        schema: fields.raw("schema")?,
        strict: fields.boolean("strict"),
    };
    fields.is_empty().then_some(schema)
}

/// A marker without a time of its own.
pub(super) const fn cache_of(ttl: Option<String>) -> Cache {
    Cache { ttl }
}
