//! A stream, written.

use super::answer::{write_end, write_head, write_likely};
use super::error::error_event;
use super::write_message::Calls;
use crate::chat::{
    Body, Delta, Event, Finish, Identity, Part, Serial, Text, Thinking, Token, ToolCall,
    WriteStream,
};
use crate::json::Out;
use crate::usage::Usage;

/// Writes events as a stream.
#[derive(Debug)]
pub struct StreamWriting {
    /// Calls are said in the order in which they began.
    serial: Serial,
    identity: Identity,
    created_s: u64,
    /// Parts begun, and their numbers.
    parts: Vec<(u32, Kind)>,
    /// How likely the next words are.
    likely: Vec<Token>,
    counts: Usage,
    finish: Option<Finish>,
}

/// Where a part is said.
#[derive(Debug)]
enum Kind {
    Content,
    Thoughts,
    /// A call, as far as it has come: it is said whole.
    Call(Option<ToolCall>),
    Skipped,
}

impl StreamWriting {
    /// A writer at the beginning of a stream.
    #[must_use]
    pub fn new(identity: Identity) -> Self {
        let created_s = identity.created_s;
        let (parts, counts, finish) = (Vec::new(), Usage::default(), None);
        let serial = Serial::new();
        Self { serial, identity, created_s, parts, likely: Vec::new(), counts, finish }
    }

    /// One object; `message` writes what it says.
    fn object(&mut self, out: &mut Vec<u8>, message: impl FnOnce(&mut Out), done: bool) {
        let line = Out::object(|json| {
            write_head(json, &self.identity.model, self.created_s);
            json.member("message", |json| {
                json.text("role", "assistant");
                message(json);
            });
            write_likely(json, &std::mem::take(&mut self.likely));
            if done {
                write_end(json, self.finish.as_ref(), &self.counts);
            } else {
                json.boolean("done", false);
            }
        });
        out.extend_from_slice(&line);
        out.push(b'\n');
    }

    fn begin(&mut self, number: u32, part: &Part, out: &mut Vec<u8>) {
        let (kind, words) = match &part.body {
            Body::Text(Text { text, .. }) | Body::Refusal(text) => (Kind::Content, text.as_str()),
            Body::Thinking(Thinking { text, .. }) => (Kind::Thoughts, text.as_str()),
            Body::ToolCall(call) if part.is_client_call() => (Kind::Call(Some(call.clone())), ""),
            Body::Redacted(_)
            | Body::Image(_)
            | Body::Audio(_)
            | Body::Video(_)
            | Body::Document(_)
            | Body::ToolCall(_)
            | Body::ToolResult(_)
            | Body::Opaque(_) => (Kind::Skipped, ""),
        };
        self.parts.push((number, kind));
        self.words(number, words, out);
    }

    fn kind(&mut self, part: u32) -> Option<&mut Kind> {
        let mut known = self.parts.iter_mut().rev().filter(|(number, _)| *number == part);
        known.next().map(|(_, kind)| kind)
    }

    fn words(&mut self, part: u32, words: &str, out: &mut Vec<u8>) {
        if words.is_empty() {
            return;
        }
        match self.kind(part) {
            Some(Kind::Content) => self.object(out, |json| json.text("content", words), false),
            Some(Kind::Thoughts) => {
                let thought = |json: &mut Out| {
                    json.text("content", "");
                    json.text("thinking", words);
                };
                self.object(out, thought, false);
            }
            Some(Kind::Call(_) | Kind::Skipped) | None => {}
        }
    }

    fn end(&mut self, part: u32, out: &mut Vec<u8>) {
        let Some(Kind::Call(call)) = self.kind(part) else { return };
        let Some(call) = call.take() else { return };
        let said = |json: &mut Out| {
            json.text("content", "");
            Calls { own: false }.list(json, &[&call]);
        };
        self.object(out, said, false);
    }
}

impl WriteStream for StreamWriting {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        let mut serial = std::mem::take(&mut self.serial);
        serial.push(event, &mut |event| self.say(event, out));
        self.serial = serial;
    }
}

impl StreamWriting {
    fn say(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { model, created_s, .. } => {
                self.created_s = created_s.unwrap_or(self.created_s);
                if self.identity.model.is_empty() {
                    self.identity.model.clone_from(model);
                }
            }
            Event::Begin { choice: 0, part, body } => self.begin(*part, body, out),
            Event::Delta { choice: 0, part, delta } => match delta {
                Delta::Text(words) => self.words(*part, words, out),
                Delta::Arguments(piece) => {
                    if let Some(Kind::Call(Some(call))) = self.kind(*part) {
                        call.arguments.push_str(piece);
                    }
                }
                // There is no place for it.
                Delta::Signature(_) | Delta::Citation(_) | Delta::Audio(_) => {}
            },
            Event::End { choice: 0, part } => self.end(*part, out),
            Event::Finish { choice: 0, finish, .. } => self.finish.clone_from(finish),
            Event::Logprobs { choice: 0, likely } => {
                self.likely.extend(likely.tokens.iter().cloned());
            }
            Event::Usage(counts) => self.counts = self.counts.max(*counts),
            Event::Failed(error) => out.extend_from_slice(&error_event(&error.refusal())),
            Event::Whole => {
                let begun: Vec<u32> = self.parts.iter().map(|(number, _)| *number).collect();
                begun.into_iter().for_each(|part| self.end(part, out));
                self.object(out, |json| json.text("content", ""), true);
            }
            // There is one answer here, and no sign of life.
            Event::Begin { .. }
            | Event::Delta { .. }
            | Event::End { .. }
            | Event::Finish { .. }
            | Event::Logprobs { .. }
            | Event::Ping => {}
        }
    }
}
