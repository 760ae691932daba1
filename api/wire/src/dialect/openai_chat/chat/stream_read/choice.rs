//! One of the answers of a stream.

use super::super::answer::{finish, likely, made_up_id};
use super::super::content::{citations, part};
use super::super::reasoning::{detail, plain, thought};
use super::super::think::{Piece, Think};
use super::super::tool::{arguments, signature};
use crate::chat::{Body, Delta, Event, Finish, Part, Text, ToolCall};
use crate::json::{Fields, items, text};

/// One of the answers, as far as it has come.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) index: u32,
    /// The answer's id, for calls that have none.
    id: String,
    /// Parts begun.
    parts: u32,
    open: Option<(u32, Kind)>,
    calls: Vec<Call>,
    /// Tells thoughts that stand in the text from its words.
    think: Think,
    finish: Option<Finish>,
    /// Whether a reason was given.
    finished: bool,
}

/// The kind of a part that is not a call; thoughts have numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Refusal,
    Thinking(u64),
}

/// A call, as far as it has come.
#[derive(Debug)]
struct Call {
    /// The provider's number of it.
    number: Option<u64>,
    id: String,
    part: u32,
    arguments: String,
    open: bool,
}

impl Choice {
    pub(super) fn new(index: u32, id: &str) -> Self {
        let (open, calls, finish) = (None, Vec::new(), None);
        let think = Think::default();
        Self { index, id: id.to_owned(), parts: 0, open, calls, think, finish, finished: false }
    }

    pub(super) const fn is_finished(&self) -> bool {
        self.finished
    }

    /// Takes one entry of a chunk's `choices`.
    pub(super) fn read(&mut self, mut fields: Fields<'_>, events: &mut Vec<Event>) {
        if let Some(likely) = fields.take("logprobs", likely) {
            events.push(Event::Logprobs { choice: self.index, likely });
        }
        if let Some(mut delta) = fields.object("delta") {
            self.delta(&mut delta, events);
        }
        let reason = fields.text("finish_reason").and_then(|word| finish(&word));
        if let Some(reason) = reason {
            self.finished = true;
            // Said twice by some; that tools are to be run holds.
            if self.finish != Some(Finish::ToolCalls) {
                self.finish = Some(reason);
            }
        }
    }

    fn delta(&mut self, delta: &mut Fields<'_>, events: &mut Vec<Event>) {
        self.thoughts(delta, events);
        match delta.get("content") {
            Some(content) if content.starts_with('[') => {
                for item in items(content).unwrap_or_default() {
                    self.inline(&part(item), events);
                }
            }
            Some(content) => self.content(text(content).unwrap_or_default(), events),
            None => {}
        }
        if let Some(refusal) = delta.text("refusal") {
            self.words(Kind::Refusal, refusal, events);
        }
        if let Some(words) = delta.object("audio").and_then(|mut sound| sound.text("transcript")) {
            self.words(Kind::Text, words, events);
        }
        let sources = delta.take("annotations", |list| Some(citations(list))).unwrap_or_default();
        for source in sources {
            self.words(Kind::Text, String::new(), events);
            if let Some((part, Kind::Text)) = self.open {
                let delta = Delta::Citation(source);
                events.push(Event::Delta { choice: self.index, part, delta });
            }
        }
        for value in delta.list("tool_calls").unwrap_or_default() {
            if let Ok(fields) = Fields::read(value) {
                self.call(fields, events);
            }
        }
        if let Some(function) = delta.object("function_call") {
            self.call_piece(None, String::new(), function, events);
        }
    }

    fn thoughts(&mut self, delta: &Fields<'_>, events: &mut Vec<Event>) {
        let details = delta.get("reasoning_details").and_then(items).unwrap_or_default();
        let mut any = false;
        for value in details {
            let number = Fields::read(value).ok().and_then(|mut fields| fields.whole("index"));
            let Some(mut part) = detail(value) else { continue };
            any = true;
            self.think.elsewhere();
            // How the pieces are numbered is no part of the thought.
            part.extra = crate::chat::Extra::default();
            self.thought(number.unwrap_or(0), part, events);
        }
        if !any && let Some(words) = plain(delta) {
            self.think.elsewhere();
            self.thought(0, thought(words), events);
        }
    }

    /// A piece of a thought, with whatever it holds.
    fn thought(&mut self, number: u64, mut piece: Part, events: &mut Vec<Event>) {
        let kind = Kind::Thinking(number);
        if matches!(piece.body, Body::Redacted(_)) {
            let part = self.begin(piece, events);
            events.push(Event::End { choice: self.index, part });
            return;
        }
        let Body::Thinking(thinking) = &mut piece.body else { return };
        let words = std::mem::take(&mut thinking.text);
        let signature = piece.signature.take();
        let part = match self.open {
            Some((part, open)) if open == kind => part,
            _ if words.is_empty() && signature.is_none() => return,
            _ => {
                let part = self.begin(piece, events);
                self.open = Some((part, kind));
                part
            }
        };
        let words = Some(words).filter(|words| !words.is_empty()).map(Delta::Text);
        for delta in words.into_iter().chain(signature.map(Delta::Signature)) {
            events.push(Event::Delta { choice: self.index, part, delta });
        }
    }

    /// An item of content that is a list.
    fn inline(&mut self, item: &Part, events: &mut Vec<Event>) {
        match &item.body {
            Body::Text(text) => self.content(text.text.clone(), events),
            Body::Thinking(_) => self.thought(0, item.clone(), events),
            // No other kind is streamed inside the content.
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
    }

    /// A piece of the content, in which thoughts may stand.
    fn content(&mut self, words: String, events: &mut Vec<Event>) {
        for piece in self.think.push(words) {
            self.piece(piece, events);
        }
    }

    fn piece(&mut self, piece: Piece, events: &mut Vec<Event>) {
        match piece {
            Piece::Words(words) => self.words(Kind::Text, words, events),
            Piece::Thought(words) => self.thought(0, thought(words), events),
        }
    }

    /// Something else than text comes: nothing is to be held back.
    fn flush(&mut self, events: &mut Vec<Event>) {
        if let Some(piece) = self.think.flush() {
            self.piece(piece, events);
        }
    }

    fn words(&mut self, kind: Kind, words: String, events: &mut Vec<Event>) {
        let known = self.open.filter(|(_, open)| *open == kind);
        if known.is_none() && words.is_empty() {
            return;
        }
        let part = known.map_or_else(
            || {
                let empty = match kind {
                    Kind::Refusal => Part::new(Body::Refusal(String::new())),
                    Kind::Text | Kind::Thinking(_) => Part::new(Body::Text(Text::default())),
                };
                let part = self.begin(empty, events);
                self.open = Some((part, kind));
                part
            },
            |(part, _)| part,
        );
        if !words.is_empty() {
            let delta = Delta::Text(words);
            events.push(Event::Delta { choice: self.index, part, delta });
        }
    }

    /// Begins a part. Those before it have ended, but for calls whose arguments are not yet whole:
    /// the pieces of several may come mixed.
    fn begin(&mut self, body: Part, events: &mut Vec<Event>) -> u32 {
        self.end_open(events);
        for call in self.calls.iter_mut().filter(|call| call.open) {
            if serde_json::from_str::<serde_json::Value>(&call.arguments).is_ok() {
                call.open = false;
                events.push(Event::End { choice: self.index, part: call.part });
            }
        }
        let part = self.parts;
        self.parts += 1;
        events.push(Event::Begin { choice: self.index, part, body: Box::new(body) });
        part
    }

    fn end_open(&mut self, events: &mut Vec<Event>) {
        if let Some((part, _)) = self.open.take() {
            events.push(Event::End { choice: self.index, part });
        }
    }

    fn call(&mut self, mut fields: Fields<'_>, events: &mut Vec<Event>) {
        let number = fields.whole("index");
        let id = fields.text("id").unwrap_or_default();
        let signature = signature(&fields);
        if let Some(function) = fields.object("function").or_else(|| fields.object("custom")) {
            self.call_piece(number, id, function, events);
        }
        let known = self.calls.iter().rfind(|call| call.open && call.number == number);
        if let Some((part, signature)) = known.map(|call| call.part).zip(signature) {
            let delta = Delta::Signature(signature);
            events.push(Event::Delta { choice: self.index, part, delta });
        }
    }

    fn call_piece(
        &mut self,
        number: Option<u64>,
        id: String,
        mut function: Fields<'_>,
        events: &mut Vec<Event>,
    ) {
        self.flush(events);
        let name = function.text("name").unwrap_or_default();
        let piece = arguments(&mut function).or_else(|| function.text("input")).unwrap_or_default();
        let known = self.known_call(number, &id, &name);
        let at = known.unwrap_or_else(|| {
            self.begin_call(number, id, name, events);
            self.calls.len() - 1
        });
        let call = &mut self.calls[at];
        if !piece.is_empty() && call.open {
            call.arguments.push_str(&piece);
            let (part, delta) = (call.part, Delta::Arguments(piece));
            events.push(Event::Delta { choice: self.index, part, delta });
        }
    }

    /// The call that a piece belongs to. Some number all their calls alike, some do not number them.
    fn known_call(&self, number: Option<u64>, id: &str, name: &str) -> Option<usize> {
        let is_it = |call: &Call| match number {
            Some(_) => call.number == number,
            None => id.is_empty() || call.id == id,
        };
        let at = self.calls.iter().rposition(is_it)?;
        let another = !id.is_empty() && !name.is_empty() && self.calls[at].id != id;
        let nameless_start = id.is_empty() && number.is_none() && !name.is_empty();
        (!another && !nameless_start).then_some(at)
    }

    fn begin_call(
        &mut self,
        number: Option<u64>,
        id: String,
        name: String,
        events: &mut Vec<Event>,
    ) {
        let part = self.parts;
        let id = if id.is_empty() { made_up_id(&self.id, self.index, part as usize) } else { id };
        let body = Body::ToolCall(ToolCall {
            id: id.clone(),
            name,
            arguments: String::new(),
            custom: false,
            provider_kind: None,
            namespace: None,
        });
        self.begin(Part::new(body), events);
        self.calls.push(Call { number, id, part, arguments: String::new(), open: true });
    }

    /// Ends everything.
    pub(super) fn finish(&mut self, events: &mut Vec<Event>) {
        self.flush(events);
        self.end_open(events);
        for call in self.calls.iter_mut().filter(|call| call.open) {
            call.open = false;
            events.push(Event::End { choice: self.index, part: call.part });
        }
        let finish = self.finish.take();
        events.push(Event::Finish { choice: self.index, finish, stop_sequence: None });
    }
}
