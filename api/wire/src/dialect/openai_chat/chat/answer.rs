//! A plain answer, read.

use super::super::{NAME, read_error};
use super::content::{citations, content};
use super::reasoning::{thought, thoughts};
use super::think::{Piece, Think};
use super::tool::{arguments, tool_call};
use super::usage::{counts, everywhere};
use crate::chat::{Answer, Body, Choice, Finish, Likely, Part, Raw, ToolCall, read_tokens};
use crate::json::{Fields, text};
use crate::provider_error::ProviderError;

/// Reads an answer that came under a success status.
///
/// # Errors
/// The failure that the body reports, or that it is.
pub fn read_answer(body: &[u8]) -> Result<Answer, ProviderError> {
    let unreadable =
        |what: &str| ProviderError::unreadable(format!("the provider's answer {what}"));
    let body_text = std::str::from_utf8(body).map_err(|_| unreadable("is no UTF-8"))?;
    let mut fields = Fields::read(body_text).map_err(|_| unreadable("is not a JSON object"))?;
    let list = fields.list("choices").unwrap_or_default();
    if list.is_empty() {
        return Err(match fields.get("error") {
            Some(_) => read_error(body),
            None => unreadable("has no choices"),
        });
    }
    let id = fields.text("id").unwrap_or_default();
    let mut used = everywhere(&fields);
    let mut choices = Vec::with_capacity(list.len());
    for (at, value) in (0..).zip(list) {
        let choice =
            Fields::read(value).map_err(|_| unreadable("has a choice that is no object"))?;
        // Moonshot's older place.
        used = used.or_else(|| choice.get("usage").and_then(counts));
        choices.push(read_choice(choice, at, &id));
    }
    Ok(Answer {
        dialect: NAME,
        model: fields.text("model").unwrap_or_default(),
        created_s: fields.whole("created"),
        id,
        choices,
        counts: used,
    })
}

fn read_choice(mut fields: Fields<'_>, at: u32, id: &str) -> Choice {
    let index = fields.whole("index").and_then(|index| index.try_into().ok()).unwrap_or(at);
    let reason = fields.text("finish_reason");
    let logprobs = fields.take("logprobs", likely).into_iter().collect();
    // Perplexity gives an empty delta beside the message.
    let message = fields.object("message").or_else(|| fields.object("delta"));
    let mut parts = message.map(said).unwrap_or_default();
    for (number, part) in parts.iter_mut().enumerate() {
        if let Body::ToolCall(call) = &mut part.body
            && call.id.is_empty()
        {
            call.id = made_up_id(id, index, number);
        }
    }
    let finish = reason.and_then(|reason| finish(&reason));
    Choice { index, parts, finish, logprobs, ..Choice::default() }
}

/// How likely the words were. Of a refusal it is said in no other dialect.
pub(super) fn likely(value: &str) -> Option<Likely> {
    let content = Fields::read(value).ok().and_then(|fields| fields.get("content"));
    let tokens = content.map(read_tokens).unwrap_or_default();
    Some(Likely { raw: Some(Raw::new(value)), tokens })
}

/// What a message says: thoughts first, then words, then calls.
fn said(mut fields: Fields<'_>) -> Vec<Part> {
    let mut parts = thoughts(&fields);
    let words = fields.take("content", content).map(|(parts, _)| parts).unwrap_or_default();
    let is_silent = |part: &Part| matches!(&part.body, Body::Text(text) if text.text.is_empty());
    let words = if parts.is_empty() { words.into_iter().flat_map(apart).collect() } else { words };
    let start = parts.len();
    parts.extend(words.into_iter().filter(|part| !is_silent(part)));
    if let Some(Part { body: Body::Text(text), .. }) = parts[start..].last_mut() {
        text.citations =
            fields.take("annotations", |list| Some(citations(list))).unwrap_or_default();
    }
    if let Some(mut audio) = fields.object("audio") {
        // Sound has no place in other dialects; its words have.
        parts.extend(audio.text("transcript").map(Part::text));
    }
    let refusal = fields.text("refusal").filter(|text| !text.is_empty());
    parts.extend(refusal.map(|text| Part::new(Body::Refusal(text))));
    parts.extend(fields.list("tool_calls").unwrap_or_default().into_iter().map(tool_call));
    parts.extend(fields.take("function_call", legacy_call));
    parts
}

/// The thoughts that stand in a text, and its words.
fn apart(mut part: Part) -> Vec<Part> {
    let Body::Text(text) = &mut part.body else { return vec![part] };
    let mut think = Think::default();
    let mut parts = Vec::new();
    let mut pieces = think.push(std::mem::take(&mut text.text));
    pieces.extend(think.flush());
    for piece in pieces {
        match piece {
            Piece::Thought(words) if words.is_empty() => {}
            Piece::Thought(words) => parts.push(thought(words)),
            Piece::Words(words) => text.text.push_str(&words),
        }
    }
    parts.push(part);
    parts
}

/// The call of the time before tools, which has no id.
fn legacy_call(value: &str) -> Option<Part> {
    let mut fields = Fields::read(value).ok()?;
    Some(Part::new(Body::ToolCall(ToolCall {
        id: String::new(),
        name: fields.get("name").and_then(text)?,
        arguments: arguments(&mut fields).unwrap_or_default(),
        custom: false,
        provider_kind: None,
        namespace: None,
    })))
}

/// An id for a call that came without: the same whenever the same answer is read.
pub(super) fn made_up_id(answer: &str, choice: u32, part: usize) -> String {
    let plain: String = answer.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("call_{plain}_{choice}_{part}")
}

/// Why an answer ended; `None` where the word says nothing.
pub(super) fn finish(reason: &str) -> Option<Finish> {
    Some(match reason {
        "" => return None,
        "stop" | "eos" | "eos_token" | "end_turn" => Finish::Stop,
        "stop_sequence" => Finish::StopSequence,
        "length" | "max_tokens" => Finish::Length,
        "tool_calls" | "function_call" | "tool_use" => Finish::ToolCalls,
        "content_filter" => Finish::ContentFilter,
        other => Finish::Other(other.to_owned()),
    })
}
