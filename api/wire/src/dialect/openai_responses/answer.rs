//! A plain answer, read and written.

use super::NAME;
use super::error::failure;
use super::item::parts;
use super::usage::{counts, write_usage};
use super::write_item::{Items, carried_behind};
use crate::chat::{Answer, Body, Choice, Finish, Identity, Likely, Part, read_tokens, tokens};
use crate::json::{Fields, Out, text};
use crate::provider_error::ProviderError;
use crate::usage::Usage;
use crate::wishes::served;

/// Reads an answer that came under a success status.
///
/// # Errors
/// The failure that the body reports, or that it is.
pub fn read_answer(body: &[u8]) -> Result<Answer, ProviderError> {
    let unreadable =
        |what: &str| ProviderError::unreadable(format!("the provider's answer {what}"));
    let text = std::str::from_utf8(body).map_err(|_| unreadable("is no UTF-8"))?;
    let fields = Fields::read(text).map_err(|_| unreadable("is not a JSON object"))?;
    if let Some(error) = failure(&fields) {
        return Err(error);
    }
    response(fields).ok_or_else(|| unreadable("has no output"))
}

/// What a response object says.
pub(super) fn response(mut fields: Fields<'_>) -> Option<Answer> {
    let items = fields.list("output")?;
    let parts: Vec<Part> = items.into_iter().flat_map(parts).collect();
    let used = fields.get("usage").and_then(|usage| counts(usage, &parts));
    let used = served(used, &fields);
    let finish = finish(&fields, &parts);
    Some(Answer {
        dialect: NAME,
        id: fields.text("id").unwrap_or_default(),
        model: fields.text("model").unwrap_or_default(),
        created_s: fields.get("created_at").and_then(seconds),
        choices: vec![Choice { logprobs: likely(&parts), parts, finish, ..Choice::default() }],
        counts: used,
    })
}

/// How likely the words were, which each part says of its own.
fn likely(parts: &[Part]) -> Vec<Likely> {
    let told = |part: &Part| {
        let tokens = read_tokens(part.extra.get("logprobs")?);
        (!tokens.is_empty()).then_some(Likely { raw: None, tokens })
    };
    parts.iter().filter_map(told).collect()
}

/// Whole seconds; some give fractions.
pub(super) fn seconds(value: &str) -> Option<u64> {
    value.split('.').next()?.parse().ok()
}

/// Why an answer ended.
fn finish(fields: &Fields<'_>, parts: &[Part]) -> Option<Finish> {
    let status = fields.get("status").and_then(text)?;
    if status == "completed" {
        let calls = parts.iter().any(Part::is_client_call);
        return Some(if calls { Finish::ToolCalls } else { Finish::Stop });
    }
    let details = fields.get("incomplete_details");
    let why = details.and_then(|details| Fields::read(details).ok()?.text("reason"));
    Some(match why.as_deref() {
        Some("max_output_tokens" | "max_tokens") => Finish::Length,
        Some("content_filter") => Finish::ContentFilter,
        Some(other) => Finish::Other(other.to_owned()),
        // Queued, cancelled, cut short without a reason.
        None => Finish::Other(status),
    })
}

/// Writes an answer that was read from any dialect. Of several choices the first is written: a request
/// for more is refused before.
#[must_use]
pub fn write_answer(answer: &Answer, identity: &Identity) -> Vec<u8> {
    let own = answer.dialect == NAME;
    let none = Choice::default();
    let choice = answer.choices.first().unwrap_or(&none);
    let head = Head::of(&answer.id, &answer.model, answer.created_s, identity);
    let items = Items::of_answer(own, &head.id);
    let finish = choice.finish.as_ref();
    let end = End { finish, counts: answer.counts };
    Out::object(|out| {
        head.write(out, Some(&end), |out| {
            let mut index = 0;
            // All of it stands with the first words.
            let mut likely = vec![tokens(&choice.logprobs)];
            for group in items.grouped(&choice.parts) {
                Items { likely: &likely, ..items }.write(out, index, &group);
                if group.iter().any(|part| matches!(part.body, Body::Text(_))) {
                    likely.clear();
                }
                index += 1;
                let behind = group.iter().find_map(|part| carried_behind(part));
                if let Some(encrypted) = behind.filter(|_| !own) {
                    out.item(|out| write_carried(out, items, index, &encrypted));
                    index += 1;
                }
            }
        });
    })
}

/// Writes the members of a thought that only carries a signature.
pub(super) fn write_carried(out: &mut Out, items: Items<'_>, index: usize, encrypted: &str) {
    out.text("id", &items.id("rs", index));
    out.text("type", "reasoning");
    out.list("summary", |_| {});
    out.text("encrypted_content", encrypted);
}

/// What stays the same from the beginning of an answer to its end.
#[derive(Debug, Clone, Default)]
pub(super) struct Head {
    pub(super) id: String,
    model: String,
    created_s: u64,
}

/// What is known at the end.
#[derive(Debug)]
pub(super) struct End<'a> {
    pub(super) finish: Option<&'a Finish>,
    pub(super) counts: Option<Usage>,
}

impl Head {
    /// What the provider says, and for the rest what the gateway does.
    pub(super) fn of(id: &str, model: &str, created_s: Option<u64>, identity: &Identity) -> Self {
        let id = if id.is_empty() { &identity.id } else { id };
        let model = if identity.model.is_empty() { model } else { &identity.model };
        let created_s = created_s.unwrap_or(identity.created_s);
        Self { id: id.to_owned(), model: model.to_owned(), created_s }
    }

    /// Writes the members of a response; those that repeat the request as if nothing had been asked.
    pub(super) fn write(
        &self,
        out: &mut Out,
        end: Option<&End<'_>>,
        output: impl FnOnce(&mut Out),
    ) {
        let short = end.and_then(|end| end.finish).and_then(incomplete);
        let status = match (end, short) {
            (None, _) => "in_progress",
            (Some(_), None) => "completed",
            (Some(_), Some(_)) => "incomplete",
        };
        self.open(out, status);
        out.raw("error", "null");
        match short {
            Some(reason) => out.member("incomplete_details", |out| out.text("reason", reason)),
            None => out.raw("incomplete_details", "null"),
        }
        out.list("output", output);
        write_defaults(out);
        match end.and_then(|end| end.counts) {
            Some(counts) => write_usage(out, &counts),
            None => out.raw("usage", "null"),
        }
    }

    /// Writes what every response begins with.
    pub(super) fn open(&self, out: &mut Out, status: &str) {
        out.text("id", &self.id);
        out.text("object", "response");
        out.number("created_at", self.created_s);
        out.text("status", status);
        out.text("model", &self.model);
    }
}

/// Writes the members that the SDKs expect and that say nothing of the answer.
pub(super) fn write_defaults(out: &mut Out) {
    for (key, value) in [
        ("instructions", "null"),
        ("max_output_tokens", "null"),
        ("metadata", "{}"),
        ("parallel_tool_calls", "true"),
        ("previous_response_id", "null"),
        ("reasoning", r#"{"effort":null,"summary":null}"#),
        ("store", "false"),
        ("temperature", "null"),
        ("text", r#"{"format":{"type":"text"}}"#),
        ("tool_choice", r#""auto""#),
        ("tools", "[]"),
        ("top_p", "null"),
        ("truncation", r#""disabled""#),
        ("user", "null"),
    ] {
        out.raw(key, value);
    }
}

/// The word for why an answer is not whole.
pub(super) const fn incomplete(finish: &Finish) -> Option<&'static str> {
    match finish {
        Finish::Length | Finish::ContextLength => Some("max_output_tokens"),
        Finish::Refusal | Finish::ContentFilter => Some("content_filter"),
        Finish::Stop
        | Finish::StopSequence
        | Finish::ToolCalls
        | Finish::Pause
        | Finish::Other(_) => None,
    }
}
