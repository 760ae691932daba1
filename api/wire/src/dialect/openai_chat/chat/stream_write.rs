//! A stream, written: chunks of deltas.

use super::super::{NAME, error_event};
use super::usage::write_usage;
use super::write_answer::{reason, write_likely, write_source};
use super::write_part::{write_call, write_signature, write_thought};
use crate::chat::{
    Body, Delta, Event, Finish, GOOGLE, Identity, Likely, Part, Redacted, Text, Thinking,
    WriteStream,
};
use crate::json::Out;
use crate::usage::Usage;

/// Writes events as a stream.
#[derive(Debug)]
pub struct StreamWriting {
    identity: Identity,
    own: bool,
    created_s: u64,
    counts: Option<Usage>,
    choices: Vec<Choice>,
}

/// One of the answers, as far as it was said.
#[derive(Debug, Default)]
struct Choice {
    index: u32,
    /// Whether the first chunk, which tells the role, was written.
    begun: bool,
    parts: Vec<Kind>,
    calls: u64,
    thoughts: u64,
}

/// Where a part is said.
#[derive(Debug, Clone)]
enum Kind {
    Content,
    Refusal,
    /// A thought, its number, and who can read its signature.
    Thought(u64, Option<String>),
    /// A call, its number, and whether it takes free text.
    Call(u64, bool),
    /// Nowhere.
    Skipped,
}

impl StreamWriting {
    /// A writer at the beginning of a stream.
    #[must_use]
    pub const fn new(identity: Identity) -> Self {
        Self { identity, own: false, created_s: 0, counts: None, choices: Vec::new() }
    }

    fn choice(&mut self, index: u32) -> &mut Choice {
        let known = self.choices.iter().position(|choice| choice.index == index);
        let at = known.unwrap_or_else(|| {
            self.choices.push(Choice { index, ..Choice::default() });
            self.choices.len() - 1
        });
        &mut self.choices[at]
    }

    /// A chunk; `body` writes what follows its head.
    fn chunk(&self, out: &mut Vec<u8>, body: impl FnOnce(&mut Out)) {
        let data = Out::object(|json| {
            json.text("id", &self.identity.id);
            json.text("object", "chat.completion.chunk");
            json.number("created", self.created_s);
            json.text("model", &self.identity.model);
            body(json);
        });
        for piece in [b"data: ", &data[..], b"\n\n"] {
            out.extend_from_slice(piece);
        }
    }

    /// A chunk of one choice.
    fn says(&mut self, index: u32, out: &mut Vec<u8>, delta: impl FnOnce(&mut Out)) {
        self.entry(index, out, |json| {
            delta(json);
            None
        });
    }

    fn entry(
        &mut self,
        index: u32,
        out: &mut Vec<u8>,
        delta: impl FnOnce(&mut Out) -> Option<&'static str>,
    ) {
        let first = !std::mem::replace(&mut self.choice(index).begun, true);
        self.chunk(out, |json| {
            json.list("choices", |json| {
                json.item(|json| {
                    json.number("index", u64::from(index));
                    let mut reason = None;
                    json.member("delta", |json| {
                        if first {
                            json.text("role", "assistant");
                        }
                        reason = delta(json);
                    });
                    json.raw("logprobs", "null");
                    json.text_or_null("finish_reason", reason);
                });
            });
            if self.identity.include_usage {
                json.raw("usage", "null");
            }
        });
    }

    /// A chunk that says how likely the words are that follow.
    fn likely(&mut self, index: u32, likely: &Likely, out: &mut Vec<u8>) {
        let first = !std::mem::replace(&mut self.choice(index).begun, true);
        self.chunk(out, |json| {
            json.list("choices", |json| {
                json.item(|json| {
                    json.number("index", u64::from(index));
                    json.member("delta", |json| {
                        if first {
                            json.text("role", "assistant");
                        }
                    });
                    match &likely.raw {
                        Some(raw) if self.own => json.raw("logprobs", raw.as_str()),
                        _ => write_likely(json, &likely.tokens),
                    }
                    json.raw("finish_reason", "null");
                });
            });
        });
    }

    fn begin(&mut self, index: u32, part: &Part, out: &mut Vec<u8>) {
        let choice = self.choice(index);
        let kind = choice.kind(part);
        choice.parts.push(kind.clone());
        match &part.body {
            Body::Text(Text { text, citations }) => {
                self.delta(index, &kind, &Delta::Text(text.clone()), out);
                for from in citations {
                    self.delta(index, &kind, &Delta::Citation(from.clone()), out);
                }
                if let Some(signature) = &part.signature {
                    self.delta(index, &kind, &Delta::Signature(signature.clone()), out);
                }
            }
            Body::Refusal(text) | Body::Thinking(Thinking { text, .. }) => {
                self.delta(index, &kind, &Delta::Text(text.clone()), out);
                if let Some(signature) = &part.signature {
                    self.delta(index, &kind, &Delta::Signature(signature.clone()), out);
                }
            }
            Body::Redacted(Redacted { .. }) => {
                if let Kind::Thought(number, _) = kind {
                    self.says(index, out, |json| {
                        json.list("reasoning_details", |json| {
                            json.item(|json| write_thought(json, part, number));
                        });
                    });
                }
            }
            Body::ToolCall(call) => {
                if let Kind::Call(number, _) = kind {
                    self.says(index, out, |json| {
                        json.list("tool_calls", |json| {
                            json.item(|json| {
                                json.number("index", number);
                                write_call(json, call, |_| {});
                                write_signature(json, part.signature.as_deref());
                            });
                        });
                    });
                }
            }
            Body::Image(_)
            | Body::Audio(_)
            | Body::Video(_)
            | Body::Document(_)
            | Body::ToolResult(_)
            | Body::Opaque(_) => {}
        }
    }

    fn delta(&mut self, index: u32, kind: &Kind, delta: &Delta, out: &mut Vec<u8>) {
        match (kind, delta) {
            (_, Delta::Text(text) | Delta::Arguments(text) | Delta::Signature(text))
                if text.is_empty() => {}
            (Kind::Content, Delta::Text(text)) => {
                self.says(index, out, |json| json.text("content", text));
            }
            (Kind::Refusal, Delta::Text(text)) => {
                self.says(index, out, |json| json.text("refusal", text));
            }
            (Kind::Thought(number, format), Delta::Text(text)) => {
                self.says(index, out, |json| {
                    json.text("reasoning_content", text);
                    if let Some(format) = format {
                        detail(json, *number, "text", text, format);
                    }
                });
            }
            (Kind::Thought(number, format), Delta::Signature(text)) => {
                let format = format.as_deref().unwrap_or("unknown");
                self.says(index, out, |json| detail(json, *number, "signature", text, format));
            }
            (Kind::Call(number, custom), Delta::Arguments(text)) => {
                let (kind, key) =
                    if *custom { ("custom", "input") } else { ("function", "arguments") };
                self.says(index, out, |json| {
                    json.list("tool_calls", |json| {
                        json.item(|json| {
                            json.number("index", *number);
                            json.member(kind, |json| json.text(key, text));
                        });
                    });
                });
            }
            (Kind::Content, Delta::Citation(from)) if from.url.is_some() => {
                self.says(index, out, |json| {
                    json.list("annotations", |json| {
                        json.item(|json| write_source(json, from, None));
                    });
                });
            }
            (Kind::Call(number, _), Delta::Signature(text)) => {
                self.says(index, out, |json| {
                    json.list("tool_calls", |json| {
                        json.item(|json| {
                            json.number("index", *number);
                            write_signature(json, Some(text));
                        });
                    });
                });
            }
            // Words have no place for it: it is carried as a thought that only its maker can read.
            (Kind::Content | Kind::Refusal, Delta::Signature(text)) => {
                let (data, format) = (text.clone(), Some(GOOGLE.to_owned()));
                let thought = Part::new(Body::Redacted(Redacted { data, format }));
                let choice = self.choice(index);
                choice.thoughts += 1;
                let number = choice.thoughts - 1;
                self.says(index, out, |json| {
                    json.list("reasoning_details", |json| {
                        json.item(|json| write_thought(json, &thought, number));
                    });
                });
            }
            // What does not fit the part has no place.
            (
                Kind::Content | Kind::Refusal | Kind::Thought(..) | Kind::Call(..) | Kind::Skipped,
                Delta::Text(_)
                | Delta::Arguments(_)
                | Delta::Signature(_)
                | Delta::Citation(_)
                | Delta::Audio(_),
            ) => {}
        }
    }

    fn finish(&mut self, index: u32, finish: Option<&Finish>, out: &mut Vec<u8>) {
        let calls = self.choice(index).calls > 0;
        let word = reason(&Finish::settled(finish.cloned(), calls));
        self.entry(index, out, |_| Some(word));
    }

    fn whole(&mut self, out: &mut Vec<u8>) {
        if self.identity.include_usage
            && let Some(counts) = self.counts
        {
            self.chunk(out, |json| {
                json.list("choices", |_| {});
                write_usage(json, &counts);
            });
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}

impl Choice {
    /// Where a part is said.
    fn kind(&mut self, part: &Part) -> Kind {
        match &part.body {
            Body::Text(_) => Kind::Content,
            Body::Refusal(_) => Kind::Refusal,
            Body::Thinking(Thinking { format, .. }) | Body::Redacted(Redacted { format, .. }) => {
                self.thoughts += 1;
                Kind::Thought(self.thoughts - 1, format.clone())
            }
            Body::ToolCall(call) if part.is_client_call() => {
                self.calls += 1;
                Kind::Call(self.calls - 1, call.custom)
            }
            Body::ToolCall(_)
            | Body::Image(_)
            | Body::Audio(_)
            | Body::Video(_)
            | Body::Document(_)
            | Body::ToolResult(_)
            | Body::Opaque(_) => Kind::Skipped,
        }
    }
}

impl WriteStream for StreamWriting {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { dialect, id, model, created_s } => {
                self.own = *dialect == NAME;
                self.created_s = created_s.unwrap_or(self.identity.created_s);
                if !id.is_empty() {
                    self.identity.id.clone_from(id);
                }
                if self.identity.model.is_empty() {
                    self.identity.model.clone_from(model);
                }
                // Callers learn at once that the answer has begun.
                self.says(0, out, |json| json.text("content", ""));
            }
            Event::Begin { choice, body, .. } => self.begin(*choice, body, out),
            Event::Delta { choice, part, delta } => {
                let kind = self.choice(*choice).parts.get(*part as usize).cloned();
                if let Some(kind) = kind {
                    self.delta(*choice, &kind, delta, out);
                }
            }
            Event::Logprobs { choice, likely } => {
                if self.own || !likely.tokens.is_empty() {
                    self.likely(*choice, likely, out);
                }
            }
            Event::Finish { choice, finish, .. } => self.finish(*choice, finish.as_ref(), out),
            Event::Usage(counts) => {
                let known = self.counts.unwrap_or_default();
                self.counts = Some(known.max(*counts));
            }
            Event::Ping => out.extend_from_slice(b": ping\n\n"),
            Event::Failed(error) => out.extend_from_slice(&error_event(&error.refusal())),
            Event::Whole => self.whole(out),
            Event::End { .. } => {}
        }
    }
}

fn detail(json: &mut Out, number: u64, key: &str, value: &str, format: &str) {
    json.list("reasoning_details", |json| {
        json.item(|json| {
            json.text("type", "reasoning.text");
            json.text(key, value);
            json.text("format", format);
            json.number("index", number);
        });
    });
}
