//! One of the answers of a stream.

use super::super::answer::{content, finish, name_call};
use super::super::grounding::citations;
use super::super::likely;
use super::super::partial::Partial;
use crate::chat::{Body, Citation, Delta, Event, Finish, Part, Text, Thinking, ToolCall};
use crate::json::{Fields, items};

/// One of the answers, as far as it has come.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) index: u32,
    /// The answer's id, for calls that have none.
    id: String,
    /// Parts begun.
    parts: u32,
    open: Option<(u32, Kind)>,
    /// A call whose arguments come value by value.
    call: Option<(u32, Partial)>,
    cited: Vec<Citation>,
    finish: Option<Finish>,
}

/// Kinds of parts that come in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking,
}

impl Choice {
    pub(super) fn new(index: u32, id: &str) -> Self {
        let (open, call, cited, finish) = (None, None, Vec::new(), None);
        Self { index, id: id.to_owned(), parts: 0, open, call, cited, finish }
    }

    pub(super) const fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// The prompt was refused.
    pub(super) fn refuse(&mut self, reason: Finish) {
        self.finish = Some(reason);
    }

    /// Takes one candidate of a chunk.
    pub(super) fn read(&mut self, candidate: &mut Fields<'_>, events: &mut Vec<Event>) {
        if let Some(likely) = candidate.take("logprobsResult", likely::read) {
            events.push(Event::Logprobs { choice: self.index, likely });
        }
        for part in content(candidate) {
            self.part(part, events);
        }
        self.cite(citations(candidate), events);
        if let Some(reason) = candidate.take("finishReason", finish).flatten() {
            self.finish = Some(reason);
        }
    }

    fn part(&mut self, mut part: Part, events: &mut Vec<Event>) {
        match &mut part.body {
            Body::Text(Text { text, .. }) => {
                let words = std::mem::take(text);
                self.words(Kind::Text, words, part, events);
            }
            Body::Thinking(Thinking { text, .. }) => {
                let words = std::mem::take(text);
                self.words(Kind::Thinking, words, part, events);
            }
            Body::ToolCall(_) => self.call(part, events),
            Body::Refusal(_)
            | Body::Redacted(_)
            | Body::Image(_)
            | Body::Audio(_)
            | Body::Video(_)
            | Body::Document(_)
            | Body::ToolResult(_)
            | Body::Opaque(_) => self.whole(part, events),
        }
    }

    /// A part that comes at once.
    fn whole(&mut self, part: Part, events: &mut Vec<Event>) {
        let at = self.begin(part, events);
        events.push(Event::End { choice: self.index, part: at });
    }

    fn words(&mut self, kind: Kind, words: String, mut empty: Part, events: &mut Vec<Event>) {
        let signature = empty.signature.take();
        let known = self.open.filter(|(_, open)| *open == kind).map(|(part, _)| part);
        let part = known.unwrap_or_else(|| {
            empty.extra = crate::chat::Extra::default();
            let part = self.begin(empty, events);
            self.open = Some((part, kind));
            part
        });
        let choice = self.index;
        if !words.is_empty() {
            events.push(Event::Delta { choice, part, delta: Delta::Text(words) });
        }
        // What is signed is whole.
        if let Some(signature) = signature {
            events.push(Event::Delta { choice, part, delta: Delta::Signature(signature) });
            self.end_open(events);
        }
    }

    fn call(&mut self, mut part: Part, events: &mut Vec<Event>) {
        let goes_on = part.inner.get("willContinue") == Some("true");
        let values = part.inner.get("partialArgs").and_then(items).unwrap_or_default();
        let Body::ToolCall(ToolCall { name, arguments, .. }) = &mut part.body else { return };
        let nameless = name.is_empty();
        if !goes_on && values.is_empty() && !nameless {
            name_call(&mut part, &self.id, self.index, self.parts);
            return self.whole(part, events);
        }
        arguments.clear();
        if self.call.is_none() || !nameless {
            let mut begun = part.clone();
            begun.inner = crate::chat::Extra::default();
            name_call(&mut begun, &self.id, self.index, self.parts);
            let at = self.begin(begun, events);
            self.call = Some((at, Partial::default()));
        }
        if let Some((_, partial)) = &mut self.call {
            values.into_iter().for_each(|value| partial.add(value));
        }
        if !goes_on {
            self.end_call(events);
        }
    }

    fn end_call(&mut self, events: &mut Vec<Event>) {
        let Some((part, partial)) = self.call.take() else { return };
        let delta = Delta::Arguments(partial.into_text());
        events.push(Event::Delta { choice: self.index, part, delta });
        events.push(Event::End { choice: self.index, part });
    }

    /// Sources, which may be repeated.
    fn cite(&mut self, sources: Vec<Citation>, events: &mut Vec<Event>) {
        for source in sources {
            if self.cited.contains(&source) {
                continue;
            }
            self.cited.push(source.clone());
            if !matches!(self.open, Some((_, Kind::Text))) {
                let part = self.begin(Part::text(""), events);
                self.open = Some((part, Kind::Text));
            }
            if let Some((part, _)) = self.open {
                let delta = Delta::Citation(source);
                events.push(Event::Delta { choice: self.index, part, delta });
            }
        }
    }

    /// Begins a part. Those before it have ended.
    fn begin(&mut self, body: Part, events: &mut Vec<Event>) -> u32 {
        self.end_open(events);
        self.end_call(events);
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

    /// Ends everything.
    pub(super) fn finish(&mut self, events: &mut Vec<Event>) {
        self.end_open(events);
        self.end_call(events);
        let finish = self.finish.take();
        events.push(Event::Finish { choice: self.index, finish, stop_sequence: None });
    }
}
