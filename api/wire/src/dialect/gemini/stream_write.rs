//! A stream, written: chunks with what is new, calls whole, the reason and the usage in the last one.

mod choice;

use super::error::{error_body, error_event};
use super::likely;
use super::usage::write_usage;
use super::write_answer::{reason, write_identity};
use super::write_part::is_own;
use crate::chat::{Event, Identity, WriteStream};
use crate::frame::Framing;
use crate::json::Out;
use crate::usage::Usage;
use choice::Choice;

/// Writes events as a stream, of server-sent events or as one JSON array.
#[derive(Debug)]
pub struct StreamWriting {
    identity: Identity,
    own: bool,
    id: String,
    model: String,
    counts: Option<Usage>,
    choices: Vec<Choice>,
    /// Whether the array has begun.
    begun: bool,
}

impl StreamWriting {
    /// A writer at the beginning of a stream.
    #[must_use]
    pub fn new(identity: Identity) -> Self {
        let (id, model) = (String::new(), String::new());
        let (counts, choices) = (None, Vec::new());
        Self { identity, own: false, id, model, counts, choices, begun: false }
    }

    fn choice(&mut self, index: u32) -> &mut Choice {
        let own = self.own;
        let known = self.choices.iter().position(|choice| choice.index == index);
        let at = known.unwrap_or_else(|| {
            self.choices.push(Choice::new(index, own));
            self.choices.len() - 1
        });
        &mut self.choices[at]
    }

    /// Writes what stands before, around and behind a chunk.
    fn frame(&mut self, out: &mut Vec<u8>, mut data: Vec<u8>) {
        // Line ends stand between the tokens of arguments only, and would end the event.
        for byte in data.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')) {
            *byte = b' ';
        }
        match self.identity.framing {
            Framing::JsonArray => {
                let first = !std::mem::replace(&mut self.begun, true);
                out.extend_from_slice(if first { b"[" } else { b",\r\n" });
                out.extend_from_slice(&data);
            }
            Framing::Sse | Framing::NdJson | Framing::AwsEventStream => {
                for piece in [b"data: ", &data[..], b"\r\n\r\n"] {
                    out.extend_from_slice(piece);
                }
            }
        }
    }

    /// A chunk with parts of one choice, each written as JSON.
    fn says(&mut self, index: u32, parts: &[String], out: &mut Vec<u8>) {
        if parts.is_empty() {
            return;
        }
        let data = Out::object(|json| {
            json.list("candidates", |json| {
                json.item(|json| {
                    json.member("content", |json| {
                        json.list("parts", |json| {
                            parts.iter().for_each(|part| json.raw_item(part));
                        });
                        json.text("role", "model");
                    });
                    json.number("index", u64::from(index));
                });
            });
            write_identity(json, &self.id, &self.model, &self.identity);
        });
        self.frame(out, data);
    }

    fn whole(&mut self, out: &mut Vec<u8>) {
        let data = Out::object(|json| {
            json.list("candidates", |json| {
                for choice in &self.choices {
                    json.item(|json| {
                        json.member("content", |json| {
                            json.list("parts", |json| json.item(|json| json.text("text", "")));
                            json.text("role", "model");
                        });
                        json.text("finishReason", reason(choice.finish.as_ref()));
                        json.number("index", u64::from(choice.index));
                        likely::write(json, &choice.likely);
                        choice.sources(json);
                    });
                }
            });
            if let Some(counts) = &self.counts {
                write_usage(json, counts);
            }
            write_identity(json, &self.id, &self.model, &self.identity);
        });
        self.frame(out, data);
        if self.identity.framing == Framing::JsonArray {
            out.extend_from_slice(b"\r\n]");
        }
    }
}

impl WriteStream for StreamWriting {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { dialect, id, model, .. } => {
                self.own = is_own(dialect);
                (self.id, self.model) = (id.clone(), model.clone());
            }
            Event::Begin { choice, body, .. } => {
                let parts = self.choice(*choice).begin(body);
                self.says(*choice, &parts, out);
            }
            Event::Delta { choice, part, delta } => {
                let parts = self.choice(*choice).delta(*part, delta);
                self.says(*choice, &parts, out);
            }
            Event::End { choice, part } => {
                let parts = self.choice(*choice).end(*part);
                self.says(*choice, &parts, out);
            }
            Event::Finish { choice, finish, .. } => {
                self.choice(*choice).finish.clone_from(finish);
            }
            Event::Usage(counts) => {
                let known = self.counts.unwrap_or_default();
                self.counts = Some(known.max(*counts));
            }
            Event::Failed(error) if self.identity.framing == Framing::JsonArray => {
                self.frame(out, error_body(&error.refusal()).into());
                out.extend_from_slice(b"\r\n]");
            }
            Event::Failed(error) => out.extend_from_slice(&error_event(&error.refusal())),
            Event::Whole => self.whole(out),
            // Google's clients stumble over comments.
            Event::Logprobs { choice, likely } => {
                self.choice(*choice).likely.extend(likely.tokens.iter().cloned());
            }
            Event::Ping => {}
        }
    }
}
