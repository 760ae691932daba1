//! A request, read for its meaning.

use super::NAME;
use super::message::{Pending, none, turn};
use crate::chat::{
    Effort, Extra, Format, Function, Logprobs, Raw, Reasoning, Request, Sampling, Schema, Thinks,
    Tool, ToolBody,
};
use crate::field_value::{invalid_json, missing};
use crate::json::{Fields, Out, items, text};
use crate::refusal::Refusal;

/// Reads what a request means. The body has been checked by [`super::read`] before.
///
/// # Errors
/// A 400 that names the field.
pub fn read_request(body: &[u8]) -> Result<Request, Refusal> {
    let text = std::str::from_utf8(body)
        .map_err(|error| invalid_json(format!("request body is no UTF-8: {error}")))?;
    let not_json = |at| invalid_json(format!("request body is not a JSON object at byte {at}"));
    let mut fields = Fields::read(text).map_err(|malformed| not_json(malformed.at))?;
    let mut pending = Pending::default();
    let mut turns = Vec::new();
    for message in fields.list("messages").ok_or_else(|| missing("messages"))? {
        turns.push(turn(message, &mut pending)?);
    }
    let mut options = fields.object("options").unwrap_or_default();
    let sampling = Sampling {
        temperature: options.number("temperature"),
        top_p: options.number("top_p"),
        top_k: options.number("top_k"),
        frequency_penalty: options.number("frequency_penalty"),
        presence_penalty: options.number("presence_penalty"),
        seed: options.number("seed"),
    };
    let output_tokens_max = options.whole("num_predict");
    let stop = options.take("stop", texts).unwrap_or_default();
    Ok(Request {
        dialect: NAME,
        model: fields.text("model").ok_or_else(|| missing("model"))?,
        turns,
        tools: fields.filled("tools").into_iter().map(tool).collect(),
        tool_choice: None,
        parallel_tools: None,
        format: fields.take("format", format),
        sampling,
        output_tokens_max,
        stop,
        answers: None,
        logprobs: logprobs(&mut fields),
        reasoning: fields.take("think", think),
        stream: fields.boolean("stream"),
        user: None,
        cache: None,
        extra: with_options(fields.rest(), options),
        output_extra: none(),
    })
}

fn logprobs(fields: &mut Fields<'_>) -> Option<Logprobs> {
    let (on, top) = (fields.boolean("logprobs"), fields.whole("top_logprobs"));
    (on.is_some() || top.is_some()).then_some(Logprobs { on, top })
}

/// What is left, and the options that are.
fn with_options(rest: Extra, options: Fields<'_>) -> Extra {
    let options = options.rest();
    let mut all: Vec<(String, Raw)> =
        rest.iter().map(|(key, raw)| (key.to_owned(), raw.clone())).collect();
    if !options.is_empty() {
        let object = Out::object(|out| out.extra(&options));
        all.push(("options".to_owned(), Raw::new(&String::from_utf8_lossy(&object))));
    }
    all.into_iter().collect()
}

fn texts(value: &str) -> Option<Vec<String>> {
    if let Some(one) = text(value) {
        return Some(vec![one]);
    }
    items(value).filter(|items| !items.is_empty())?.into_iter().map(text).collect()
}

fn format(value: &str) -> Option<Format> {
    if value.starts_with('{') {
        let (name, description, strict) = (None, None, Some(true));
        let schema = Raw::new(value);
        return Some(Format::Schema(Schema { name, description, schema, strict }));
    }
    (text(value)? == "json").then_some(Format::Json)
}

fn think(value: &str) -> Option<Reasoning> {
    let thinks = match value {
        "true" => Some(Thinks::Yes),
        "false" => Some(Thinks::No),
        _ => None,
    };
    let effort = text(value).map(|name| Effort::named(&name));
    let asked = Reasoning { thinks, effort, ..Reasoning::default() };
    (asked != Reasoning::default()).then_some(asked)
}

fn tool(value: &str) -> Tool {
    function(value).unwrap_or_else(|| {
        let body = ToolBody::Opaque { kind: String::new(), raw: Raw::new(value) };
        Tool { body, cache: None, extra: none(), inner: none() }
    })
}

fn function(value: &str) -> Option<Tool> {
    let mut fields = Fields::read(value).ok()?;
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
    Some(Tool { body, cache: None, extra: fields.rest(), inner: inner.rest() })
}
