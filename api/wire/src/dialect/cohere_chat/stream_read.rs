//! A stream, read: content, plans and calls, each with a beginning and an end.

use super::NAME;
use super::answer::{finish, read_answer};
use super::content::{call, citation, part, plan};
use super::error::read_error;
use super::likely;
use super::usage::counts;
use crate::chat::{Body, Delta, Event, Frame, Part, ReadStream, Text, replay};
use crate::frame::Name;
use crate::json::{Fields, text};
use crate::provider_error::ProviderError;

/// Reads the events of a stream.
#[derive(Debug, Default)]
pub struct StreamReading {
    /// Parts begun, in order.
    parts: Vec<Piece>,
    started: bool,
    any: bool,
    closed: bool,
}

/// A part, as far as it has come.
#[derive(Debug)]
struct Piece {
    kind: Kind,
    /// The provider's number of it, among those of its kind.
    index: u64,
    open: bool,
    /// Whether any arguments came.
    said: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Content,
    Plan,
    Call,
}

impl StreamReading {
    /// A reader at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn start(&mut self, fields: &mut Fields<'_>, events: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.started, true) {
            let (id, model) = (fields.text("id").unwrap_or_default(), String::new());
            events.push(Event::Start { dialect: NAME, id, model, created_s: None });
        }
    }

    fn begin(&mut self, kind: Kind, index: u64, body: Part, events: &mut Vec<Event>) -> u32 {
        // What was told as ended only waited for its sources; a plan is never told to end.
        self.end(events, |piece| piece.kind != Kind::Call);
        let part = u32::try_from(self.parts.len()).unwrap_or(u32::MAX);
        self.parts.push(Piece { kind, index, open: true, said: false });
        events.push(Event::Begin { choice: 0, part, body: Box::new(body) });
        part
    }

    /// Ends the open parts that are meant. A call without arguments has an empty object of them.
    fn end(&mut self, events: &mut Vec<Event>, meant: impl Fn(&Piece) -> bool) {
        for (part, piece) in (0..).zip(&mut self.parts) {
            if !meant(piece) || !std::mem::replace(&mut piece.open, false) {
                continue;
            }
            if piece.kind == Kind::Call && !piece.said {
                let delta = Delta::Arguments("{}".to_owned());
                events.push(Event::Delta { choice: 0, part, delta });
            }
            events.push(Event::End { choice: 0, part });
        }
    }

    /// The open part of that kind and number.
    fn open(&mut self, kind: Kind, index: u64) -> Option<(u32, &mut Piece)> {
        let is_it = |piece: &Piece| piece.kind == kind && piece.index == index && piece.open;
        let at = self.parts.iter().rposition(is_it)?;
        Some((u32::try_from(at).ok()?, &mut self.parts[at]))
    }

    fn content(&mut self, index: u64, value: &str, begins: bool, events: &mut Vec<Event>) {
        let mut fields = Fields::read(value).unwrap_or_default();
        let (words, thought) = (fields.text("text"), fields.text("thinking"));
        let known = self.open(Kind::Content, index).map(|(part, _)| part);
        let part = known.filter(|_| !begins).unwrap_or_else(|| {
            let typed = fields.get("type").is_some();
            let empty = match (&words, &thought) {
                _ if typed => part_of(value),
                (None, Some(_)) => part_of(r#"{"type":"thinking","thinking":""}"#),
                (Some(_) | None, _) => Part::new(Body::Text(Text::default())),
            };
            self.begin(Kind::Content, index, empty, events)
        });
        let said = words.or(thought).filter(|text| !text.is_empty()).map(Delta::Text);
        let carried = fields.text("signature").filter(|_| !begins).map(Delta::Signature);
        for delta in said.into_iter().chain(carried) {
            events.push(Event::Delta { choice: 0, part, delta });
        }
    }

    fn planned(&mut self, words: String, events: &mut Vec<Event>) {
        let known = self.open(Kind::Plan, 0).map(|(part, _)| part);
        let part = known.unwrap_or_else(|| self.begin(Kind::Plan, 0, plan(String::new()), events));
        if !words.is_empty() {
            let delta = Delta::Text(words);
            events.push(Event::Delta { choice: 0, part, delta });
        }
    }

    fn call(&mut self, index: u64, value: &str, begins: bool, events: &mut Vec<Event>) {
        let Some(mut body) = call(value) else { return };
        let Body::ToolCall(call) = &mut body.body else { return };
        let piece = std::mem::take(&mut call.arguments);
        let part = match self.open(Kind::Call, index) {
            Some((part, _)) if !begins => part,
            Some(_) | None => {
                self.end(events, |piece| piece.kind == Kind::Call);
                self.begin(Kind::Call, index, body, events)
            }
        };
        if !piece.is_empty() {
            if let Some((_, open)) = self.open(Kind::Call, index) {
                open.said = true;
            }
            let delta = Delta::Arguments(piece);
            events.push(Event::Delta { choice: 0, part, delta });
        }
    }

    /// A source belongs to the words that came last, which may have been told as ended.
    fn cited(&mut self, value: &str, events: &mut Vec<Event>) {
        let is_it = |piece: &Piece| piece.kind == Kind::Content && piece.open;
        if let Some(at) = self.parts.iter().rposition(is_it) {
            let part = u32::try_from(at).unwrap_or(u32::MAX);
            let delta = Delta::Citation(citation(value));
            events.push(Event::Delta { choice: 0, part, delta });
        }
    }

    fn whole(&mut self, mut delta: Fields<'_>, events: &mut Vec<Event>) {
        self.closed = true;
        self.end(events, |_| true);
        events.extend(delta.get("usage").and_then(counts).map(Event::Usage));
        let reason = delta.text("finish_reason");
        if reason.as_deref() == Some("ERROR") {
            let said = delta.text("error");
            let said = said.unwrap_or_else(|| "the provider broke its answer off".to_owned());
            let error = ProviderError::unreadable(said);
            return events.push(Event::Failed(Box::new(error)));
        }
        let finish = reason.as_deref().map(finish);
        events.push(Event::Finish { choice: 0, finish, stop_sequence: None });
        events.push(Event::Whole);
    }

    fn event(&mut self, kind: &str, mut fields: Fields<'_>, events: &mut Vec<Event>) {
        let index = fields.whole("index").unwrap_or(0);
        let mut delta = fields.object("delta").unwrap_or_default();
        if kind == "message-start" {
            return self.start(&mut fields, events);
        }
        self.start(&mut Fields::default(), events);
        if kind == "message-end" {
            return self.whole(delta, events);
        }
        let mut message = delta.object("message").unwrap_or_default();
        if let Some(likely) = fields.take("logprobs", likely::read) {
            events.push(Event::Logprobs { choice: 0, likely });
        }
        match kind {
            "content-start" | "content-delta" => {
                let value = message.get("content").unwrap_or("{}");
                self.content(index, value, kind == "content-start", events);
            }
            "tool-plan-delta" => {
                self.planned(message.text("tool_plan").unwrap_or_default(), events)
            }
            "tool-call-start" | "tool-call-delta" => {
                let value = message.get("tool_calls").unwrap_or("{}");
                self.call(index, value, kind == "tool-call-start", events);
            }
            "tool-call-end" => {
                self.end(events, |piece| piece.kind == Kind::Call && piece.index == index);
            }
            "citation-start" => {
                if let Some(value) = message.get("citations") {
                    self.cited(value, events);
                }
            }
            // Content ends when something else begins: sources may follow.
            _ => {}
        }
    }
}

/// A part that has begun, without what will be told piece by piece.
fn part_of(value: &str) -> Part {
    let mut part = part(value);
    match &mut part.body {
        Body::Text(text) => text.text.clear(),
        Body::Thinking(thinking) => thinking.text.clear(),
        Body::Refusal(_)
        | Body::Redacted(_)
        | Body::Image(_)
        | Body::Audio(_)
        | Body::Video(_)
        | Body::Document(_)
        | Body::ToolCall(_)
        | Body::ToolResult(_)
        | Body::Opaque(_) => {}
    }
    part
}

impl ReadStream for StreamReading {
    fn frame(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) {
        if self.closed {
            return;
        }
        let Ok(fields) = Fields::read(frame.data) else { return };
        self.any = true;
        match fields.get("type").and_then(text) {
            Some(kind) if frame.name != Name::Error => self.event(&kind, fields, events),
            Some(_) | None => {
                self.closed = true;
                events.push(Event::Failed(Box::new(read_error(frame.data.as_bytes()))));
            }
        }
    }

    fn end(&mut self, rest: &str, events: &mut Vec<Event>) {
        if self.any || self.closed || rest.trim().is_empty() {
            return;
        }
        self.closed = true;
        match read_answer(rest.as_bytes()) {
            Ok(answer) => events.extend(replay(&answer)),
            Err(error) => events.push(Event::Failed(Box::new(error))),
        }
    }
}
