//! A plain answer, read and written.

use super::NAME;
use super::block::parts;
use super::error::read_error;
use super::think::Maker;
use super::usage::{counts, write_usage};
use super::write_block::{Blocks, write_cited};
use crate::chat::{Answer, Body, CLAUDE, Choice, Finish, Identity, Part, Role, Text};
use crate::json::{Fields, Out};
use crate::provider_error::ProviderError;
use crate::wishes::served;

/// Reads an answer that came under a success status. Neither an id nor the model stands in it.
///
/// # Errors
/// The failure that the body reports, or that it is.
pub fn read_answer(body: &[u8]) -> Result<Answer, ProviderError> {
    let unreadable =
        |what: &str| ProviderError::unreadable(format!("the provider's answer {what}"));
    let text = std::str::from_utf8(body).map_err(|_| unreadable("is no UTF-8"))?;
    let mut fields = Fields::read(text).map_err(|_| unreadable("is not a JSON object"))?;
    let message = fields.object("output").and_then(|mut output| output.object("message"));
    let Some(mut message) = message else {
        return Err(match fields.get("message").or_else(|| fields.get("error")) {
            Some(_) => read_error(body),
            None => unreadable("has no message"),
        });
    };
    let blocks = message.list("content").unwrap_or_default();
    let choice = Choice {
        parts: parts(blocks, true),
        finish: fields.text("stopReason").map(|reason| finish(&reason)),
        stop_sequence: stop_sequence(&mut fields),
        ..Choice::default()
    };
    Ok(Answer {
        dialect: NAME,
        id: String::new(),
        model: String::new(),
        created_s: None,
        choices: vec![choice],
        counts: served(fields.object("usage").and_then(counts), &fields),
    })
}

/// The text that the answer ended at, which is told where `/stop_sequence` was asked for.
pub(super) fn stop_sequence(fields: &mut Fields<'_>) -> Option<String> {
    fields.object("additionalModelResponseFields")?.text("stop_sequence")
}

/// Why an answer ended.
pub(super) fn finish(reason: &str) -> Finish {
    match reason {
        "end_turn" => Finish::Stop,
        "stop_sequence" => Finish::StopSequence,
        "max_tokens" => Finish::Length,
        "model_context_window_exceeded" => Finish::ContextLength,
        "tool_use" => Finish::ToolCalls,
        "guardrail_intervened" | "content_filtered" => Finish::ContentFilter,
        "refusal" => Finish::Refusal,
        "pause_turn" => Finish::Pause,
        other => Finish::Other(other.to_owned()),
    }
}

/// The word for why an answer ended.
pub(super) const fn reason(finish: &Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::Other(_) | Finish::Pause => "end_turn",
        Finish::StopSequence => "stop_sequence",
        Finish::Length => "max_tokens",
        Finish::ContextLength => "model_context_window_exceeded",
        Finish::ToolCalls => "tool_use",
        Finish::Refusal | Finish::ContentFilter => "content_filtered",
    }
}

/// Writes an answer that was read from any dialect. Of several choices the first is written: a request
/// for more is refused before.
#[must_use]
pub fn write_answer(answer: &Answer, _identity: &Identity) -> Vec<u8> {
    let blocks = Blocks::new(answer.dialect == NAME, Maker::Claude);
    let none = Choice::default();
    let choice = answer.choices.first().unwrap_or(&none);
    let calls = choice.parts.iter().any(Part::is_client_call);
    Out::object(|out| {
        out.member("output", |out| {
            out.member("message", |out| {
                out.text("role", "assistant");
                out.list("content", |out| {
                    choice.parts.iter().for_each(|part| write_part(out, part, &blocks));
                });
            });
        });
        out.text("stopReason", reason(&Finish::settled(choice.finish.clone(), calls)));
        if let Some(text) = &choice.stop_sequence {
            out.member("additionalModelResponseFields", |out| out.text("stop_sequence", text));
        }
        write_usage(out, &answer.counts.unwrap_or_default());
    })
}

fn write_part(out: &mut Out, part: &Part, blocks: &Blocks) {
    if blocks.own {
        return blocks.write(out, part, None);
    }
    match &part.body {
        Body::Thinking(thinking) => out.item(|out| {
            out.member("reasoningContent", |out| {
                out.member("reasoningText", |out| {
                    out.text("text", &thinking.text);
                    if let Some(signature) = claudes(part) {
                        out.text("signature", signature);
                    }
                });
            });
        }),
        Body::Text(text) if !text.citations.is_empty() && !text.text.is_empty() => {
            out.item(|out| write_cited(out, text, false));
        }
        // What is blank is said: only requests must not hold it.
        Body::Text(Text { text, .. }) if !text.is_empty() => {
            out.item(|out| out.text("text", text));
        }
        // What was run elsewhere shows in the words.
        Body::ToolResult(_) => {}
        Body::Text(_)
        | Body::Refusal(_)
        | Body::Redacted(_)
        | Body::Image(_)
        | Body::Audio(_)
        | Body::Video(_)
        | Body::Document(_)
        | Body::ToolCall(_)
        | Body::Opaque(_) => {
            if blocks.fit(Role::Assistant, part).is_said() {
                blocks.write(out, part, None);
            }
        }
    }
}

/// The signature of a foreign thought, where it is one that Claude knows again: others must not come back
/// to Claude as its own.
fn claudes(part: &Part) -> Option<&str> {
    let signature = part.signature.as_deref();
    signature.filter(|_| is_claudes(part))
}

/// Whether a part holds what Claude thought.
pub(super) fn is_claudes(part: &Part) -> bool {
    matches!(&part.body, Body::Thinking(thought) if thought.format.as_deref() == Some(CLAUDE))
}
