//! A plain answer, read and written.

use super::NAME;
use super::block::{block, is_own};
use super::error::read_error;
use super::usage::{Tally, write_usage};
use super::write_block::Blocks;
use crate::chat::{
    Answer, Body, Choice, Citation, Finish, GOOGLE, Identity, Part, Redacted, Role, Sealed, Text,
    Thinking, is_claude, prefix, seal,
};
use crate::json::{Fields, Out, items};
use crate::provider_error::ProviderError;

/// Reads an answer that came under a success status.
///
/// # Errors
/// The failure that the body reports, or that it is.
pub fn read_answer(body: &[u8]) -> Result<Answer, ProviderError> {
    let unreadable =
        |what: &str| ProviderError::unreadable(format!("the provider's answer {what}"));
    let text = std::str::from_utf8(body).map_err(|_| unreadable("is no UTF-8"))?;
    let mut fields = Fields::read(text).map_err(|_| unreadable("is not a JSON object"))?;
    if fields.get("error").is_some() {
        return Err(read_error(body));
    }
    let blocks = fields.list("content").ok_or_else(|| unreadable("has no content"))?;
    let mut tally = Tally::default();
    if let Some(usage) = fields.object("usage") {
        tally.add(usage);
    }
    let choice = Choice {
        parts: blocks.into_iter().map(block).collect(),
        finish: fields.text("stop_reason").map(|reason| finish(&reason)),
        stop_sequence: fields.text("stop_sequence"),
        ..Choice::default()
    };
    Ok(Answer {
        dialect: NAME,
        id: fields.text("id").unwrap_or_default(),
        model: fields.text("model").unwrap_or_default(),
        created_s: None,
        choices: vec![choice],
        counts: tally.counts(),
    })
}

/// Why an answer ended.
pub(super) fn finish(reason: &str) -> Finish {
    match reason {
        "end_turn" => Finish::Stop,
        "stop_sequence" => Finish::StopSequence,
        "max_tokens" => Finish::Length,
        "model_context_window_exceeded" => Finish::ContextLength,
        "tool_use" => Finish::ToolCalls,
        "refusal" => Finish::Refusal,
        "pause_turn" => Finish::Pause,
        other => Finish::Other(other.to_owned()),
    }
}

/// The word for why an answer ended.
pub(super) const fn reason(finish: &Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::Other(_) => "end_turn",
        Finish::StopSequence => "stop_sequence",
        Finish::Length => "max_tokens",
        Finish::ContextLength => "model_context_window_exceeded",
        Finish::ToolCalls => "tool_use",
        Finish::Refusal | Finish::ContentFilter => "refusal",
        Finish::Pause => "pause_turn",
    }
}

/// Writes an answer that was read from any dialect. Of several choices the first is written: a request
/// for more is refused before.
#[must_use]
pub fn write_answer(answer: &Answer, identity: &Identity) -> Vec<u8> {
    let own = is_own(answer.dialect);
    let none = Choice::default();
    let choice = answer.choices.first().unwrap_or(&none);
    Out::object(|out| {
        write_head(out, &answer.id, &answer.model, identity);
        out.list("content", |out| {
            for part in &choice.parts {
                write_part(out, part, own);
                if let Some(carried) = carried_behind(part).filter(|_| !own) {
                    out.item(|out| write_carried(out, &carried));
                }
            }
        });
        write_stop(out, choice);
        write_usage(out, &answer.counts.unwrap_or_default());
    })
}

/// Writes what comes before the content.
pub(super) fn write_head(out: &mut Out, id: &str, model: &str, identity: &Identity) {
    out.text("id", if id.is_empty() { &identity.id } else { id });
    out.text("type", "message");
    out.text("role", "assistant");
    out.text("model", if identity.model.is_empty() { model } else { &identity.model });
}

fn write_stop(out: &mut Out, choice: &Choice) {
    let calls = choice.parts.iter().any(Part::is_client_call);
    let finish = Finish::settled(choice.finish.clone(), calls);
    out.text("stop_reason", reason(&finish));
    out.text_or_null("stop_sequence", choice.stop_sequence.as_deref());
}

fn write_part(out: &mut Out, part: &Part, own: bool) {
    let blocks = Blocks { own };
    if own {
        return blocks.write(out, part, None);
    }
    if let Body::Thinking(thinking) = &part.body {
        return out.item(|out| {
            out.text("type", "thinking");
            out.text("thinking", &thinking.text);
            out.text("signature", &signature(part));
        });
    }
    if let Some(carried) = carried(part) {
        return out.item(|out| write_carried(out, &carried));
    }
    if let Body::Text(Text { text, citations }) = &part.body
        && !text.is_empty()
        && !citations.is_empty()
    {
        return out.item(|out| {
            out.text("type", "text");
            out.text("text", text);
            out.list("citations", |out| {
                citations.iter().for_each(|from| out.item(|out| write_citation(out, from)));
            });
        });
    }
    if blocks.fit(Role::Assistant, part).is_said() {
        blocks.write(out, part, None);
    }
}

/// The signature of a foreign thinking part: Claude's own as it is, others with their maker told, so that
/// they never come back to Claude as its own.
fn signature(part: &Part) -> String {
    let signature = part.signature.as_deref().unwrap_or_default();
    if signature.is_empty() { String::new() } else { signature_prefix(part) + signature }
}

/// What a signature of a thinking part begins with: nothing for Claude's own.
pub(super) fn signature_prefix(part: &Part) -> String {
    let Body::Thinking(Thinking { format, .. }) = &part.body else { return String::new() };
    let format = format.as_deref();
    if is_claude(format) {
        return String::new();
    }
    prefix(Sealed::Thought, format.unwrap_or("unknown"))
}

/// A thought that only another maker can read, as the data of a redacted one.
pub(super) fn carried(part: &Part) -> Option<String> {
    let Body::Redacted(Redacted { data, format }) = &part.body else { return None };
    let format = format.as_deref();
    (!is_claude(format)).then(|| seal(Sealed::Redacted, format.unwrap_or("unknown"), data))
}

/// The signature of a part that has no place for it here, as the data of a redacted thought behind it.
pub(super) fn carried_behind(part: &Part) -> Option<String> {
    let signature = part.signature.as_deref().filter(|text| !text.is_empty())?;
    let elsewhere = !matches!(part.body, Body::Thinking(_) | Body::Redacted(_));
    // An empty text is not said, and what stands behind it would belong to the part before.
    let is_said = !matches!(&part.body, Body::Text(text) if text.text.is_empty());
    (elsewhere && is_said).then(|| seal(Sealed::Behind, GOOGLE, signature))
}

/// Writes a redacted thought.
pub(super) fn write_carried(out: &mut Out, data: &str) {
    out.text("type", "redacted_thinking");
    out.text("data", data);
}

/// Writes the members of a citation that was found on the web.
pub(super) fn write_citation(out: &mut Out, from: &Citation) {
    out.text("type", "web_search_result_location");
    out.text("url", from.url.as_deref().unwrap_or_default());
    out.text_or_null("title", from.title.as_deref());
    out.text("encrypted_index", "");
    out.text("cited_text", from.quote.as_deref().unwrap_or_default());
}

/// The blocks of a list, for streams that begin with some.
pub(super) fn blocks_of(list: &str) -> Vec<Part> {
    items(list).unwrap_or_default().into_iter().map(block).collect()
}
