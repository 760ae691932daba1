//! A stream, read: items by their place in the output, each with its parts.

mod item;

use super::NAME;
use super::answer::{read_answer, response, seconds};
use super::error::{failure, read_error};
use crate::chat::{
    Body, Delta, Event, Finish, Frame, Likely, Part, ReadStream, Text, read_tokens, replay,
};
use crate::frame::Name;
use crate::json::{Fields, text};
use crate::provider_error::ProviderError;
use crate::usage::Usage;
use item::{Item, Tell, Told};

/// Reads the events of a stream.
#[derive(Debug, Default)]
pub struct StreamReading {
    items: Vec<Item>,
    told: Told,
    started: bool,
    any: bool,
    closed: bool,
    /// A failure that was reported; what it cost may follow.
    failed: Option<ProviderError>,
}

impl StreamReading {
    /// A reader at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn start(&mut self, response: Option<Fields<'_>>, events: &mut Vec<Event>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let mut response = response.unwrap_or_default();
        events.push(Event::Start {
            dialect: NAME,
            id: response.text("id").unwrap_or_default(),
            model: response.text("model").unwrap_or_default(),
            created_s: response.get("created_at").and_then(seconds).filter(|at| *at > 0),
        });
    }

    /// The item that an event belongs to, by its place or, where that is not told, by its id.
    fn item(&mut self, fields: &Fields<'_>, id: Option<String>) -> &mut Item {
        let place = fields.get("output_index").and_then(|place| place.parse().ok());
        let id = id.or_else(|| fields.get("item_id").and_then(text)).unwrap_or_default();
        let known = self.items.iter().position(|item| match place {
            Some(_) => item.place == place,
            None => item.id == id,
        });
        let at = known.unwrap_or_else(|| {
            self.items.push(Item::new(place, id));
            self.items.len() - 1
        });
        &mut self.items[at]
    }

    fn tell(&mut self, kind: &str, mut fields: Fields<'_>, events: &mut Vec<Event>) {
        let value = fields.get("item").filter(|_| kind.starts_with("response.output_item."));
        let id = value.and_then(|value| Fields::read(value).ok()?.text("id"));
        let mut told = self.told;
        let item = self.item(&fields, id);
        let mut tell = Tell { events, told: &mut told };
        let content = fields.whole("content_index").unwrap_or(0);
        match kind {
            "response.output_item.added" => item.added(value.unwrap_or_default(), &mut tell),
            "response.output_item.done" => item.done(value.unwrap_or_default(), &mut tell),
            "response.content_part.added" => {
                item.begin(content, fields.get("part").unwrap_or_default(), &mut tell);
            }
            "response.output_text.delta" => {
                let tokens = fields.get("logprobs").map(read_tokens).unwrap_or_default();
                if !tokens.is_empty() {
                    let likely = Likely { raw: None, tokens };
                    tell.events.push(Event::Logprobs { choice: 0, likely });
                }
                let empty = Part::new(Body::Text(Text::default()));
                item.words(content, empty, fields.text("delta").unwrap_or_default(), &mut tell);
            }
            "response.refusal.delta" => {
                let empty = Part::new(Body::Refusal(String::new()));
                item.words(content, empty, fields.text("delta").unwrap_or_default(), &mut tell);
            }
            "response.output_text.annotation.added" => {
                if let Some(value) = fields.get("annotation") {
                    item.cited(content, value, &mut tell);
                }
            }
            "response.reasoning_summary_text.delta" => {
                let paragraph = fields.whole("summary_index").unwrap_or(0);
                item.thought(paragraph, &fields.text("delta").unwrap_or_default(), &mut tell);
            }
            "response.reasoning_text.delta" => {
                item.thought(0, &fields.text("delta").unwrap_or_default(), &mut tell);
            }
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                let piece = fields.text("delta").unwrap_or_default();
                item.delta(Delta::Arguments(piece), &mut tell);
            }
            // Said again, whole, when the item is done; of tools that run elsewhere nothing is told.
            _ => {}
        }
        self.told = told;
    }

    /// The response has ended, whole or cut short.
    fn whole(&mut self, fields: &Fields<'_>, events: &mut Vec<Event>) {
        let last = fields.get("response").and_then(|value| Fields::read(value).ok());
        self.start(last, events);
        let answer = fields.get("response").and_then(|value| response(Fields::read(value).ok()?));
        let mut tell = Tell { events: &mut *events, told: &mut self.told };
        self.items.iter_mut().for_each(|item| item.end(&mut tell));
        let choice = answer.as_ref().and_then(|answer| answer.choices.first());
        if tell.told.parts == 0 {
            // Nothing was told item by item.
            for part in choice.map(|choice| choice.parts.clone()).unwrap_or_default() {
                tell.whole(part);
            }
        }
        let mut finish = choice.and_then(|choice| choice.finish.clone());
        // Some leave the output empty here, which was told before.
        if self.told.calls && finish == Some(Finish::Stop) {
            finish = Some(Finish::ToolCalls);
        }
        let counts = answer.as_ref().and_then(|answer| answer.counts).map(|counts| Usage {
            web_searches: counts.web_searches.max(self.told.searches),
            ..counts
        });
        events.extend(counts.map(Event::Usage));
        events.push(Event::Finish { choice: 0, finish, stop_sequence: None });
        events.push(Event::Whole);
        self.closed = true;
    }

    fn fail(&mut self, error: ProviderError, events: &mut Vec<Event>) {
        events.push(Event::Failed(Box::new(self.failed.take().unwrap_or(error))));
        self.closed = true;
    }

    fn failed(&mut self, fields: &Fields<'_>, events: &mut Vec<Event>) {
        let response = fields.get("response").and_then(|value| Fields::read(value).ok());
        let response = response.unwrap_or_default();
        let used = response.get("usage").and_then(|usage| super::usage::counts(usage, &[]));
        events.extend(used.map(Event::Usage));
        let unsaid = || ProviderError::unreadable("the provider failed and did not say why");
        self.fail(failure(&response).unwrap_or_else(unsaid), events);
    }
}

impl ReadStream for StreamReading {
    fn frame(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) {
        if self.closed {
            return;
        }
        let Ok(fields) = Fields::read(frame.data) else {
            if frame.name == Name::Error {
                self.fail(read_error(frame.data.as_bytes()), events);
            }
            return;
        };
        self.any = true;
        let kind = fields.get("type").and_then(text).unwrap_or_default();
        match kind.as_str() {
            "response.created" | "response.in_progress" | "response.queued" => {
                let response = fields.get("response").and_then(|value| Fields::read(value).ok());
                self.start(response, events);
            }
            "response.completed" | "response.incomplete" => self.whole(&fields, events),
            "response.failed" | "response.cancelled" => self.failed(&fields, events),
            "keepalive" => events.push(Event::Ping),
            _ if frame.name == Name::Error || kind == "error" || fields.get("error").is_some() => {
                // What was used by then may follow.
                self.failed.get_or_insert_with(|| read_error(frame.data.as_bytes()));
            }
            kind if kind.starts_with("response.") => {
                self.start(None, events);
                self.tell(kind, fields, events);
            }
            _ => {}
        }
    }

    fn end(&mut self, rest: &str, events: &mut Vec<Event>) {
        if self.closed {
            return;
        }
        if let Some(error) = self.failed.take() {
            return self.fail(error, events);
        }
        if self.any || rest.trim().is_empty() {
            return;
        }
        self.closed = true;
        match read_answer(rest.as_bytes()) {
            Ok(answer) => events.extend(replay(&answer)),
            Err(error) => events.push(Event::Failed(Box::new(error))),
        }
    }
}
