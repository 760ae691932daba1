//! A request, read for its meaning.

use super::NAME;
use super::content::content;
use super::item::{message, opaque, parts, result};
use super::mark::{INPUT, INSTRUCTIONS, mark};
use super::tool::{tool, tool_choice};
use crate::chat::{
    Body, Effort, Extra, Format, Logprobs, Part, Reasoning, Request, Role, Sampling, Schema, Turn,
    unseal_behind,
};
use crate::field_value::{invalid_json, missing};
use crate::json::{Fields, items, text};
use crate::refusal::Refusal;

/// Items that the caller gives beside messages and results: what their kinds end in, or are.
const CALLERS: [&str; 4] =
    ["_output", "mcp_approval_response", "item_reference", "additional_tools"];

/// Reads what a request means. The body has been checked by [`super::read`] before.
///
/// # Errors
/// A 400 that names the field.
pub fn read_request(body: &[u8]) -> Result<Request, Refusal> {
    let body = std::str::from_utf8(body)
        .map_err(|error| invalid_json(format!("request body is no UTF-8: {error}")))?;
    let not_json = |at| invalid_json(format!("request body is not a JSON object at byte {at}"));
    let mut fields = Fields::read(body).map_err(|malformed| not_json(malformed.at))?;
    let mut turns: Vec<Turn> = fields.take("instructions", instructions).into_iter().collect();
    input(&mut fields, &mut turns)?;
    let (format, output_extra) = format(&mut fields);
    Ok(Request {
        dialect: NAME,
        model: fields.text("model").ok_or_else(|| missing("model"))?,
        turns,
        tools: fields.filled("tools").into_iter().map(tool).collect(),
        tool_choice: fields.take("tool_choice", tool_choice),
        parallel_tools: fields.boolean("parallel_tool_calls"),
        format,
        sampling: Sampling {
            temperature: fields.number("temperature"),
            top_p: fields.number("top_p"),
            ..Sampling::default()
        },
        output_tokens_max: fields.whole("max_output_tokens"),
        stop: Vec::new(),
        answers: None,
        logprobs: logprobs(&mut fields),
        reasoning: reasoning(&mut fields),
        stream: fields.boolean("stream"),
        user: fields.text("user"),
        cache: None,
        extra: fields.rest(),
        output_extra,
    })
}

fn instructions(value: &str) -> Option<Turn> {
    let parts = vec![Part::text(text(value)?)];
    let extra = mark(INSTRUCTIONS);
    Some(Turn { role: Role::System, name: None, parts, plain: true, cache: None, extra })
}

fn wrong(say: &str) -> Refusal {
    Refusal::invalid("invalid_value", Some("input"), say)
}

fn input(fields: &mut Fields<'_>, turns: &mut Vec<Turn>) -> Result<(), Refusal> {
    // Stored prompts and answers may stand in its place.
    let Some(value) = fields.get("input") else { return Ok(()) };
    if let Some(words) = fields.text("input") {
        let (role, parts, extra) = (Role::User, vec![Part::text(words)], mark(INPUT));
        turns.push(Turn { role, name: None, parts, plain: true, cache: None, extra });
        return Ok(());
    }
    let list = items(value).ok_or_else(|| wrong("'input' must be a text or an array of items"))?;
    // An empty list stays what it is.
    if !list.is_empty() {
        fields.list("input");
    }
    list.into_iter().try_for_each(|item| add(turns, item))
}

fn add(turns: &mut Vec<Turn>, item: &str) -> Result<(), Refusal> {
    let fields = Fields::read(item).map_err(|_| wrong("'input' must be an array of objects"))?;
    let kind = fields.get("type").and_then(text);
    let role = fields.get("role").and_then(text);
    match (kind.as_deref(), role.as_deref()) {
        (None | Some("message"), Some("assistant")) => {
            let said = message(fields).unwrap_or_else(|| vec![opaque(item, "message")]);
            say(turns, said);
        }
        (None | Some("message"), _) => turns.push(turn(fields)?),
        (Some("function_call_output" | "custom_tool_call_output"), _) => {
            let kind = kind.as_deref().unwrap_or_default();
            let part = result(item).unwrap_or_else(|| opaque(item, kind));
            turns.push(of(Role::Tool, vec![part]));
        }
        (Some(kind), _) if CALLERS.iter().any(|end| kind.ends_with(end)) => {
            turns.push(of(Role::User, vec![opaque(item, kind)]));
        }
        (Some(_), _) => say(turns, parts(item)),
    }
    Ok(())
}

fn of(role: Role, parts: Vec<Part>) -> Turn {
    Turn { role, name: None, parts, plain: false, cache: None, extra: Extra::default() }
}

/// What the model said at once is one turn, however many items it is.
fn say(turns: &mut Vec<Turn>, parts: Vec<Part>) {
    if turns.last().is_none_or(|turn| turn.role != Role::Assistant) {
        turns.push(of(Role::Assistant, Vec::new()));
    }
    let Some(turn) = turns.last_mut() else { return };
    for part in parts {
        let is_thought = matches!(part.body, Body::Thinking(_));
        let carried = part.signature.as_deref().filter(|_| is_thought);
        if !carried.is_some_and(|text| unseal_behind(&mut turn.parts, text)) {
            turn.parts.push(part);
        }
    }
}

fn turn(mut fields: Fields<'_>) -> Result<Turn, Refusal> {
    let name = fields.text("role").unwrap_or_default();
    let role = match name.as_str() {
        "user" => Role::User,
        "system" => Role::System,
        "developer" => Role::Developer,
        _ => return Err(wrong(&format!("unknown role '{name:.40}' in 'input'"))),
    };
    let given = fields.take("content", |value| content(value, "input_text"));
    let (parts, plain) =
        given.ok_or_else(|| wrong("'content' must be a text or an array of parts"))?;
    Ok(Turn { role, name: None, parts, plain, cache: None, extra: fields.rest() })
}

/// The shape of the answer, and what stands beside it in `text`.
fn format(fields: &mut Fields<'_>) -> (Option<Format>, Extra) {
    let given = |value| Fields::read(value).ok().filter(|inner| !inner.is_empty());
    let Some(mut inner) = fields.take("text", given) else { return (None, Extra::default()) };
    (inner.take("format", shape), inner.rest())
}

fn shape(value: &str) -> Option<Format> {
    let mut fields = Fields::read(value).ok()?;
    let kind = fields.text("type")?;
    let format = match kind.as_str() {
        "text" => Format::Text,
        "json_object" => Format::Json,
        "json_schema" => Format::Schema(Schema {
            name: fields.text("name"),
            description: fields.text("description"),
            schema: fields.raw("schema")?,
            strict: fields.boolean("strict"),
        }),
        _ => return None,
    };
    fields.is_empty().then_some(format)
}

/// What `include` calls the likelihood of words.
pub(super) const LIKELY: &str = "message.output_text.logprobs";

/// Asked for by a number of tokens that could have stood there, or in `include`, which stays what it is.
fn logprobs(fields: &mut Fields<'_>) -> Option<Logprobs> {
    let asked =
        |value| Some(items(value)?.into_iter().any(|item| text(item).as_deref() == Some(LIKELY)));
    let included = fields.get("include").and_then(asked).unwrap_or(false);
    let top = fields.whole("top_logprobs");
    let on = (included || top.is_some_and(|top| top > 0)).then_some(true);
    (on.is_some() || top.is_some()).then_some(Logprobs { on, top })
}

/// How hard to think. Where more is said than has a name, the field stays what it is as well.
fn reasoning(fields: &mut Fields<'_>) -> Option<Reasoning> {
    let mut inner = Fields::read(fields.get("reasoning")?).ok()?;
    let asked = Reasoning {
        effort: inner.text("effort").map(|name| Effort::named(&name)),
        display: inner.text("summary"),
        ..Reasoning::default()
    };
    if inner.is_empty() && asked != Reasoning::default() {
        fields.object("reasoning");
    }
    (asked != Reasoning::default()).then_some(asked)
}
