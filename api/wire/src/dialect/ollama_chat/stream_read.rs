//! A stream, read: objects like that of a plain answer, each with a piece of it.

use super::NAME;
use super::answer::{counts, finish, likely, name_call, read_answer, seconds};
use super::message::call;
use crate::chat::{Body, Delta, Event, Frame, Part, ReadStream, Text, Thinking, replay};
use crate::dialect::openai_chat;
use crate::frame::Framing;
use crate::json::Fields;

/// Reads the objects of a stream.
#[derive(Debug, Default)]
pub struct StreamReading {
    started: bool,
    closed: bool,
    /// Parts begun.
    parts: u32,
    /// The part that is open, and whether its words are thoughts.
    open: Option<(u32, bool)>,
}

impl StreamReading {
    /// A reader at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn begin(&mut self, body: Body, events: &mut Vec<Event>) -> u32 {
        self.end_open(events);
        let part = self.parts;
        self.parts += 1;
        events.push(Event::Begin { choice: 0, part, body: Box::new(Part::new(body)) });
        part
    }

    fn end_open(&mut self, events: &mut Vec<Event>) {
        if let Some((part, _)) = self.open.take() {
            events.push(Event::End { choice: 0, part });
        }
    }

    fn words(&mut self, words: Option<String>, thinks: bool, events: &mut Vec<Event>) {
        let Some(words) = words.filter(|words| !words.is_empty()) else { return };
        let part = match self.open {
            Some((part, open)) if open == thinks => part,
            Some(_) | None => {
                let body = if thinks {
                    Body::Thinking(Thinking::default())
                } else {
                    Body::Text(Text::default())
                };
                let part = self.begin(body, events);
                self.open = Some((part, thinks));
                part
            }
        };
        events.push(Event::Delta { choice: 0, part, delta: Delta::Text(words) });
    }

    /// A call, which always comes whole.
    fn call(&mut self, value: &str, created: &str, events: &mut Vec<Event>) {
        let Some(mut part) = call(value) else { return };
        name_call(&mut part, created, self.parts as usize);
        self.end_open(events);
        let number = self.parts;
        self.parts += 1;
        events.push(Event::Begin { choice: 0, part: number, body: Box::new(part) });
        events.push(Event::End { choice: 0, part: number });
    }
}

impl ReadStream for StreamReading {
    fn framing(&self) -> Framing {
        Framing::NdJson
    }

    fn frame(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) {
        if self.closed {
            return;
        }
        let Ok(mut fields) = Fields::read(frame.data) else { return };
        if fields.get("error").is_some() {
            self.closed = true;
            let error = openai_chat::read_error(frame.data.as_bytes());
            return events.push(Event::Failed(Box::new(error)));
        }
        let created = fields.text("created_at").unwrap_or_default();
        if !std::mem::replace(&mut self.started, true) {
            events.push(Event::Start {
                dialect: NAME,
                id: String::new(),
                model: fields.text("model").unwrap_or_default(),
                created_s: seconds(&created),
            });
        }
        if let Some(likely) = fields.take("logprobs", likely) {
            events.push(Event::Logprobs { choice: 0, likely });
        }
        let mut message = fields.object("message").unwrap_or_default();
        self.words(message.text("thinking"), true, events);
        self.words(message.text("content"), false, events);
        for value in message.filled("tool_calls") {
            self.call(value, &created, events);
        }
        if fields.boolean("done") == Some(true) {
            self.closed = true;
            self.end_open(events);
            let finish = fields.text("done_reason").map(|reason| finish(&reason));
            events.push(Event::Finish { choice: 0, finish, stop_sequence: None });
            events.extend(counts(&mut fields).map(Event::Usage));
            events.push(Event::Whole);
        }
    }

    fn end(&mut self, rest: &str, events: &mut Vec<Event>) {
        if self.closed || self.started || rest.trim().is_empty() {
            return;
        }
        self.closed = true;
        match read_answer(rest.as_bytes()) {
            Ok(answer) => events.extend(replay(&answer)),
            Err(error) => events.push(Event::Failed(Box::new(error))),
        }
    }
}
