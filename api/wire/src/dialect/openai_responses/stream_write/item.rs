//! One item of the output, told as it comes and said once more at its end.

use super::super::write_item::{Items, given};
use super::super::write_part::{write_citation, write_spoken};
use super::Tell;
use crate::chat::{Body, Delta, Part, Token, append, write_tokens};
use crate::json::Out;

/// Where a part is said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The item.
    pub(super) item: usize,
    /// The part's number in it.
    pub(super) index: usize,
}

/// One item.
#[derive(Debug)]
pub(super) struct Item {
    index: usize,
    id: String,
    /// Its parts, as far as they have come.
    pub(super) parts: Vec<Part>,
    /// How likely the words of each part are.
    likely: Vec<Vec<Token>>,
    /// How many of them are open.
    open: usize,
    /// Whether no part is to follow.
    last: bool,
    /// The whole item, once it is done.
    pub(super) done: Option<String>,
}

impl Item {
    /// An item of which nothing has come.
    pub(super) fn new(index: usize) -> Self {
        let (parts, likely) = (Vec::new(), Vec::new());
        Self { index, id: String::new(), parts, likely, open: 0, last: false, done: None }
    }

    /// An item that comes at once.
    pub(super) fn whole(index: usize, item: Vec<u8>, tell: &mut Tell<'_>) -> Self {
        let item = String::from_utf8(item).expect("only text was written");
        for name in ["response.output_item.added", "response.output_item.done"] {
            tell.event(name, |json| {
                json.number("output_index", index as u64);
                json.raw("item", &item);
            });
        }
        Self { last: true, done: Some(item), ..Self::new(index) }
    }

    /// A part begins; gives its number.
    pub(super) fn begin(&mut self, items: Items<'_>, body: &Part, tell: &mut Tell<'_>) -> usize {
        let (empty, deltas) = emptied(body);
        let is_message = items.is_words(body);
        let at = self.parts.len();
        self.parts.push(empty);
        self.likely.push(Vec::new());
        self.open += 1;
        if at == 0 {
            self.id = items.id_of(self.index, body);
            self.last = !is_message;
            let item = self.to_text(Items { begins: true, ..items });
            tell.event("response.output_item.added", |json| {
                json.number("output_index", self.index as u64);
                json.raw("item", &item);
            });
        }
        if is_message {
            self.part(items, at, "added", tell);
        }
        deltas.iter().for_each(|delta| self.delta(items, at, delta, tell));
        at
    }

    /// A part goes on.
    pub(super) fn delta(
        &mut self,
        items: Items<'_>,
        at: usize,
        delta: &Delta,
        tell: &mut Tell<'_>,
    ) {
        if says_nothing(delta) {
            return;
        }
        let begins =
            matches!(&self.parts[at].body, Body::Thinking(so_far) if so_far.text.is_empty());
        if begins && matches!(delta, Delta::Text(_)) {
            self.paragraph("added", "", tell);
        }
        append(&mut self.parts[at], delta);
        match (&self.parts[at].body, delta) {
            (Body::Text(text), Delta::Citation(from)) => {
                let number = (text.citations.len() - 1) as u64;
                let end = text.text.chars().count() as u64;
                if from.url.is_some() || items.own {
                    self.event("response.output_text.annotation.added", tell, |json| {
                        json.number("content_index", at as u64);
                        json.number("annotation_index", number);
                        if items.own {
                            json.raw("annotation", from.raw.as_str());
                        } else {
                            json.member("annotation", |json| write_citation(json, from, end));
                        }
                    });
                }
            }
            (Body::Text(_), Delta::Text(words)) => {
                let likely = std::mem::take(tell.likely);
                self.event("response.output_text.delta", tell, |json| {
                    json.number("content_index", at as u64);
                    json.text("delta", words);
                    write_tokens(json, "logprobs", &likely);
                });
                self.likely[at].extend(likely);
            }
            (Body::Refusal(_), Delta::Text(words)) => {
                self.event("response.refusal.delta", tell, |json| {
                    json.number("content_index", at as u64);
                    json.text("delta", words);
                });
            }
            (Body::Thinking(_), Delta::Text(words)) => {
                self.event("response.reasoning_summary_text.delta", tell, |json| {
                    json.number("summary_index", 0);
                    json.text("delta", words);
                });
            }
            (Body::ToolCall(call), Delta::Arguments(piece)) => {
                let name = if call.custom { CUSTOM[0] } else { CALL[0] };
                self.event(name, tell, |json| json.text("delta", piece));
            }
            // Signatures show when the item is done; nothing else has a place.
            (_, Delta::Text(_) | Delta::Arguments(_) | Delta::Citation(_)) => {}
            (_, Delta::Signature(_) | Delta::Audio(_)) => {}
        }
    }

    /// A part ends.
    pub(super) fn end(&mut self, items: Items<'_>, at: usize, tell: &mut Tell<'_>) {
        match &self.parts[at].body {
            Body::Text(text) => {
                let text = text.text.clone();
                self.event("response.output_text.done", tell, |json| {
                    json.number("content_index", at as u64);
                    json.text("text", &text);
                    write_tokens(json, "logprobs", &self.likely[at]);
                });
                self.part(items, at, "done", tell);
            }
            Body::Refusal(text) => {
                let text = text.clone();
                self.event("response.refusal.done", tell, |json| {
                    json.number("content_index", at as u64);
                    json.text("refusal", &text);
                });
                self.part(items, at, "done", tell);
            }
            Body::Thinking(thinking) if !thinking.text.is_empty() => {
                let text = thinking.text.clone();
                self.event("response.reasoning_summary_text.done", tell, |json| {
                    json.number("summary_index", 0);
                    json.text("text", &text);
                });
                self.paragraph("done", &text, tell);
            }
            Body::ToolCall(call) => self.end_call(items, &call.clone(), tell),
            Body::Opaque(_) if items.is_words(&self.parts[at]) => {
                self.part(items, at, "done", tell);
            }
            Body::Thinking(_)
            | Body::Redacted(_)
            | Body::Image(_)
            | Body::Audio(_)
            | Body::Video(_)
            | Body::Document(_)
            | Body::ToolResult(_)
            | Body::Opaque(_) => {}
        }
        self.open -= 1;
        self.finish(items, tell);
    }

    fn end_call(&self, items: Items<'_>, call: &crate::chat::ToolCall, tell: &mut Tell<'_>) {
        if call.custom {
            return self.event(CUSTOM[1], tell, |json| json.text("input", &call.arguments));
        }
        let arguments = if items.own { &call.arguments } else { given(&call.arguments) };
        if call.arguments.is_empty() && !arguments.is_empty() {
            self.event(CALL[0], tell, |json| json.text("delta", arguments));
        }
        self.event(CALL[1], tell, |json| {
            json.text("name", &call.name);
            json.text("arguments", arguments);
        });
    }

    /// No part is to follow.
    pub(super) fn last(&mut self, items: Items<'_>, tell: &mut Tell<'_>) {
        self.last = true;
        self.finish(items, tell);
    }

    fn finish(&mut self, items: Items<'_>, tell: &mut Tell<'_>) {
        if !self.last || self.open > 0 || self.done.is_some() {
            return;
        }
        let item = self.to_text(items);
        tell.event("response.output_item.done", |json| {
            json.number("output_index", self.index as u64);
            json.raw("item", &item);
        });
        self.done = Some(item);
    }

    fn to_text(&self, items: Items<'_>) -> String {
        let parts: Vec<&Part> = self.parts.iter().collect();
        let mut out = Out::default();
        Items { likely: &self.likely, ..items }.write(&mut out, self.index, &parts);
        out.into_text()
    }

    /// An event of this item.
    fn event(&self, name: &str, tell: &mut Tell<'_>, body: impl FnOnce(&mut Out)) {
        tell.event(name, |json| {
            json.text("item_id", &self.id);
            json.number("output_index", self.index as u64);
            body(json);
        });
    }

    /// A part of a message is there, or done.
    fn part(&self, items: Items<'_>, at: usize, what: &str, tell: &mut Tell<'_>) {
        let mut part = Out::default();
        write_spoken(&mut part, &self.parts[at], &self.likely[at], items.own);
        let part = part.into_text();
        self.event(&format!("response.content_part.{what}"), tell, |json| {
            json.number("content_index", at as u64);
            json.raw("part", &part);
        });
    }

    /// The paragraph of a summary is there, or done.
    fn paragraph(&self, what: &str, text: &str, tell: &mut Tell<'_>) {
        self.event(&format!("response.reasoning_summary_part.{what}"), tell, |json| {
            json.number("summary_index", 0);
            json.member("part", |json| {
                json.text("type", "summary_text");
                json.text("text", text);
            });
        });
    }
}

const CALL: [&str; 2] =
    ["response.function_call_arguments.delta", "response.function_call_arguments.done"];
const CUSTOM: [&str; 2] =
    ["response.custom_tool_call_input.delta", "response.custom_tool_call_input.done"];

fn says_nothing(delta: &Delta) -> bool {
    match delta {
        Delta::Text(text) | Delta::Signature(text) => text.is_empty(),
        // Some say so where there are none.
        Delta::Arguments(text) => text.is_empty() || text == "null",
        Delta::Citation(_) => false,
        Delta::Audio(_) => true,
    }
}

/// A part as it begins, and what of it is told in deltas.
fn emptied(part: &Part) -> (Part, Vec<Delta>) {
    let mut empty = part.clone();
    let mut deltas = Vec::new();
    match &mut empty.body {
        Body::Text(text) => {
            deltas.push(Delta::Text(std::mem::take(&mut text.text)));
            deltas.extend(std::mem::take(&mut text.citations).into_iter().map(Delta::Citation));
        }
        Body::Refusal(text) => deltas.push(Delta::Text(std::mem::take(text))),
        Body::Thinking(thinking) => {
            deltas.push(Delta::Text(std::mem::take(&mut thinking.text)));
        }
        Body::ToolCall(call) => {
            deltas.push(Delta::Arguments(std::mem::take(&mut call.arguments)));
        }
        Body::Redacted(_)
        | Body::Image(_)
        | Body::Audio(_)
        | Body::Video(_)
        | Body::Document(_)
        | Body::ToolResult(_)
        | Body::Opaque(_) => {}
    }
    (empty, deltas)
}
