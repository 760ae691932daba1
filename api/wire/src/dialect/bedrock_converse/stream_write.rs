//! A stream, written: one block after another, however the parts came.

use super::NAME;
use super::answer::{is_claudes, reason};
use super::error::error_event;
use super::media::encoded;
use super::think::Maker;
use super::usage::write_usage;
use super::write_block::{Blocks, write_citation};
use crate::chat::{
    Body, CLAUDE, Delta, Event, Finish, Identity, Opaque, Part, Redacted, Serial, Text, WriteStream,
};
use crate::frame::aws_event_stream;
use crate::json::{Fields, Out};
use crate::usage::Usage;

/// Writes events as a stream.
#[derive(Debug, Default)]
pub struct StreamWriting {
    serial: Serial,
    saying: Saying,
}

/// What has been said, and of what.
#[derive(Debug, Default)]
struct Saying {
    own: bool,
    counts: Usage,
    open: Option<Open>,
    /// The number of the next block.
    next: u64,
    calls: bool,
    finish: Option<Finish>,
    stop_sequence: Option<String>,
}

/// The block that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Open {
    kind: Kind,
    /// Whether anything was written of it.
    begun: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    /// Thoughts, and whether their signature is one to be shown.
    Thinking(bool),
    /// A call, and whether its arguments have begun.
    Call(bool),
    /// Has no counterpart.
    Skipped,
}

impl StreamWriting {
    /// A writer at the beginning of a stream. Nothing of an answer's identity is told here.
    #[must_use]
    pub fn new(_identity: Identity) -> Self {
        Self::default()
    }
}

impl WriteStream for StreamWriting {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        let Self { serial, saying } = self;
        serial.push(event, &mut |event| saying.event(event, out));
    }
}

impl Saying {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { dialect, .. } => {
                self.own = *dialect == NAME;
                frame(out, "messageStart", |json| json.text("role", "assistant"));
            }
            Event::Begin { body, .. } => self.begin(body, out),
            Event::Delta { delta, .. } => self.delta(delta, out),
            Event::End { .. } => self.end(out),
            Event::Finish { finish, stop_sequence, .. } => {
                self.finish.clone_from(finish);
                self.stop_sequence.clone_from(stop_sequence);
            }
            Event::Usage(counts) => self.counts = self.counts.max(*counts),
            Event::Failed(error) => out.extend_from_slice(&error_event(&error.refusal())),
            Event::Whole => self.whole(out),
            // There is no sign of life here, and nothing says how likely an answer was.
            Event::Ping | Event::Logprobs { .. } => {}
        }
    }

    fn begin(&mut self, part: &Part, out: &mut Vec<u8>) {
        let mut open = |kind: Kind| self.open = Some(Open { kind, begun: false });
        match &part.body {
            Body::Text(Text { text, citations }) => {
                open(Kind::Text);
                self.delta(&Delta::Text(text.clone()), out);
                for from in citations {
                    self.delta(&Delta::Citation(from.clone()), out);
                }
            }
            Body::Refusal(text) => {
                open(Kind::Text);
                self.delta(&Delta::Text(text.clone()), out);
            }
            Body::Thinking(thinking) => {
                open(Kind::Thinking(self.own || is_claudes(part)));
                self.delta(&Delta::Text(thinking.text.clone()), out);
                let signature = part.signature.clone().unwrap_or_default();
                self.delta(&Delta::Signature(signature), out);
            }
            Body::Redacted(Redacted { data, format }) if format.as_deref() == Some(CLAUDE) => {
                open(Kind::Thinking(false));
                self.says(out, |json| {
                    json.member("reasoningContent", |json| {
                        json.text("redactedContent", &encoded(data));
                    });
                });
            }
            Body::ToolCall(call) if self.own || part.is_client_call() => {
                open(Kind::Call(false));
                self.calls |= part.is_client_call();
                let blocks = Blocks::new(self.own, Maker::Claude);
                self.starts(out, |json| {
                    json.member("toolUse", |json| {
                        json.text("toolUseId", &blocks.id(&call.id));
                        json.text("name", &call.name);
                        if let Some(kind) = &call.provider_kind {
                            json.text("type", kind);
                        }
                    });
                });
                self.delta(&Delta::Arguments(call.arguments.clone()), out);
            }
            Body::Opaque(opaque) if self.own && opaque.kind == "toolResult" => {
                open(Kind::Skipped);
                self.result(opaque, out);
            }
            Body::Redacted(_)
            | Body::Image(_)
            | Body::Audio(_)
            | Body::Video(_)
            | Body::Document(_)
            | Body::ToolCall(_)
            | Body::ToolResult(_)
            | Body::Opaque(_) => open(Kind::Skipped),
        }
    }

    fn delta(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        let Some(Open { kind, .. }) = self.open else { return };
        let own = self.own;
        match (kind, delta) {
            (_, Delta::Text(text) | Delta::Signature(text) | Delta::Arguments(text))
                if text.is_empty() => {}
            (Kind::Text, Delta::Text(text)) => self.says(out, |json| json.text("text", text)),
            (Kind::Text, Delta::Citation(from)) => self.says(out, |json| {
                if own {
                    json.raw("citation", from.raw.as_str());
                } else {
                    json.member("citation", |json| write_citation(json, from));
                }
            }),
            (Kind::Thinking(_), Delta::Text(text)) => self.says(out, |json| {
                json.member("reasoningContent", |json| json.text("text", text));
            }),
            // Another maker's signature would be refused when it comes back.
            (Kind::Thinking(true), Delta::Signature(text)) => self.says(out, |json| {
                json.member("reasoningContent", |json| json.text("signature", text));
            }),
            // Some say so where there are none.
            (Kind::Call(false), Delta::Arguments(text)) if text == "null" => {}
            (Kind::Call(_), Delta::Arguments(text)) => {
                self.open = Some(Open { kind: Kind::Call(true), begun: true });
                self.says(out, |json| json.member("toolUse", |json| json.text("input", text)));
            }
            // What does not fit the part has no place.
            (
                Kind::Text | Kind::Thinking(_) | Kind::Call(_) | Kind::Skipped,
                Delta::Text(_)
                | Delta::Arguments(_)
                | Delta::Signature(_)
                | Delta::Citation(_)
                | Delta::Audio(_),
            ) => {}
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if let Some(Open { kind: Kind::Call(false), .. }) = self.open {
            self.delta(&Delta::Arguments("{}".to_owned()), out);
        }
        // A block of which nothing came is none.
        if self.open.take().is_some_and(|open| open.begun) {
            frame(out, "contentBlockStop", |json| json.number("contentBlockIndex", self.next));
            self.next += 1;
        }
    }

    fn starts(&mut self, out: &mut Vec<u8>, start: impl FnOnce(&mut Out)) {
        self.block(out, "contentBlockStart", "start", start);
    }

    fn says(&mut self, out: &mut Vec<u8>, delta: impl FnOnce(&mut Out)) {
        self.block(out, "contentBlockDelta", "delta", delta);
    }

    fn block(&mut self, out: &mut Vec<u8>, name: &str, key: &str, body: impl FnOnce(&mut Out)) {
        if let Some(open) = &mut self.open {
            open.begun = true;
        }
        frame(out, name, |json| {
            json.member(key, body);
            json.number("contentBlockIndex", self.next);
        });
    }

    /// What a tool of the provider gave.
    fn result(&mut self, opaque: &Opaque, out: &mut Vec<u8>) {
        let block = Fields::read(opaque.raw.as_str()).ok();
        let Some(mut result) = block.and_then(|mut block| block.object("toolResult")) else {
            return;
        };
        let content = result.raw("content");
        let head = result.rest();
        self.starts(out, |json| json.member("toolResult", |json| json.extra(&head)));
        if let Some(content) = content {
            self.says(out, |json| json.raw("toolResult", content.as_str()));
        }
    }

    fn whole(&mut self, out: &mut Vec<u8>) {
        let finish = Finish::settled(self.finish.take(), self.calls);
        frame(out, "messageStop", |json| {
            json.text("stopReason", reason(&finish));
            if let Some(text) = &self.stop_sequence {
                json.member("additionalModelResponseFields", |json| {
                    json.text("stop_sequence", text);
                });
            }
        });
        frame(out, "metadata", |json| write_usage(json, &self.counts));
    }
}

fn frame(out: &mut Vec<u8>, name: &str, body: impl FnOnce(&mut Out)) {
    aws_event_stream::event(out, name, &Out::object(body));
}
