//! A stream, read: every chunk is an answer of its own, with what is new.

mod choice;

use super::NAME;
use super::answer::{candidates, is_blocked, read_answer};
use super::error::read_error;
use super::grounding::searches;
use super::usage::Tally;
use crate::chat::{Event, Finish, Frame, ReadStream, replay};
use crate::frame::{Framing, Name};
use crate::json::{Fields, items};
use crate::usage::Usage;
use choice::Choice;

/// Reads the chunks of a stream.
#[derive(Debug, Default)]
pub struct StreamReading {
    framing: Framing,
    started: bool,
    id: String,
    choices: Vec<Choice>,
    tally: Tally,
    told: Option<Usage>,
    any: bool,
    closed: bool,
}

impl StreamReading {
    /// A reader at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same for a stream that was not asked for as server-sent events.
    #[must_use]
    pub fn of(framing: Framing) -> Self {
        Self { framing, ..Self::default() }
    }

    fn chunk(&mut self, mut fields: Fields<'_>, events: &mut Vec<Event>) {
        let list = candidates(&mut fields);
        let usage = fields.object("usageMetadata").map(Fields::camel);
        let blocked = is_blocked(&fields);
        if list.is_empty() && usage.is_none() && !blocked {
            return;
        }
        if !std::mem::replace(&mut self.started, true) {
            self.id = fields.text("responseId").unwrap_or_default();
            events.push(Event::Start {
                dialect: NAME,
                id: self.id.clone(),
                model: fields.text("modelVersion").unwrap_or_default(),
                created_s: None,
            });
        }
        if blocked && list.is_empty() {
            self.choice(0).refuse(Finish::ContentFilter);
        }
        for (at, mut candidate) in (0..).zip(list) {
            let index = candidate.whole("index").and_then(|index| index.try_into().ok());
            self.tally.searched(searches(&candidate));
            self.choice(index.unwrap_or(at)).read(&mut candidate, events);
        }
        self.tally.add(usage.unwrap_or_default());
        let counts = self.tally.counts();
        if counts != self.told {
            self.told = counts;
            events.extend(counts.map(Event::Usage));
        }
    }

    fn choice(&mut self, index: u32) -> &mut Choice {
        let known = self.choices.iter().position(|choice| choice.index == index);
        let at = known.unwrap_or_else(|| {
            self.choices.push(Choice::new(index, &self.id));
            self.choices.len() - 1
        });
        &mut self.choices[at]
    }

    fn whole(&mut self, events: &mut Vec<Event>) {
        self.closed = true;
        self.choices.iter_mut().for_each(|choice| choice.finish(events));
        events.push(Event::Whole);
    }

    fn failed(&mut self, data: &str, events: &mut Vec<Event>) {
        self.closed = true;
        events.push(Event::Failed(Box::new(read_error(data.as_bytes()))));
    }
}

impl ReadStream for StreamReading {
    fn framing(&self) -> Framing {
        self.framing
    }

    fn frame(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) {
        if self.closed {
            return;
        }
        let Ok(fields) = Fields::read(frame.data) else {
            if frame.name == Name::Error {
                self.failed(frame.data, events);
            }
            return;
        };
        self.any = true;
        if frame.name == Name::Error || fields.get("error").is_some() {
            return self.failed(frame.data, events);
        }
        self.chunk(fields.camel(), events);
    }

    fn end(&mut self, rest: &str, events: &mut Vec<Event>) {
        if self.closed {
            return;
        }
        let rest = rest.trim();
        // A failure may follow good chunks as plain JSON.
        let failed = |text: &str| Fields::read(text).is_ok_and(|all| all.get("error").is_some());
        if failed(rest) {
            return self.failed(rest, events);
        }
        if !self.any && !rest.is_empty() {
            let Some(list) = items(rest) else {
                self.closed = true;
                return match read_answer(rest.as_bytes()) {
                    Ok(answer) => events.extend(replay(&answer)),
                    Err(error) => events.push(Event::Failed(Box::new(error))),
                };
            };
            for data in list {
                self.frame(Frame { name: Name::None, event: "", data }, events);
            }
        }
        let finished = !self.choices.is_empty() && self.choices.iter().all(Choice::is_finished);
        if finished && !self.closed {
            self.whole(events);
        }
    }
}
