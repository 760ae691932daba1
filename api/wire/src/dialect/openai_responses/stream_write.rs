//! A stream, written: every item begins, is told piece by piece, and is said once more when it is done.

mod item;

use super::NAME;
use super::answer::{End, Head, incomplete, write_carried, write_defaults};
use super::error::numbered_error;
use super::usage::write_usage;
use super::write_item::{Items, carried_behind};
use crate::chat::{Event, Finish, Identity, Part, Token, WriteStream};
use crate::json::Out;
use crate::provider_error::ProviderError;
use crate::usage::Usage;
use item::{Item, Place};

/// Writes events as a stream.
#[derive(Debug)]
pub struct StreamWriting {
    identity: Identity,
    own: bool,
    head: Head,
    /// The number of the next event.
    sequence: u64,
    /// How likely the next words are.
    likely: Vec<Token>,
    counts: Option<Usage>,
    items: Vec<Item>,
    /// The message that takes further words.
    message: Option<usize>,
    /// Where each part is said.
    places: Vec<Option<Place>>,
    finish: Option<Finish>,
}

/// Where the pieces of an item are written, and how they are numbered.
struct Tell<'a> {
    out: &'a mut Vec<u8>,
    sequence: &'a mut u64,
    /// How likely the next words are.
    likely: &'a mut Vec<Token>,
}

impl Tell<'_> {
    /// An event; `body` writes what follows its type.
    fn event(&mut self, name: &str, body: impl FnOnce(&mut Out)) {
        let data = Out::object(|json| {
            json.text("type", name);
            json.number("sequence_number", *self.sequence);
            body(json);
        });
        *self.sequence += 1;
        for piece in [b"event: ", name.as_bytes(), b"\ndata: ", &data, b"\n\n"] {
            self.out.extend_from_slice(piece);
        }
    }
}

impl StreamWriting {
    /// A writer at the beginning of a stream.
    #[must_use]
    pub fn new(identity: Identity) -> Self {
        Self {
            identity,
            own: false,
            head: Head::default(),
            sequence: 0,
            likely: Vec::new(),
            counts: None,
            items: Vec::new(),
            message: None,
            places: Vec::new(),
            finish: None,
        }
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        let mut tell = Tell { out, sequence: &mut self.sequence, likely: &mut self.likely };
        for name in ["response.created", "response.in_progress"] {
            tell.event(name, |json| {
                json.member("response", |json| self.head.write(json, None, |_| {}));
            });
        }
    }

    fn begin(&mut self, part: u32, body: &Part, out: &mut Vec<u8>) {
        let id = self.head.id.clone();
        let items = Items::of_answer(self.own, &id);
        // A text may begin without words.
        let is_words = items.is_words(body);
        let at = part as usize;
        self.places.resize(self.places.len().max(at + 1), None);
        if !is_words && !items.is_said(body) {
            return;
        }
        let mut tell = Tell { out, sequence: &mut self.sequence, likely: &mut self.likely };
        let begins = items.own && !body.inner.is_empty();
        let open = self.message.filter(|_| is_words && !begins);
        let item = open.unwrap_or_else(|| {
            if let Some(last) = self.message.take() {
                self.items[last].last(items, &mut tell);
            }
            self.items.push(Item::new(self.items.len()));
            self.items.len() - 1
        });
        self.message = is_words.then_some(item);
        let index = self.items[item].begin(items, body, &mut tell);
        self.places[at] = Some(Place { item, index });
    }

    /// What happens to the item that holds a part.
    fn at(
        &mut self,
        part: u32,
        out: &mut Vec<u8>,
        happens: impl FnOnce(&mut Item, Items<'_>, usize, &mut Tell<'_>),
    ) -> Option<Place> {
        let place = self.places.get(part as usize).copied().flatten()?;
        let mut tell = Tell { out, sequence: &mut self.sequence, likely: &mut self.likely };
        let items = Items::of_answer(self.own, &self.head.id);
        happens(&mut self.items[place.item], items, place.index, &mut tell);
        Some(place)
    }

    fn end(&mut self, part: u32, out: &mut Vec<u8>) {
        let ended = self.at(part, out, |item, items, index, tell| {
            item.end(items, index, tell);
        });
        let Some(place) = ended.filter(|_| !self.own) else { return };
        let Some(encrypted) = carried_behind(&self.items[place.item].parts[place.index]) else {
            return;
        };
        self.close(out);
        let mut tell = Tell { out, sequence: &mut self.sequence, likely: &mut self.likely };
        let items = Items::of_answer(self.own, &self.head.id);
        let index = self.items.len();
        let carried = Out::object(|out| write_carried(out, items, index, &encrypted));
        self.items.push(Item::whole(index, carried, &mut tell));
    }

    /// The message that is open takes no more words.
    fn close(&mut self, out: &mut Vec<u8>) {
        if let Some(last) = self.message.take() {
            let mut tell = Tell { out, sequence: &mut self.sequence, likely: &mut self.likely };
            self.items[last].last(Items::of_answer(self.own, &self.head.id), &mut tell);
        }
    }

    fn whole(&mut self, out: &mut Vec<u8>) {
        self.close(out);
        let finish = self.finish.take();
        let end = End { finish: finish.as_ref(), counts: self.counts };
        let short = finish.as_ref().and_then(incomplete).is_some();
        let name = if short { "response.incomplete" } else { "response.completed" };
        let mut tell = Tell { out, sequence: &mut self.sequence, likely: &mut self.likely };
        tell.event(name, |json| {
            json.member("response", |json| {
                self.head.write(json, Some(&end), |json| {
                    let done = self.items.iter().filter_map(|item| item.done.as_deref());
                    done.for_each(|item| json.raw_item(item));
                });
            });
        });
    }

    /// The failure, and the response that came to nothing by it.
    fn failed(&mut self, error: &ProviderError, out: &mut Vec<u8>) {
        let refusal = error.refusal();
        out.extend_from_slice(&numbered_error(&refusal, self.sequence));
        self.sequence += 1;
        let mut tell = Tell { out, sequence: &mut self.sequence, likely: &mut self.likely };
        tell.event("response.failed", |json| {
            json.member("response", |json| {
                self.head.open(json, "failed");
                json.member("error", |json| {
                    json.text("code", refusal.code);
                    json.text("message", &refusal.say);
                });
                json.raw("incomplete_details", "null");
                json.list("output", |_| {});
                write_defaults(json);
                match &self.counts {
                    Some(counts) => write_usage(json, counts),
                    None => json.raw("usage", "null"),
                }
            });
        });
    }
}

impl WriteStream for StreamWriting {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { dialect, id, model, created_s } => {
                self.own = *dialect == NAME;
                self.head = Head::of(id, model, *created_s, &self.identity);
                self.start(out);
            }
            Event::Begin { choice: 0, part, body } => self.begin(*part, body, out),
            Event::Delta { choice: 0, part, delta } => {
                self.at(*part, out, |item, items, index, tell| {
                    item.delta(items, index, delta, tell);
                });
            }
            Event::End { choice: 0, part } => self.end(*part, out),
            Event::Finish { choice: 0, finish, .. } => self.finish.clone_from(finish),
            Event::Usage(counts) => {
                self.counts = Some(self.counts.unwrap_or_default().max(*counts));
            }
            Event::Ping => out.extend_from_slice(b": ping\n\n"),
            Event::Failed(error) => self.failed(error, out),
            Event::Whole => self.whole(out),
            Event::Logprobs { choice: 0, likely } => {
                self.likely.extend(likely.tokens.iter().cloned());
            }
            // There is one answer here.
            Event::Begin { .. }
            | Event::Delta { .. }
            | Event::End { .. }
            | Event::Finish { .. }
            | Event::Logprobs { .. } => {}
        }
    }
}
