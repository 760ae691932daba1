//! A stream, written: one block after another, however the parts came.

use super::answer::{carried, reason, signature_prefix, write_carried, write_citation, write_head};
use super::block::is_own;
use super::error::error_event;
use super::usage::write_usage;
use super::write_block::Blocks;
use crate::chat::{
    Body, Delta, Event, Finish, GOOGLE, Identity, Part, Role, Sealed, Text, WriteStream, seal,
};
use crate::json::Out;
use crate::usage::Usage;

/// Writes events as a stream.
#[derive(Debug)]
pub struct StreamWriting {
    identity: Identity,
    own: bool,
    /// The beginning, kept until something follows, so that it can tell the usage known by then.
    head: Option<(String, String)>,
    counts: Usage,
    /// The block that is open.
    open: Option<Open>,
    /// The number of the next block.
    next: u32,
    /// What came for parts that have to wait for their turn.
    waiting: Vec<Event>,
    /// Parts that have no counterpart.
    skipped: Vec<u32>,
    /// What the signature of the open block begins with where it is another maker's.
    prefix: String,
    /// The signature of the open block where such a block has no place for one.
    behind: String,
    calls: bool,
    finish: Option<Finish>,
    stop_sequence: Option<String>,
}

/// The block that is open.
#[derive(Debug, Clone, Copy)]
struct Open {
    part: u32,
    /// Whether its words are thoughts.
    thinks: bool,
}

impl StreamWriting {
    /// A writer at the beginning of a stream.
    #[must_use]
    pub fn new(identity: Identity) -> Self {
        Self {
            identity,
            own: false,
            head: None,
            counts: Usage::default(),
            open: None,
            next: 0,
            waiting: Vec::new(),
            skipped: Vec::new(),
            prefix: String::new(),
            behind: String::new(),
            calls: false,
            finish: None,
            stop_sequence: None,
        }
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        let Some((id, model)) = self.head.take() else { return };
        frame(out, "message_start", |json| {
            json.member("message", |json| {
                write_head(json, &id, &model, &self.identity);
                json.list("content", |_| {});
                json.raw("stop_reason", "null");
                json.raw("stop_sequence", "null");
                write_usage(json, &self.counts);
            });
        });
    }

    /// Takes an event of a part: writes it if it is that part's turn, else keeps it.
    fn part(&mut self, event: &Event, out: &mut Vec<u8>) {
        let part = match event {
            Event::Begin { part, .. } | Event::Delta { part, .. } | Event::End { part, .. } => {
                *part
            }
            Event::Start { .. }
            | Event::Logprobs { .. }
            | Event::Finish { .. }
            | Event::Usage(_)
            | Event::Ping
            | Event::Failed(_)
            | Event::Whole => return,
        };
        if self.skipped.contains(&part) {
            return;
        }
        match (self.open, event) {
            (None, Event::Begin { body, .. }) => self.begin(part, body, out),
            (Some(open), Event::Delta { delta, .. }) if open.part == part => {
                self.delta(open, delta, out);
            }
            (Some(open), Event::End { .. }) if open.part == part => self.end(out),
            // Another part has its turn.
            (Some(_) | None, _) => self.waiting.push(event.clone()),
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.open = None;
        frame(out, "content_block_stop", |json| json.number("index", u64::from(self.next)));
        self.next += 1;
        let behind = std::mem::take(&mut self.behind);
        if !behind.is_empty() {
            self.carried(&seal(Sealed::Behind, GOOGLE, &behind), out);
        }
        // The parts that waited take their turn, one of them or several.
        let waiting = std::mem::take(&mut self.waiting);
        waiting.iter().for_each(|event| self.part(event, out));
    }

    /// A block that carries what only another maker can read.
    fn carried(&mut self, data: &str, out: &mut Vec<u8>) {
        frame(out, "content_block_start", |json| {
            json.number("index", u64::from(self.next));
            json.member("content_block", |json| write_carried(json, data));
        });
        frame(out, "content_block_stop", |json| json.number("index", u64::from(self.next)));
        self.next += 1;
    }

    fn begin(&mut self, part: u32, body: &Part, out: &mut Vec<u8>) {
        if let Some(data) = carried(body).filter(|_| !self.own) {
            self.skipped.push(part);
            return self.carried(&data, out);
        }
        let blocks = Blocks { own: self.own };
        let foreign_thought = !self.own && matches!(body.body, Body::Thinking(_));
        let fit = blocks.fit(Role::Assistant, body);
        let empty_text = matches!(&body.body, Body::Text(text) if text.text.is_empty());
        if !foreign_thought && !empty_text && !fit.is_said() {
            self.skipped.push(part);
            return;
        }
        self.calls |= body.is_client_call();
        let (empty, deltas) = emptied(body);
        let thinks = matches!(body.body, Body::Thinking(_));
        let open = Open { part, thinks };
        self.open = Some(open);
        self.prefix = if self.own { String::new() } else { signature_prefix(body) };
        frame(out, "content_block_start", |json| {
            json.number("index", u64::from(self.next));
            json.raw("content_block", &blocks.to_text(&empty));
        });
        for delta in deltas {
            self.delta(open, &delta, out);
        }
    }

    fn delta(&mut self, open: Open, delta: &Delta, out: &mut Vec<u8>) {
        if let Delta::Signature(text) = delta
            && !open.thinks
        {
            return self.behind.push_str(text);
        }
        let says_nothing = match delta {
            Delta::Text(text) | Delta::Signature(text) => text.is_empty(),
            // Some say so where there are none.
            Delta::Arguments(text) => text.is_empty() || text == "null",
            Delta::Audio(_) => true,
            Delta::Citation(_) => false,
        };
        if says_nothing {
            return;
        }
        frame(out, "content_block_delta", |json| {
            json.number("index", u64::from(self.next));
            json.member("delta", |json| self.write_delta(json, open, delta));
        });
        if matches!(delta, Delta::Signature(_)) {
            self.prefix.clear();
        }
    }

    fn write_delta(&self, json: &mut Out, open: Open, delta: &Delta) {
        let mut say = |kind: &str, key: &str, text: &str| {
            json.text("type", kind);
            json.text(key, text);
        };
        match delta {
            Delta::Text(text) if open.thinks => say("thinking_delta", "thinking", text),
            Delta::Text(text) => say("text_delta", "text", text),
            Delta::Arguments(text) => say("input_json_delta", "partial_json", text),
            Delta::Signature(text) => {
                say("signature_delta", "signature", &format!("{}{text}", self.prefix));
            }
            Delta::Citation(from) => {
                json.text("type", "citations_delta");
                if self.own {
                    json.raw("citation", from.raw.as_str());
                } else {
                    json.member("citation", |json| write_citation(json, from));
                }
            }
            Delta::Audio(_) => {}
        }
    }

    fn whole(&mut self, out: &mut Vec<u8>) {
        // Every part ends before the stream does; what waits has only its turn to come.
        while self.open.is_some() {
            self.end(out);
        }
        let finish = Finish::settled(self.finish.take(), self.calls);
        frame(out, "message_delta", |json| {
            json.member("delta", |json| {
                json.text("stop_reason", reason(&finish));
                json.text_or_null("stop_sequence", self.stop_sequence.as_deref());
            });
            write_usage(json, &self.counts);
        });
        frame(out, "message_stop", |_| {});
    }
}

impl WriteStream for StreamWriting {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        if !matches!(event, Event::Start { .. } | Event::Usage(_)) {
            self.start(out);
        }
        match event {
            Event::Start { dialect, id, model, .. } => {
                self.own = is_own(dialect);
                self.head = Some((id.clone(), model.clone()));
            }
            Event::Begin { choice: 0, .. }
            | Event::Delta { choice: 0, .. }
            | Event::End { choice: 0, .. } => self.part(event, out),
            Event::Finish { choice: 0, finish, stop_sequence } => {
                self.finish.clone_from(finish);
                self.stop_sequence.clone_from(stop_sequence);
            }
            Event::Usage(counts) => self.counts = self.counts.max(*counts),
            Event::Ping => frame(out, "ping", |_| {}),
            Event::Failed(error) => out.extend_from_slice(&error_event(&error.refusal())),
            Event::Whole => self.whole(out),
            // There is one answer here, and nothing says how likely it was.
            Event::Begin { .. }
            | Event::Delta { .. }
            | Event::End { .. }
            | Event::Finish { .. }
            | Event::Logprobs { .. } => {}
        }
    }
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

/// A part as its block begins, and what of it is told in deltas.
fn emptied(part: &Part) -> (Part, Vec<Delta>) {
    let mut empty = part.clone();
    let deltas = match &mut empty.body {
        Body::Text(Text { text, citations }) => {
            let words = Delta::Text(std::mem::take(text));
            let from = std::mem::take(citations).into_iter().map(Delta::Citation);
            let signature = empty.signature.take().map(Delta::Signature);
            [words].into_iter().chain(from).chain(signature).collect()
        }
        Body::Refusal(text) => vec![Delta::Text(std::mem::take(text))],
        Body::Thinking(thinking) => {
            let words = Delta::Text(std::mem::take(&mut thinking.text));
            let signature = empty.signature.replace(String::new());
            [words].into_iter().chain(signature.map(Delta::Signature)).collect()
        }
        Body::ToolCall(call) => {
            let signature = empty.signature.take().map(Delta::Signature);
            let arguments = std::mem::replace(&mut call.arguments, "{}".to_owned());
            // An object without members is what the block begins with.
            let given = Some(arguments).filter(|text| text.trim() != "{}");
            given.map(Delta::Arguments).into_iter().chain(signature).collect()
        }
        Body::Redacted(_)
        | Body::Image(_)
        | Body::Audio(_)
        | Body::Video(_)
        | Body::Document(_)
        | Body::ToolResult(_)
        | Body::Opaque(_) => Vec::new(),
    };
    (empty, deltas)
}
