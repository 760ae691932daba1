//! Streams of pictures, speech and transcriptions: events that name their type.

use super::counts::pictured;
use crate::call::{Matter, Operation};
use crate::chat::{Delta, Event, Frame, ReadStream};
use crate::dialect::openai_chat::{read_error, read_usage};
use crate::frame::Name;
use crate::json::{Fields, Scanner, text};
use crate::usage::{Picture, Usage};

/// Reads such a stream. It is whole when everything that was asked for is done.
pub(in super::super) struct Events {
    matter: Matter,
    /// Parts that are still to be done.
    left: u64,
    usage: Usage,
    /// Something was told of what it used.
    told: bool,
}

impl Events {
    pub(in super::super) fn new(operation: Operation, answers: u64) -> Self {
        let matter = operation.matter();
        Self { matter, left: answers.max(1), usage: Usage::default(), told: false }
    }

    /// One of the things that were asked for is done.
    fn done(&mut self, fields: &Fields<'_>, events: &mut Vec<Event>) {
        let mut counts = fields.get("usage").map(|usage| Scanner::new(usage.as_bytes()));
        let said = counts.as_mut().and_then(|counts| read_usage(counts).ok().flatten());
        self.told |= said.is_some() || self.matter == Matter::Pictures;
        let said = said.unwrap_or_default();
        match self.matter {
            Matter::Pictures => self.picture(fields, pictured(said)),
            Matter::Speech => {
                self.usage = Usage { audio_output_tokens: said.output_tokens, ..said };
            }
            Matter::Text | Matter::Recordings | Matter::Kept => self.usage = said,
        }
        if self.told {
            events.push(Event::Usage(self.usage));
        }
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            events.push(Event::Whole);
        }
    }

    /// Each picture tells its own tokens.
    fn picture(&mut self, fields: &Fields<'_>, said: Usage) {
        let word = |key| fields.get(key).and_then(text).unwrap_or_default();
        let sum = &mut self.usage;
        sum.input_tokens = sum.input_tokens.saturating_add(said.input_tokens);
        sum.image_input_tokens = sum.image_input_tokens.saturating_add(said.image_input_tokens);
        sum.cache_read_tokens = sum.cache_read_tokens.saturating_add(said.cache_read_tokens);
        sum.output_tokens = sum.output_tokens.saturating_add(said.output_tokens);
        sum.image_output_tokens = sum.image_output_tokens.saturating_add(said.image_output_tokens);
        sum.images += 1;
        sum.picture = Picture::named(&word("size"), &word("quality"));
    }
}

impl ReadStream for Events {
    fn frame(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) {
        let Ok(fields) = Fields::read(frame.data) else { return };
        let kind = fields.get("type").and_then(text).unwrap_or_default();
        let fails = frame.name == Name::Error || kind == "error" || fields.get("error").is_some();
        if fails {
            events.push(Event::Failed(Box::new(read_error(frame.data.as_bytes()))));
        } else if kind.ends_with(".completed") || kind.ends_with(".done") {
            self.done(&fields, events);
        } else if let Some(words) = fields.get("delta").and_then(text) {
            events.push(Event::Delta { choice: 0, part: 0, delta: Delta::Text(words) });
        }
    }

    fn end(&mut self, rest: &str, events: &mut Vec<Event>) {
        // Plain JSON in the place of a stream.
        if let Ok(fields) = Fields::read(rest.trim()) {
            match fields.get("error") {
                Some(_) => events.push(Event::Failed(Box::new(read_error(rest.as_bytes())))),
                None => self.done(&fields, events),
            }
        }
    }
}
