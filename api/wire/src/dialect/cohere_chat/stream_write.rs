//! A stream, written: one part after another.

use super::NAME;
use super::answer::reason;
use super::error::error_event;
use super::likely;
use super::usage::write_usage;
use super::write_turn::{Speech, carried, write_citation};
use crate::chat::{
    Body, Delta, Event, Finish, Identity, Part, Sealed, Serial, Text, Thinking, Token, WriteStream,
    prefix,
};
use crate::json::Out;
use crate::usage::Usage;

/// Writes events as a stream.
#[derive(Debug)]
pub struct StreamWriting {
    identity: Identity,
    serial: Serial,
    teller: Teller,
}

/// Tells events that come in their turn.
#[derive(Debug, Default)]
struct Teller {
    own: bool,
    open: Open,
    /// Numbers of the next content, call and source.
    content: u64,
    calls: u64,
    sources: u64,
    /// How likely the next words are.
    likely: Vec<Token>,
    /// Words of the open content.
    words: String,
    counts: Option<Usage>,
    finish: Option<Finish>,
}

/// The part that is open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Open {
    #[default]
    None,
    /// Words.
    Text,
    /// Thoughts, and what their signature begins with.
    Thinking(String),
    /// A plan.
    Plan,
    /// A call, and whether any arguments came.
    Call(bool),
}

impl StreamWriting {
    /// A writer at the beginning of a stream.
    #[must_use]
    pub fn new(identity: Identity) -> Self {
        Self { identity, serial: Serial::new(), teller: Teller::default() }
    }
}

impl WriteStream for StreamWriting {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        if let Event::Start { dialect, id, .. } = event {
            self.teller.own = *dialect == NAME;
            let id = if id.is_empty() { &self.identity.id } else { id };
            frame(out, "message-start", |json| {
                json.text("id", id);
                message(json, |json| {
                    json.text("role", "assistant");
                    json.list("content", |_| {});
                    json.text("tool_plan", "");
                    json.list("tool_calls", |_| {});
                    json.list("citations", |_| {});
                });
            });
        }
        let teller = &mut self.teller;
        self.serial.push(event, &mut |event| teller.event(event, out));
    }
}

impl Teller {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Begin { body, .. } => self.begin(body, out),
            Event::Delta { delta, .. } => self.delta(delta, out),
            Event::End { .. } => self.end(out),
            Event::Finish { finish, .. } => self.finish.clone_from(finish),
            Event::Usage(counts) => {
                self.counts = Some(self.counts.unwrap_or_default().max(*counts));
            }
            Event::Ping => out.extend_from_slice(b": ping\n\n"),
            Event::Failed(error) => out.extend_from_slice(&error_event(&error.refusal())),
            Event::Whole => self.whole(out),
            Event::Logprobs { choice: 0, likely } => {
                self.likely.extend(likely.tokens.iter().cloned())
            }
            Event::Start { .. } | Event::Logprobs { .. } => {}
        }
    }

    fn begin(&mut self, part: &Part, out: &mut Vec<u8>) {
        let speech = Speech { own: self.own, answer: true };
        let index = self.content;
        match &part.body {
            Body::Text(Text { text, citations }) => {
                self.start_content("text", "text", out);
                self.open = Open::Text;
                self.delta(&Delta::Text(text.clone()), out);
                for from in citations {
                    self.delta(&Delta::Citation(from.clone()), out);
                }
            }
            Body::Refusal(text) => {
                self.start_content("text", "text", out);
                self.open = Open::Text;
                self.delta(&Delta::Text(text.clone()), out);
            }
            Body::Thinking(thinking) if self.own && !thinking.inline => {
                self.open = Open::Plan;
                self.delta(&Delta::Text(thinking.text.clone()), out);
            }
            Body::Thinking(Thinking { text, format, .. }) => {
                self.start_content("thinking", "thinking", out);
                let maker = format.as_deref().unwrap_or("unknown");
                self.open = Open::Thinking(prefix(Sealed::Thought, maker));
                self.delta(&Delta::Text(text.clone()), out);
                if let Some(signature) = &part.signature {
                    self.delta(&Delta::Signature(signature.clone()), out);
                }
            }
            Body::Redacted(_) => {
                let carried = carried(part).unwrap_or_default();
                content(out, "content-start", index, |json| {
                    json.text("type", "thinking");
                    json.text("thinking", "");
                    json.text("signature", &carried);
                });
                self.open = Open::Thinking(String::new());
            }
            Body::ToolCall(given) if part.is_client_call() => {
                call(out, "tool-call-start", self.calls, |json| speech.call(json, part, true));
                self.open = Open::Call(false);
                let arguments =
                    if given.custom { given.arguments_object() } else { (&given.arguments).into() };
                self.delta(&Delta::Arguments(arguments.into_owned()), out);
            }
            Body::Image(_)
            | Body::Audio(_)
            | Body::Video(_)
            | Body::Document(_)
            | Body::ToolCall(_)
            | Body::ToolResult(_)
            | Body::Opaque(_) => {}
        }
    }

    fn start_content(&self, kind: &str, key: &str, out: &mut Vec<u8>) {
        content(out, "content-start", self.content, |json| {
            json.text("type", kind);
            json.text(key, "");
        });
    }

    fn delta(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        let index = self.content;
        match (&mut self.open, delta) {
            (_, Delta::Text(text) | Delta::Signature(text)) if text.is_empty() => {}
            // Some say so where there are none.
            (_, Delta::Arguments(text)) if text.is_empty() || text == "null" => {}
            (Open::Text, Delta::Text(text)) => {
                self.words.push_str(text);
                let likely = std::mem::take(&mut self.likely);
                frame(out, "content-delta", |json| {
                    json.number("index", index);
                    message(json, |json| json.member("content", |json| json.text("text", text)));
                    if !likely.is_empty() {
                        json.member("logprobs", |json| likely::write(json, &likely));
                    }
                });
            }
            (Open::Text, Delta::Citation(from)) => {
                let (number, own) = (self.sources, self.own);
                self.sources += 1;
                frame(out, "citation-start", |json| {
                    json.number("index", number);
                    message(json, |json| {
                        if own {
                            return json.raw("citations", from.raw.as_str());
                        }
                        json.member("citations", |json| {
                            write_citation(json, from, &self.words, index);
                        });
                    });
                });
                frame(out, "citation-end", |json| json.number("index", number));
            }
            (Open::Thinking(_), Delta::Text(text)) => {
                content(out, "content-delta", index, |json| json.text("thinking", text));
            }
            (Open::Thinking(prefix), Delta::Signature(text)) => {
                let carried = std::mem::take(prefix) + text;
                content(out, "content-delta", index, |json| json.text("signature", &carried));
            }
            (Open::Plan, Delta::Text(text)) => frame(out, "tool-plan-delta", |json| {
                message(json, |json| json.text("tool_plan", text));
            }),
            (Open::Call(said), Delta::Arguments(text)) => {
                *said = true;
                arguments(out, self.calls, text);
            }
            // What does not fit the part has no place.
            (
                Open::None | Open::Text | Open::Thinking(_) | Open::Plan | Open::Call(_),
                Delta::Text(_)
                | Delta::Arguments(_)
                | Delta::Signature(_)
                | Delta::Citation(_)
                | Delta::Audio(_),
            ) => {}
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        match std::mem::take(&mut self.open) {
            Open::None | Open::Plan => {}
            Open::Text | Open::Thinking(_) => {
                frame(out, "content-end", |json| json.number("index", self.content));
                self.content += 1;
                self.words.clear();
            }
            Open::Call(said) => {
                if !said {
                    arguments(out, self.calls, "{}");
                }
                frame(out, "tool-call-end", |json| json.number("index", self.calls));
                self.calls += 1;
            }
        }
    }

    fn whole(&mut self, out: &mut Vec<u8>) {
        let finish = Finish::settled(self.finish.take(), self.calls > 0);
        frame(out, "message-end", |json| {
            json.member("delta", |json| {
                json.text("finish_reason", reason(&finish));
                if let Some(counts) = &self.counts {
                    write_usage(json, counts);
                }
            });
        });
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}

fn arguments(out: &mut Vec<u8>, index: u64, text: &str) {
    call(out, "tool-call-delta", index, |json| {
        json.member("function", |json| json.text("arguments", text));
    });
}

fn call(out: &mut Vec<u8>, name: &str, index: u64, body: impl FnOnce(&mut Out)) {
    frame(out, name, |json| {
        json.number("index", index);
        message(json, |json| json.member("tool_calls", body));
    });
}

fn content(out: &mut Vec<u8>, name: &str, index: u64, body: impl FnOnce(&mut Out)) {
    frame(out, name, |json| {
        json.number("index", index);
        message(json, |json| json.member("content", body));
    });
}

fn message(json: &mut Out, body: impl FnOnce(&mut Out)) {
    json.member("delta", |json| json.member("message", body));
}

fn frame(out: &mut Vec<u8>, name: &str, body: impl FnOnce(&mut Out)) {
    let data = Out::object(|json| {
        json.text("type", name);
        body(json);
    });
    for piece in [b"event: ", name.as_bytes(), b"\ndata: ", &data, b"\n\n"] {
        out.extend_from_slice(piece);
    }
}
