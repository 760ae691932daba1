//! A plain answer, read and written.

use super::NAME;
use super::content::content;
use super::error::read_error;
use super::likely;
use super::request::said;
use super::usage::{counts, write_usage};
use super::write_turn::{Speech, write_citation};
use crate::chat::{Answer, Body, Choice, Finish, Identity, Likely, Part, Text, tokens};
use crate::json::{Fields, Out};
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
    let Some(mut message) = fields.object("message") else {
        let told = fields.get("message").is_some() || fields.get("error").is_some();
        return Err(if told { read_error(body) } else { unreadable("has no message") });
    };
    let reason = fields.text("finish_reason");
    if reason.as_deref() == Some("ERROR") {
        return Err(ProviderError::unreadable("the provider broke its answer off with an error"));
    }
    let given = message.take("content", content);
    let mut parts = given.map(|(parts, _)| parts).unwrap_or_default();
    said(&mut message, &mut parts);
    let logprobs = fields.take("logprobs", likely::read).into_iter().collect();
    let finish = reason.as_deref().map(finish);
    Ok(Answer {
        dialect: NAME,
        id: fields.text("id").unwrap_or_default(),
        model: String::new(),
        created_s: None,
        choices: vec![Choice { parts, finish, logprobs, ..Choice::default() }],
        counts: fields.get("usage").and_then(counts),
    })
}

/// Why an answer ended.
pub(super) fn finish(reason: &str) -> Finish {
    match reason {
        "COMPLETE" => Finish::Stop,
        "STOP_SEQUENCE" => Finish::StopSequence,
        "MAX_TOKENS" => Finish::Length,
        "TOOL_CALL" => Finish::ToolCalls,
        "ERROR_TOXIC" => Finish::ContentFilter,
        other => Finish::Other(other.to_owned()),
    }
}

/// The word for why an answer ended.
pub(super) const fn reason(finish: &Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::Pause | Finish::Other(_) => "COMPLETE",
        Finish::StopSequence => "STOP_SEQUENCE",
        Finish::Length | Finish::ContextLength => "MAX_TOKENS",
        Finish::ToolCalls => "TOOL_CALL",
        Finish::Refusal | Finish::ContentFilter => "ERROR_TOXIC",
    }
}

/// Writes an answer that was read from any dialect. Of several choices the first is written: a request
/// for more is refused before.
#[must_use]
pub fn write_answer(answer: &Answer, identity: &Identity) -> Vec<u8> {
    let own = answer.dialect == NAME;
    let none = Choice::default();
    let choice = answer.choices.first().unwrap_or(&none);
    let calls = choice.parts.iter().any(Part::is_client_call);
    Out::object(|out| {
        out.text("id", if answer.id.is_empty() { &identity.id } else { &answer.id });
        out.text("finish_reason", reason(&Finish::settled(choice.finish.clone(), calls)));
        out.member("message", |out| {
            out.text("role", "assistant");
            Speech { own, answer: true }.assistant(out, choice.parts.iter(), false);
            write_citations(out, &choice.parts, own);
        });
        if let Some(counts) = &answer.counts {
            write_usage(out, counts);
        }
        match &choice.logprobs[..] {
            [] => {}
            [Likely { raw: Some(raw), .. }] if own => out.raw("logprobs", raw.as_str()),
            likely => {
                let tokens = tokens(likely);
                out.list("logprobs", |out| {
                    tokens.chunks(1).for_each(|token| out.item(|out| likely::write(out, token)))
                });
            }
        }
    })
}

fn write_citations(out: &mut Out, parts: &[Part], own: bool) {
    let mut texts = Vec::new();
    // Numbered as the content is, in which other parts than words may stand.
    let content = parts.iter().filter(|part| Speech { own, answer: true }.is_content(part));
    for (index, part) in (0..).zip(content) {
        if let Body::Text(text) = &part.body
            && !text.citations.is_empty()
        {
            texts.push((index, text));
        }
    }
    if texts.is_empty() {
        return;
    }
    out.list("citations", |out| {
        for (index, Text { text, citations }) in texts {
            for from in citations {
                if own {
                    out.raw_item(from.raw.as_str());
                } else {
                    out.item(|out| write_citation(out, from, text, index));
                }
            }
        }
    });
}
