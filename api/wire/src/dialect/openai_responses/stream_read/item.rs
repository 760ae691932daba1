//! One item of the output, as far as it has come.

use super::super::content::citation;
use super::super::item::{parts, spoken};
use super::super::usage::is_search;
use crate::chat::{Body, Delta, Event, Extra, OPENAI, Part};
use crate::json::{Fields, text};

/// One item.
#[derive(Debug)]
pub(super) struct Item {
    /// Its place in the output.
    pub(super) place: Option<u64>,
    pub(super) id: String,
    is_message: bool,
    /// Members of a message, for its first part.
    beside: Extra,
    /// Its parts, by their place in the item.
    parts: Vec<Piece>,
    done: bool,
}

/// A part, as far as it has come.
#[derive(Debug)]
struct Piece {
    place: u64,
    part: u32,
    open: bool,
    /// Whether any of its words or arguments came.
    said: bool,
    signed: bool,
    citations: usize,
    /// The paragraph of a summary that came last.
    paragraph: u64,
}

/// What was begun so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Told {
    pub(super) parts: u32,
    /// Whether any of them is a call that the caller has to answer.
    pub(super) calls: bool,
    /// Searches of the web that the provider made.
    pub(super) searches: u64,
}

/// Where events go.
pub(super) struct Tell<'a> {
    pub(super) events: &'a mut Vec<Event>,
    pub(super) told: &'a mut Told,
}

impl Tell<'_> {
    fn begin(&mut self, body: Part) -> u32 {
        let part = self.told.parts;
        self.told.parts += 1;
        self.told.calls |= body.is_client_call();
        self.told.searches += u64::from(is_search(&body));
        self.events.push(Event::Begin { choice: 0, part, body: Box::new(body) });
        part
    }

    fn delta(&mut self, part: u32, delta: Delta) {
        self.events.push(Event::Delta { choice: 0, part, delta });
    }

    fn end(&mut self, part: u32) {
        self.events.push(Event::End { choice: 0, part });
    }

    /// A part that comes at once.
    pub(super) fn whole(&mut self, body: Part) {
        let part = self.begin(body);
        self.end(part);
    }
}

impl Item {
    pub(super) fn new(place: Option<u64>, id: String) -> Self {
        let (beside, parts) = (Extra::default(), Vec::new());
        Self { place, id, is_message: false, beside, parts, done: false }
    }

    /// The item begins.
    pub(super) fn added(&mut self, value: &str, tell: &mut Tell<'_>) {
        let Ok(mut fields) = Fields::read(value) else { return };
        match fields.get("type").and_then(text).as_deref() {
            Some("message") => {
                self.is_message = true;
                let content = fields.list("content").unwrap_or_default();
                // It is in progress now only.
                fields.text("status");
                self.beside = fields.rest();
                (0..).zip(content).for_each(|(place, part)| self.begin(place, part, tell));
            }
            Some("reasoning" | "function_call" | "custom_tool_call") => {
                for mut part in parts(value) {
                    part.extra.remove("status");
                    part.extra.remove("summary");
                    part.extra.remove("content");
                    // What it says so far is said again.
                    empty(&mut part);
                    self.open(0, part, tell);
                }
            }
            _ => {}
        }
    }

    fn open(&mut self, place: u64, body: Part, tell: &mut Tell<'_>) -> usize {
        let part = tell.begin(body);
        let (said, signed, citations, paragraph) = (false, false, 0, 0);
        self.parts.push(Piece { place, part, open: true, said, signed, citations, paragraph });
        self.parts.len() - 1
    }

    fn at(&self, place: u64) -> Option<usize> {
        self.parts.iter().position(|piece| piece.place == place)
    }

    /// A part of a message begins.
    pub(super) fn begin(&mut self, place: u64, value: &str, tell: &mut Tell<'_>) {
        if self.at(place).is_some() || self.done {
            return;
        }
        let mut part = spoken(value);
        if matches!(part.body, Body::Text(_) | Body::Refusal(_)) {
            empty(&mut part);
            part.extra.remove("annotations");
            part.inner = std::mem::take(&mut self.beside);
            self.open(place, part, tell);
        }
    }

    /// Words come, for a part that may not have begun.
    pub(super) fn words(&mut self, place: u64, mut body: Part, text: String, tell: &mut Tell<'_>) {
        if self.done {
            return;
        }
        let at = self.at(place).unwrap_or_else(|| {
            body.inner = std::mem::take(&mut self.beside);
            self.open(place, body, tell)
        });
        let piece = &mut self.parts[at];
        if piece.open && !text.is_empty() {
            piece.said = true;
            tell.delta(piece.part, Delta::Text(text));
        }
    }

    /// A source of a part's words comes.
    pub(super) fn cited(&mut self, place: u64, value: &str, tell: &mut Tell<'_>) {
        if let Some(at) = self.at(place).filter(|at| self.parts[*at].open) {
            self.parts[at].citations += 1;
            tell.delta(self.parts[at].part, Delta::Citation(citation(value)));
        }
    }

    /// Thoughts come, in a paragraph of the summary.
    pub(super) fn thought(&mut self, paragraph: u64, text: &str, tell: &mut Tell<'_>) {
        let Some(piece) = self.parts.first_mut().filter(|piece| piece.open) else { return };
        if piece.said && piece.paragraph != paragraph {
            tell.delta(piece.part, Delta::Text("\n\n".to_owned()));
        }
        piece.paragraph = paragraph;
        if !text.is_empty() {
            piece.said = true;
            tell.delta(piece.part, Delta::Text(text.to_owned()));
        }
    }

    /// Something comes for the item's only part.
    pub(super) fn delta(&mut self, delta: Delta, tell: &mut Tell<'_>) {
        if let Some(piece) = self.parts.first_mut().filter(|piece| piece.open) {
            piece.said = true;
            tell.delta(piece.part, delta);
        }
    }

    /// The item is done, and says once more all that it holds: what was not told yet is told now.
    pub(super) fn done(&mut self, value: &str, tell: &mut Tell<'_>) {
        if std::mem::replace(&mut self.done, true) {
            return;
        }
        for (place, mut part) in (0..).zip(parts(value)) {
            match self.at(place) {
                Some(at) => {
                    let piece = &mut self.parts[at];
                    complete(piece, &part, tell);
                    if std::mem::take(&mut piece.open) {
                        tell.end(piece.part);
                    }
                }
                None => {
                    let beside = std::mem::take(&mut self.beside);
                    if self.is_message && !beside.is_empty() {
                        part.inner = beside;
                    }
                    tell.whole(part);
                }
            }
        }
        self.end(tell);
    }

    /// Whatever is open ends.
    pub(super) fn end(&mut self, tell: &mut Tell<'_>) {
        for piece in self.parts.iter_mut().filter(|piece| piece.open) {
            piece.open = false;
            tell.end(piece.part);
        }
    }
}

/// Takes out what will be told piece by piece.
fn empty(part: &mut Part) {
    part.signature = None;
    match &mut part.body {
        Body::Text(text) => (text.text, text.citations) = (String::new(), Vec::new()),
        Body::Refusal(text) => text.clear(),
        Body::Thinking(thinking) => {
            thinking.text.clear();
            // Its encrypted form may come at the end only.
            thinking.format.get_or_insert_with(|| OPENAI.to_owned());
        }
        Body::ToolCall(call) => call.arguments.clear(),
        Body::Redacted(_)
        | Body::Image(_)
        | Body::Audio(_)
        | Body::Video(_)
        | Body::Document(_)
        | Body::ToolResult(_)
        | Body::Opaque(_) => {}
    }
}

/// Tells what of a part was not told yet.
fn complete(piece: &mut Piece, part: &Part, tell: &mut Tell<'_>) {
    if !piece.open {
        return;
    }
    let words = match &part.body {
        Body::Text(text) => Delta::Text(text.text.clone()),
        Body::Refusal(text) => Delta::Text(text.clone()),
        Body::Thinking(thinking) => Delta::Text(thinking.text.clone()),
        Body::ToolCall(call) => Delta::Arguments(call.arguments.clone()),
        Body::Redacted(_)
        | Body::Image(_)
        | Body::Audio(_)
        | Body::Video(_)
        | Body::Document(_)
        | Body::ToolResult(_)
        | Body::Opaque(_) => return,
    };
    let is_empty = matches!(&words, Delta::Text(text) | Delta::Arguments(text) if text.is_empty());
    if !piece.said && !is_empty {
        tell.delta(piece.part, words);
    }
    if let Body::Text(text) = &part.body
        && piece.citations == 0
    {
        let cited = text.citations.iter().cloned();
        cited.for_each(|from| tell.delta(piece.part, Delta::Citation(from)));
    }
    if let Some(signature) = part.signature.clone().filter(|_| !piece.signed) {
        piece.signed = true;
        tell.delta(piece.part, Delta::Signature(signature));
    }
}
