//! A plain answer, written.

use super::super::NAME;
use super::usage::write_usage;
use super::write_part::{carried, write_call, write_signature, write_thoughts};
use crate::chat::{
    Answer, Body, Choice, Citation, Finish, Identity, Likely, Part, Text, Token, tokens,
    write_tokens,
};
use crate::json::Out;

/// Writes an answer that was read from any dialect.
#[must_use]
pub fn write_answer(answer: &Answer, identity: &Identity) -> Vec<u8> {
    Out::object(|out| {
        out.text("id", if answer.id.is_empty() { &identity.id } else { &answer.id });
        out.text("object", "chat.completion");
        out.number("created", answer.created_s.unwrap_or(identity.created_s));
        let model = if identity.model.is_empty() { &answer.model } else { &identity.model };
        out.text("model", model);
        out.list("choices", |out| {
            for choice in &answer.choices {
                out.item(|out| write_choice(out, choice, answer.dialect == NAME));
            }
        });
        if let Some(counts) = &answer.counts {
            write_usage(out, counts);
        }
    })
}

fn write_choice(out: &mut Out, choice: &Choice, own: bool) {
    out.number("index", u64::from(choice.index));
    out.member("message", |out| {
        out.text("role", "assistant");
        write_message(out, &choice.parts);
    });
    match &choice.logprobs[..] {
        [Likely { raw: Some(raw), .. }] if own => out.raw("logprobs", raw.as_str()),
        likely => write_likely(out, &tokens(likely)),
    }
    let calls = choice.parts.iter().any(Part::is_client_call);
    let finish = Finish::settled(choice.finish.clone(), calls);
    out.text("finish_reason", reason(&finish));
}

/// Writes how likely the words are.
pub(super) fn write_likely(out: &mut Out, tokens: &[Token]) {
    if tokens.is_empty() {
        return out.raw("logprobs", "null");
    }
    out.member("logprobs", |out| {
        write_tokens(out, "content", tokens);
        out.raw("refusal", "null");
    });
}

fn write_message(out: &mut Out, parts: &[Part]) {
    let mut said = Said::default();
    parts.iter().for_each(|part| said.add(part));
    out.text_or_null("content", said.content.as_deref());
    out.text_or_null("refusal", said.refusal.as_deref());
    if !said.thought.is_empty() {
        out.text("reasoning_content", &said.thought);
    }
    if said.signed {
        let thoughts: Vec<&Part> = said.thoughts.iter().copied().chain(&said.carried).collect();
        write_thoughts(out, &thoughts);
    }
    if !said.calls.is_empty() {
        out.list("tool_calls", |out| {
            for (call, signature) in &said.calls {
                out.item(|out| {
                    write_call(out, call, |_| {});
                    write_signature(out, *signature);
                });
            }
        });
    }
    if !said.sources.is_empty() {
        out.list("annotations", |out| {
            for (from, start, end) in &said.sources {
                out.item(|out| write_source(out, from, Some((*start, *end))));
            }
        });
    }
}

/// The parts of an answer, by where they stand.
#[derive(Default)]
struct Said<'a> {
    content: Option<String>,
    refusal: Option<String>,
    thought: String,
    thoughts: Vec<&'a Part>,
    /// Whether the thoughts mean something to the model that had them.
    signed: bool,
    /// Signatures of words, as thoughts that only their maker can read.
    carried: Vec<Part>,
    /// Calls and their signatures.
    calls: Vec<(&'a crate::chat::ToolCall, Option<&'a str>)>,
    /// Sources, and the letters of the content that they stand for.
    sources: Vec<(&'a Citation, u64, u64)>,
}

impl<'a> Said<'a> {
    fn add(&mut self, part: &'a Part) {
        let carried = carried(part);
        self.signed |= carried.is_some();
        self.carried.extend(carried);
        match &part.body {
            Body::Text(text) => self.words(text),
            Body::Refusal(text) => self.refusal.get_or_insert_default().push_str(text),
            Body::Thinking(thinking) => {
                self.thought.push_str(&thinking.text);
                self.signed |= thinking.format.is_some() || part.signature.is_some();
                self.thoughts.push(part);
            }
            Body::Redacted(_) => {
                self.signed = true;
                self.thoughts.push(part);
            }
            Body::ToolCall(call) if part.is_client_call() => {
                self.calls.push((call, part.signature.as_deref()));
            }
            // What the provider's own tools did shows in the words.
            Body::ToolCall(_)
            | Body::Image(_)
            | Body::Audio(_)
            | Body::Video(_)
            | Body::Document(_)
            | Body::ToolResult(_)
            | Body::Opaque(_) => {}
        }
    }

    fn words(&mut self, text: &'a Text) {
        let content = self.content.get_or_insert_default();
        let start = content.chars().count() as u64;
        content.push_str(&text.text);
        let end = content.chars().count() as u64;
        let public = text.citations.iter().filter(|from| from.url.is_some());
        self.sources.extend(public.map(|from| (from, start, end)));
    }
}

/// Writes the members of a source that was found on the web.
pub(super) fn write_source(out: &mut Out, from: &Citation, span: Option<(u64, u64)>) {
    out.text("type", "url_citation");
    out.member("url_citation", |out| {
        let (start, end) = span.unwrap_or_default();
        out.number("start_index", start);
        out.number("end_index", end);
        out.text("title", from.title.as_deref().unwrap_or_default());
        out.text("url", from.url.as_deref().unwrap_or_default());
    });
}

/// The word for why an answer ended.
pub(super) const fn reason(finish: &Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::StopSequence | Finish::Pause | Finish::Other(_) => "stop",
        Finish::Length | Finish::ContextLength => "length",
        Finish::ToolCalls => "tool_calls",
        Finish::Refusal | Finish::ContentFilter => "content_filter",
    }
}
