//! A plain answer, read and written. An answer and the last object of a stream have the same members.

use super::NAME;
use super::message::said;
use super::write_message::Calls;
use crate::chat::{
    Answer, Body, Choice, Finish, Identity, Likely, Part, Raw, Token, read_tokens, tokens,
    write_tokens,
};
use crate::date;
use crate::dialect::openai_chat;
use crate::json::{Fields, Out};
use crate::provider_error::ProviderError;
use crate::retry_after;
use crate::usage::Usage;

/// Reads an answer that came under a success status.
///
/// # Errors
/// The failure that the body reports, or that it is.
pub fn read_answer(body: &[u8]) -> Result<Answer, ProviderError> {
    let unreadable =
        |what: &str| ProviderError::unreadable(format!("the provider's answer {what}"));
    let text = std::str::from_utf8(body).map_err(|_| unreadable("is no UTF-8"))?;
    let mut fields = Fields::read(text).map_err(|_| unreadable("is not a JSON object"))?;
    let Some(mut message) = fields.object("message") else {
        return Err(match fields.get("error") {
            Some(_) => openai_chat::read_error(body),
            None => unreadable("has no message"),
        });
    };
    let created = fields.text("created_at").unwrap_or_default();
    let mut parts = said(&mut message);
    for (number, part) in parts.iter_mut().enumerate() {
        name_call(part, &created, number);
    }
    let finish = fields.text("done_reason").map(|reason| finish(&reason));
    let logprobs = fields.take("logprobs", likely).into_iter().collect();
    let choice = Choice { parts, finish, logprobs, ..Choice::default() };
    Ok(Answer {
        dialect: NAME,
        id: String::new(),
        model: fields.text("model").unwrap_or_default(),
        created_s: seconds(&created),
        choices: vec![choice],
        counts: counts(&mut fields),
    })
}

/// How likely the words were.
pub(super) fn likely(value: &str) -> Option<Likely> {
    Some(Likely { raw: Some(Raw::new(value)), tokens: read_tokens(value) })
}

/// Writes how likely the words are, where that is known.
pub(super) fn write_likely(out: &mut Out, likely: &[Token]) {
    if !likely.is_empty() {
        write_tokens(out, "logprobs", likely);
    }
}

/// Gives a call that came without an id one: the same whenever the same answer is read.
pub(super) fn name_call(part: &mut Part, created: &str, number: usize) {
    if let Body::ToolCall(call) = &mut part.body
        && call.id.is_empty()
    {
        let time: String = created.chars().filter(char::is_ascii_digit).collect();
        call.id = format!("call_{time}_{number}");
    }
}

/// Seconds since 1970 of a time as RFC 3339 has it.
pub(super) fn seconds(created: &str) -> Option<u64> {
    retry_after::rfc3339(created).map(|ms| ms / 1000)
}

/// Why an answer ended.
pub(super) fn finish(reason: &str) -> Finish {
    match reason {
        "stop" => Finish::Stop,
        "length" => Finish::Length,
        "content_filter" => Finish::ContentFilter,
        other => Finish::Other(other.to_owned()),
    }
}

/// What was counted: the input is left out where all of it was in the cache.
pub(super) fn counts(fields: &mut Fields<'_>) -> Option<Usage> {
    let (input, output) = (fields.whole("prompt_eval_count"), fields.whole("eval_count"));
    if input.is_none() && output.is_none() {
        return None;
    }
    Some(Usage {
        input_tokens: input.unwrap_or_default(),
        output_tokens: output.unwrap_or_default(),
        ..Usage::default()
    })
}

/// Writes an answer that was read from any dialect. Of several choices the first is written: a request
/// for more is refused before.
#[must_use]
pub fn write_answer(answer: &Answer, identity: &Identity) -> Vec<u8> {
    let none = Choice::default();
    let choice = answer.choices.first().unwrap_or(&none);
    let created_s = answer.created_s.unwrap_or(identity.created_s);
    let model = if identity.model.is_empty() { &answer.model } else { &identity.model };
    Out::object(|out| {
        write_head(out, model, created_s);
        out.member("message", |out| write_said(out, &choice.parts));
        write_likely(out, &tokens(&choice.logprobs));
        write_end(out, choice.finish.as_ref(), &answer.counts.unwrap_or_default());
    })
}

/// Writes what every object begins with.
pub(super) fn write_head(out: &mut Out, model: &str, created_s: u64) {
    out.text("model", model);
    out.text("created_at", &date::rfc3339(created_s));
}

/// Writes why an answer ended, and what it used.
pub(super) fn write_end(out: &mut Out, finish: Option<&Finish>, counts: &Usage) {
    out.boolean("done", true);
    out.text(
        "done_reason",
        match finish {
            Some(Finish::Length | Finish::ContextLength) => "length",
            // No model of Ollama's own says so; it must not pass for an answer.
            Some(Finish::Refusal | Finish::ContentFilter) => "content_filter",
            Some(
                Finish::Stop
                | Finish::StopSequence
                | Finish::ToolCalls
                | Finish::Pause
                | Finish::Other(_),
            )
            | None => "stop",
        },
    );
    out.number("prompt_eval_count", counts.input_tokens);
    out.number("eval_count", counts.output_tokens);
}

fn write_said(out: &mut Out, parts: &[Part]) {
    let (mut words, mut thoughts) = (String::new(), String::new());
    let mut calls = Vec::new();
    for part in parts {
        match &part.body {
            Body::Text(text) => words.push_str(&text.text),
            Body::Refusal(text) => words.push_str(text),
            Body::Thinking(thinking) => thoughts.push_str(&thinking.text),
            Body::ToolCall(call) if part.is_client_call() => calls.push(call),
            // There is no place for it.
            Body::Redacted(_)
            | Body::Image(_)
            | Body::Audio(_)
            | Body::Video(_)
            | Body::Document(_)
            | Body::ToolCall(_)
            | Body::ToolResult(_)
            | Body::Opaque(_) => {}
        }
    }
    out.text("role", "assistant");
    out.text("content", &words);
    if !thoughts.is_empty() {
        out.text("thinking", &thoughts);
    }
    Calls { own: false }.list(out, &calls);
}
