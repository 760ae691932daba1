//! A stream, read: parts are told apart by what a delta holds.

mod choice;

use super::super::{NAME, read_error};
use super::answer::read_answer;
use super::usage::{counts, everywhere};
use crate::chat::{Event, Frame, ReadStream, replay};
use crate::json::Fields;
use crate::sse::Name;
use crate::usage::Usage;
use choice::Choice;

/// Reads the chunks of a stream.
#[derive(Debug, Default)]
pub struct StreamReading {
    started: bool,
    id: String,
    choices: Vec<Choice>,
    counts: Option<Usage>,
    /// Whether the last chunk was the closing one, of usage alone.
    usage_last: bool,
    any: bool,
    closed: bool,
}

impl StreamReading {
    /// A reader at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn chunk(&mut self, mut fields: Fields<'_>, events: &mut Vec<Event>) {
        let list = fields.list("choices").unwrap_or_default();
        // What comes before the answer (filters of the prompt) has neither id nor model.
        let mut used = everywhere(&fields);
        if !self.started && (!list.is_empty() || used.is_some()) {
            self.started = true;
            self.id = fields.text("id").unwrap_or_default();
            events.push(Event::Start {
                dialect: NAME,
                id: self.id.clone(),
                model: fields.text("model").unwrap_or_default(),
                created_s: fields.whole("created").filter(|seconds| *seconds > 0),
            });
        }
        self.usage_last = list.is_empty() && used.is_some();
        for (at, value) in (0..).zip(list) {
            let Ok(mut choice) = Fields::read(value) else { continue };
            // Moonshot's older place.
            used = used.or_else(|| choice.get("usage").and_then(counts));
            let index = choice.whole("index").and_then(|index| index.try_into().ok()).unwrap_or(at);
            self.choice(index).read(choice, events);
        }
        let known = self.counts;
        self.counts = match (known, used) {
            (Some(known), Some(more)) => Some(known.max(more)),
            (known, more) => known.or(more),
        };
        if self.counts != known {
            events.extend(self.counts.map(Event::Usage));
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
        if !self.started {
            let (id, model) = (String::new(), String::new());
            events.push(Event::Start { dialect: NAME, id, model, created_s: None });
        }
        self.choices.iter_mut().for_each(|choice| choice.finish(events));
        events.push(Event::Whole);
    }

    fn failed(&mut self, data: &str, events: &mut Vec<Event>) {
        self.closed = true;
        events.push(Event::Failed(Box::new(read_error(data.as_bytes()))));
    }
}

impl ReadStream for StreamReading {
    fn frame(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) {
        if self.closed {
            return;
        }
        if frame.data.trim() == "[DONE]" {
            return self.whole(events);
        }
        let Ok(fields) = Fields::read(frame.data) else {
            if frame.name == Name::Error {
                self.failed(frame.data, events);
            }
            return;
        };
        self.any = true;
        let failed = frame.name == Name::Error || fields.get("error").is_some();
        let error = fields.get("error").filter(|error| error.starts_with('{'));
        self.chunk(fields, events);
        if failed {
            self.failed(error.unwrap_or(frame.data), events);
        }
    }

    fn end(&mut self, rest: &str, events: &mut Vec<Event>) {
        if self.closed {
            return;
        }
        if !self.any {
            if rest.trim().is_empty() {
                return;
            }
            match read_answer(rest.as_bytes()) {
                Ok(answer) => events.extend(replay(&answer)),
                Err(error) => events.push(Event::Failed(Box::new(error))),
            }
            return;
        }
        let finished = !self.choices.is_empty() && self.choices.iter().all(Choice::is_finished);
        if finished || self.usage_last {
            self.whole(events);
        }
    }
}
