//! A plain answer, read.

use super::NAME;
use super::error::read_error;
use super::grounding::{citations, searches};
use super::ids;
use super::likely;
use super::part::{object, parts};
use super::usage::Tally;
use crate::chat::{Answer, Body, Choice, Citation, Finish, Part, Text};
use crate::json::{Fields, items, text};
use crate::provider_error::ProviderError;

/// Reads an answer that came under a success status.
///
/// # Errors
/// The failure that the body reports, or that it is.
pub fn read_answer(body: &[u8]) -> Result<Answer, ProviderError> {
    let unreadable =
        |what: &str| ProviderError::unreadable(format!("the provider's answer {what}"));
    let body_text = std::str::from_utf8(body).map_err(|_| unreadable("is no UTF-8"))?;
    let fields = Fields::read(body_text).map_err(|_| unreadable("is not a JSON object"))?;
    let mut fields = fields.camel();
    if fields.get("error").is_some() {
        return Err(read_error(body));
    }
    let mut tally = Tally::default();
    tally.add(fields.object("usageMetadata").unwrap_or_default().camel());
    let id = fields.text("responseId").unwrap_or_default();
    let mut choices = Vec::new();
    for (at, value) in (0..).zip(fields.list("candidates").unwrap_or_default()) {
        let candidate =
            object(value).ok_or_else(|| unreadable("has a candidate that is no object"))?;
        tally.searched(searches(&candidate));
        choices.push(choice(candidate, at, &id));
    }
    if choices.is_empty() {
        if !is_blocked(&fields) {
            return Err(unreadable("has no candidates"));
        }
        choices.push(Choice { finish: Some(Finish::ContentFilter), ..Choice::default() });
    }
    Ok(Answer {
        dialect: NAME,
        model: fields.text("modelVersion").unwrap_or_default(),
        created_s: None,
        id,
        choices,
        counts: tally.counts(),
    })
}

/// Whether the prompt was refused, so that there is no candidate.
pub(super) fn is_blocked(fields: &Fields<'_>) -> bool {
    let feedback = fields.get("promptFeedback").and_then(object);
    let says = ["blockReason", "blockReasonMessage"];
    feedback.is_some_and(|feedback| says.iter().any(|key| feedback.get(key).is_some()))
}

fn choice(mut candidate: Fields<'_>, at: u32, id: &str) -> Choice {
    let index = candidate.whole("index").and_then(|index| index.try_into().ok()).unwrap_or(at);
    let mut parts = content(&mut candidate);
    for (number, part) in (0..).zip(&mut parts) {
        name_call(part, id, index, number);
    }
    cite(&mut parts, citations(&candidate));
    let finish = candidate.take("finishReason", finish).flatten();
    let logprobs = candidate.take("logprobsResult", likely::read).into_iter().collect();
    Choice { index, parts, finish, stop_sequence: None, logprobs, extra: candidate.rest() }
}

/// The parts of a candidate: there may be no content, and no parts in it.
pub(super) fn content(candidate: &mut Fields<'_>) -> Vec<Part> {
    let content = candidate.object("content").map(Fields::camel);
    let mut all = content.and_then(|mut content| content.take("parts", parts)).unwrap_or_default();
    all.retain(|part| !says_nothing(part));
    all
}

/// Whether a part is an empty text and nothing else.
fn says_nothing(part: &Part) -> bool {
    let silent = match &part.body {
        Body::Text(text) => text.text.is_empty(),
        Body::Thinking(thinking) => thinking.text.is_empty(),
        Body::Refusal(_)
        | Body::Redacted(_)
        | Body::Image(_)
        | Body::Audio(_)
        | Body::Video(_)
        | Body::Document(_)
        | Body::ToolCall(_)
        | Body::ToolResult(_)
        | Body::Opaque(_) => false,
    };
    silent && part.signature.is_none()
}

/// Gives a call without id one.
pub(super) fn name_call(part: &mut Part, answer: &str, choice: u32, number: u32) {
    if let Body::ToolCall(call) = &mut part.body
        && call.id.is_empty()
    {
        call.id = ids::of_answer(answer, choice, number);
    }
}

/// Puts sources to the last words.
fn cite(parts: &mut [Part], sources: Vec<Citation>) {
    let texts = parts.iter_mut().rev().filter_map(|part| match &mut part.body {
        Body::Text(text) if !text.text.is_empty() => Some(text),
        Body::Text(_)
        | Body::Refusal(_)
        | Body::Thinking(_)
        | Body::Redacted(_)
        | Body::Image(_)
        | Body::Audio(_)
        | Body::Video(_)
        | Body::Document(_)
        | Body::ToolCall(_)
        | Body::ToolResult(_)
        | Body::Opaque(_) => None,
    });
    let texts: Vec<&mut Text> = texts.take(1).collect();
    texts.into_iter().for_each(|text| text.citations.extend(sources.iter().cloned()));
}

/// Why an answer ended, by its word or, where a client asks for numbers, by its number; the inner `None`
/// where that says nothing.
pub(super) fn finish(value: &str) -> Option<Option<Finish>> {
    let Some(word) = text(value) else {
        let number: u64 = value.parse().ok()?;
        return Some(match number {
            0 => None,
            1 => Some(Finish::Stop),
            2 => Some(Finish::Length),
            // Beyond these the numbers of Google's two services differ, but for that they are filters.
            3 | 4 | 7 | 8 => Some(Finish::ContentFilter),
            other => Some(Finish::Other(other.to_string())),
        });
    };
    Some(Some(match word.as_str() {
        "" | "FINISH_REASON_UNSPECIFIED" => return Some(None),
        "STOP" => Finish::Stop,
        "MAX_TOKENS" => Finish::Length,
        "SAFETY"
        | "RECITATION"
        | "LANGUAGE"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => Finish::ContentFilter,
        _ => Finish::Other(word),
    }))
}

/// The candidates of a chunk, each taken apart.
pub(super) fn candidates<'a>(fields: &mut Fields<'a>) -> Vec<Fields<'a>> {
    let list = fields.take("candidates", items).unwrap_or_default();
    list.into_iter().filter_map(object).collect()
}
