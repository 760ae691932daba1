//! A stream, read.

use super::NAME;
use super::answer::{finish, read_answer, stop_sequence};
use super::block::{citation, redacted};
use super::error::read_exception;
use super::media::decoded_text;
use super::usage::counts;
use crate::chat::{
    Body, CLAUDE, Delta, Event, Finish, Frame, Opaque, Part, Raw, ReadStream, Text, Thinking,
    ToolCall, replay,
};
use crate::frame::{Framing, Name};
use crate::json::{Fields, Out, items};
use crate::wishes::served;

/// Reads the events of a stream.
#[derive(Debug, Default)]
pub struct StreamReading {
    /// Blocks begun, in order.
    blocks: Vec<Block>,
    /// Parts begun.
    parts: u32,
    started: bool,
    stopped: bool,
    closed: bool,
}

#[derive(Debug)]
struct Block {
    /// The provider's number of it.
    index: u64,
    part: u32,
    kind: Kind,
    open: bool,
    /// Whether its end was said. What comes for it nevertheless, and some send words so, belongs to it.
    stopped: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking,
    /// A call, and whether its arguments have begun.
    Call(bool),
    /// What a tool of the provider gave, piece by piece.
    Result(String, Vec<String>),
}

impl StreamReading {
    /// A reader at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn start(&mut self, events: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.started, true) {
            let (id, model, created_s) = (String::new(), String::new(), None);
            events.push(Event::Start { dialect: NAME, id, model, created_s });
        }
    }

    fn begin(&mut self, index: u64, kind: Kind, body: Part, events: &mut Vec<Event>) -> u32 {
        self.end_where(|block| block.stopped || block.index == index, events);
        let part = self.parts;
        self.parts += 1;
        self.blocks.push(Block { index, part, kind, open: true, stopped: false });
        events.push(Event::Begin { choice: 0, part, body: Box::new(body) });
        part
    }

    fn end_where(&mut self, is_over: impl Fn(&Block) -> bool, events: &mut Vec<Event>) {
        for block in self.blocks.iter_mut().filter(|block| block.open && is_over(block)) {
            block.open = false;
            let part = block.part;
            match &block.kind {
                // A call without arguments has an empty object of them.
                Kind::Call(false) => {
                    let delta = Delta::Arguments("{}".to_owned());
                    events.push(Event::Delta { choice: 0, part, delta });
                }
                Kind::Call(true) | Kind::Text | Kind::Thinking => {}
                // Its part has yet to begin.
                Kind::Result(..) => continue,
            }
            events.push(Event::End { choice: 0, part });
        }
        self.blocks.retain(|block| block.open);
    }

    /// The open block with that number, if it is of that kind.
    fn known(&self, index: u64, is_it: impl Fn(&Kind) -> bool) -> Option<u32> {
        let mut known = self.blocks.iter().rev().filter(|block| block.index == index);
        known.next().filter(|block| is_it(&block.kind)).map(|block| block.part)
    }

    fn block_start(&mut self, mut fields: Fields<'_>, events: &mut Vec<Event>) {
        let index = fields.whole("contentBlockIndex").unwrap_or(0);
        let mut start = fields.object("start").unwrap_or_default();
        if let Some(mut call) = start.object("toolUse") {
            let body = Part::new(Body::ToolCall(ToolCall {
                id: call.text("toolUseId").unwrap_or_default(),
                name: call.text("name").unwrap_or_default(),
                arguments: String::new(),
                custom: false,
                provider_kind: call.text("type").filter(|kind| kind != "tool_use"),
                namespace: None,
            }));
            self.begin(index, Kind::Call(false), body, events);
        } else if let Some(result) = start.raw("toolResult") {
            let kind = Kind::Result(result.as_str().to_owned(), Vec::new());
            let part = self.parts;
            self.blocks.push(Block { index, part, kind, open: true, stopped: false });
        }
    }

    fn block_delta(&mut self, mut fields: Fields<'_>, events: &mut Vec<Event>) {
        let index = fields.whole("contentBlockIndex").unwrap_or(0);
        let mut delta = fields.object("delta").unwrap_or_default();
        if let Some(words) = delta.text("text") {
            let part = self.words(index, events);
            events.push(Event::Delta { choice: 0, part, delta: Delta::Text(words) });
        }
        if let Some(thought) = delta.object("reasoningContent") {
            self.thought(index, thought, events);
        }
        if let Some(mut call) = delta.object("toolUse") {
            self.arguments(index, call.text("input").unwrap_or_default(), events);
        }
        if let Some(from) = delta.take("citation", |value| Some(citation(value))) {
            let part = self.words(index, events);
            events.push(Event::Delta { choice: 0, part, delta: Delta::Citation(from) });
        }
        let result = self.blocks.iter_mut().rfind(|block| block.index == index);
        if let Some(Block { kind: Kind::Result(_, pieces), .. }) = result {
            let given = delta.get("toolResult").and_then(items).unwrap_or_default();
            pieces.extend(given.into_iter().map(str::to_owned));
        }
    }

    /// The part that words belong to: blocks of text have no start.
    fn words(&mut self, index: u64, events: &mut Vec<Event>) -> u32 {
        let known = self.known(index, |kind| *kind == Kind::Text);
        known.unwrap_or_else(|| {
            let body = Part::new(Body::Text(Text::default()));
            self.begin(index, Kind::Text, body, events)
        })
    }

    fn thought(&mut self, index: u64, mut fields: Fields<'_>, events: &mut Vec<Event>) {
        if let Some(data) = fields.text("redactedContent").as_deref().and_then(decoded_text) {
            self.begin(index, Kind::Thinking, Part::new(redacted(data)), events);
            return self.end_where(|block| block.index == index, events);
        }
        let words = fields.text("text").map(Delta::Text);
        let signature = fields.text("signature").map(Delta::Signature);
        for delta in words.into_iter().chain(signature) {
            let known = self.known(index, |kind| *kind == Kind::Thinking);
            let part = known.unwrap_or_else(|| {
                // Of the makers here only Claude's signs, and the signature comes last.
                let format = Some(CLAUDE.to_owned());
                let body = Body::Thinking(Thinking { format, ..Thinking::default() });
                self.begin(index, Kind::Thinking, Part::new(body), events)
            });
            events.push(Event::Delta { choice: 0, part, delta });
        }
    }

    fn arguments(&mut self, index: u64, piece: String, events: &mut Vec<Event>) {
        let call = self.blocks.iter_mut().rfind(|block| block.index == index);
        if let Some(Block { kind: Kind::Call(begun), part, .. }) = call
            && !piece.is_empty()
        {
            *begun = true;
            let delta = Delta::Arguments(piece);
            events.push(Event::Delta { choice: 0, part: *part, delta });
        }
    }

    fn block_stop(&mut self, index: u64, events: &mut Vec<Event>) {
        let Some(at) = self.blocks.iter().rposition(|block| block.index == index) else { return };
        match &mut self.blocks[at].kind {
            Kind::Text | Kind::Thinking => self.blocks[at].stopped = true,
            // Callers wait for the end of a call.
            Kind::Call(_) => self.end_where(|block| block.index == index, events),
            Kind::Result(start, pieces) => {
                let raw = result(start, pieces);
                self.blocks.remove(at);
                self.end_where(|block| block.stopped, events);
                let body = Body::Opaque(Opaque { kind: "toolResult".to_owned(), raw });
                let part = self.parts;
                self.parts += 1;
                events.push(Event::Begin { choice: 0, part, body: Box::new(Part::new(body)) });
                events.push(Event::End { choice: 0, part });
            }
        }
    }

    fn stop(&mut self, mut fields: Fields<'_>, events: &mut Vec<Event>) {
        if std::mem::replace(&mut self.stopped, true) {
            return;
        }
        self.end_where(|_| true, events);
        let finish: Option<Finish> = fields.text("stopReason").map(|reason| finish(&reason));
        let stop_sequence = stop_sequence(&mut fields);
        events.push(Event::Finish { choice: 0, finish, stop_sequence });
    }

    fn metadata(&mut self, mut fields: Fields<'_>, events: &mut Vec<Event>) {
        let used = served(fields.object("usage").and_then(counts), &fields);
        events.extend(used.map(Event::Usage));
        if self.stopped {
            self.whole(events);
        }
    }

    fn whole(&mut self, events: &mut Vec<Event>) {
        self.closed = true;
        events.push(Event::Whole);
    }
}

/// What a tool of the provider gave, as the block of a plain answer.
fn result(start: &str, pieces: &[String]) -> Raw {
    let head = Fields::read(start).unwrap_or_default().rest();
    let block = Out::object(|out| {
        out.member("toolResult", |out| {
            out.extra(&head);
            out.list("content", |out| pieces.iter().for_each(|piece| out.raw_item(piece)));
        });
    });
    Raw::new(&String::from_utf8_lossy(&block))
}

impl ReadStream for StreamReading {
    fn framing(&self) -> Framing {
        Framing::AwsEventStream
    }

    fn frame(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) {
        if self.closed {
            return;
        }
        if frame.name == Name::Error {
            self.closed = true;
            let error = read_exception(frame.event, frame.data);
            events.push(Event::Failed(Box::new(error)));
            return;
        }
        let Ok(mut fields) = Fields::read(frame.data) else { return };
        self.start(events);
        match frame.event {
            "contentBlockStart" => self.block_start(fields, events),
            "contentBlockDelta" => self.block_delta(fields, events),
            "contentBlockStop" => {
                self.block_stop(fields.whole("contentBlockIndex").unwrap_or(0), events);
            }
            "messageStop" => self.stop(fields, events),
            "metadata" => self.metadata(fields, events),
            // What else may come says nothing to callers of other dialects.
            _ => {}
        }
    }

    fn end(&mut self, rest: &str, events: &mut Vec<Event>) {
        if self.closed {
            return;
        }
        if self.stopped {
            // Usage never came.
            return self.whole(events);
        }
        if self.started || rest.trim().is_empty() {
            return;
        }
        self.closed = true;
        match read_answer(rest.as_bytes()) {
            Ok(answer) => events.extend(replay(&answer)),
            Err(error) => events.push(Event::Failed(Box::new(error))),
        }
    }
}
