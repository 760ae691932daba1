//! A request, read for its meaning.

use super::NAME;
use super::config::config;
use super::ids;
use super::part::{object, parts, several};
use super::tool;
use crate::chat::{Extra, Request, Role, Turn};
use crate::field_value::{invalid_json, missing};
use crate::json::{Fields, text};
use crate::refusal::Refusal;

/// Reads what a request means. The body has been checked by [`super::read`] before; model and stream
/// stand in the path.
///
/// # Errors
/// A 400 that names the field.
pub fn read_request(body: &[u8]) -> Result<Request, Refusal> {
    let body = std::str::from_utf8(body)
        .map_err(|error| invalid_json(format!("request body is no UTF-8: {error}")))?;
    let not_json = |at| invalid_json(format!("request body is not a JSON object at byte {at}"));
    let fields = Fields::read(body).map_err(|malformed| not_json(malformed.at))?;
    request(fields.camel())
}

/// A request out of its members.
pub(super) fn request(mut fields: Fields<'_>) -> Result<Request, Refusal> {
    let mut turns = Vec::new();
    turns.extend(fields.take("systemInstruction", system));
    for content in fields.take("contents", several).ok_or_else(|| missing("contents"))? {
        turns.push(turn(content)?);
    }
    ids::give(&mut turns);
    let config = config(fields.object("generationConfig").unwrap_or_default().camel());
    let tool_choice = tool::choice(&mut fields);
    Ok(Request {
        dialect: NAME,
        model: fields.text("model").unwrap_or_default(),
        turns,
        tools: fields.take("tools", tool::tools).unwrap_or_default(),
        tool_choice,
        parallel_tools: None,
        format: config.format,
        sampling: config.sampling,
        output_tokens_max: config.output_tokens_max,
        stop: config.stop,
        answers: config.answers,
        logprobs: config.logprobs,
        reasoning: config.reasoning,
        stream: None,
        user: None,
        cache: None,
        extra: fields.rest(),
        output_extra: config.extra,
    })
}

/// The system prompt: a content, or its bare text.
fn system(value: &str) -> Option<Turn> {
    let (parts, extra) = match text(value) {
        Some(words) => (vec![crate::chat::Part::text(words)], Extra::default()),
        None => {
            let mut fields = object(value)?;
            (fields.take("parts", parts).unwrap_or_default(), fields.rest())
        }
    };
    (!parts.is_empty()).then_some(Turn {
        role: Role::System,
        name: None,
        parts,
        plain: false,
        cache: None,
        extra,
    })
}

fn turn(content: &str) -> Result<Turn, Refusal> {
    let wrong = |say: String| Refusal::invalid("invalid_value", Some("contents"), say);
    let mut fields =
        object(content).ok_or_else(|| wrong("'contents' must hold objects".to_owned()))?;
    let role = fields.text("role").unwrap_or_default();
    let role = match role.as_str() {
        "user" | "" | "function" | "tool" => Role::User,
        "model" => Role::Assistant,
        "system" => Role::System,
        _ => return Err(wrong(format!("unknown role '{role:.40}' in 'contents'"))),
    };
    let parts = fields.take("parts", parts).unwrap_or_default();
    Ok(Turn { role, name: None, parts, plain: false, cache: None, extra: fields.rest() })
}
