//! A plain answer, written.

use super::carried;
use super::grounding;
use super::likely;
use super::usage::write_usage;
use super::write_part::{is_own, write_body};
use crate::chat::{
    Answer, Body, Choice, Finish, GOOGLE, Identity, Part, Sealed, Text, Thinking, tokens,
};
use crate::json::Out;

/// Writes an answer that was read from any dialect.
#[must_use]
pub fn write_answer(answer: &Answer, identity: &Identity) -> Vec<u8> {
    let own = is_own(answer.dialect);
    Out::object(|out| {
        out.list("candidates", |out| {
            for choice in &answer.choices {
                out.item(|out| write_choice(out, choice, own));
            }
        });
        if let Some(counts) = &answer.counts {
            write_usage(out, counts);
        }
        write_identity(out, &answer.id, &answer.model, identity);
    })
}

/// Writes whose answer it is.
pub(super) fn write_identity(out: &mut Out, id: &str, model: &str, identity: &Identity) {
    out.text("modelVersion", if identity.model.is_empty() { model } else { &identity.model });
    out.text("responseId", if id.is_empty() { &identity.id } else { id });
}

fn write_choice(out: &mut Out, choice: &Choice, own: bool) {
    out.member("content", |out| {
        if !choice.parts.is_empty() {
            out.list("parts", |out| {
                choice.parts.iter().for_each(|part| write_part(out, part, own));
            });
        }
        out.text("role", "model");
    });
    out.text("finishReason", reason(choice.finish.as_ref()));
    out.number("index", u64::from(choice.index));
    if own {
        if let Some(raw) = choice.logprobs.first().and_then(|likely| likely.raw.as_ref()) {
            out.raw("logprobsResult", raw.as_str());
        }
        return out.extra(&choice.extra);
    }
    likely::write(out, &tokens(&choice.logprobs));
    let texts: Vec<&Text> = choice.parts.iter().filter_map(text).collect();
    grounding::write(out, &texts);
}

fn text(part: &Part) -> Option<&Text> {
    if let Body::Text(text) = &part.body { Some(text) } else { None }
}

/// Writes a part of an answer; what only another dialect knows is left out, for it shows in the words.
pub(super) fn write_part(out: &mut Out, part: &Part, own: bool) {
    match &part.body {
        Body::Opaque(opaque) if own => return out.raw_item(opaque.raw.as_str()),
        Body::Opaque(_) | Body::ToolResult(_) => return,
        Body::ToolCall(_) if !part.is_client_call() => return,
        Body::Text(_)
        | Body::Refusal(_)
        | Body::Thinking(_)
        | Body::Redacted(_)
        | Body::Image(_)
        | Body::Audio(_)
        | Body::Video(_)
        | Body::Document(_)
        | Body::ToolCall(_) => {}
    }
    out.item(|out| {
        write_body(out, part, own);
        if let Some(signature) = signature(part) {
            out.text("thoughtSignature", &signature);
        }
        if own {
            out.extra(&part.extra);
        }
    });
}

/// The signature of a part, its maker told where it is not Google.
fn signature(part: &Part) -> Option<String> {
    let data = part.signature.as_deref().filter(|data| !data.is_empty())?;
    let format = match &part.body {
        Body::Thinking(Thinking { format, .. }) => format.as_deref(),
        Body::Text(_)
        | Body::Refusal(_)
        | Body::Redacted(_)
        | Body::Image(_)
        | Body::Audio(_)
        | Body::Video(_)
        | Body::Document(_)
        | Body::ToolCall(_)
        | Body::ToolResult(_)
        | Body::Opaque(_) => Some(GOOGLE),
    };
    Some(carried::write(Sealed::Thought, format, data))
}

/// The word for why an answer ended.
pub(super) fn reason(finish: Option<&Finish>) -> &str {
    match finish {
        None | Some(Finish::Stop | Finish::StopSequence | Finish::ToolCalls | Finish::Pause) => {
            "STOP"
        }
        Some(Finish::Length | Finish::ContextLength) => "MAX_TOKENS",
        Some(Finish::Refusal | Finish::ContentFilter) => "SAFETY",
        Some(Finish::Other(_)) => "OTHER",
    }
}
