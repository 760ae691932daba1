//! A stream, read.

use super::NAME;
use super::answer::{blocks_of, finish, read_answer};
use super::block::{block, citation};
use super::error::read_error;
use super::usage::Tally;
use crate::chat::{Body, Delta, Event, Finish, Frame, ReadStream, ToolCall, replay};
use crate::json::{Fields, text};
use crate::sse::Name;
use crate::usage::Usage;

/// Reads the events of a stream.
#[derive(Debug, Default)]
pub struct StreamReading {
    /// Blocks begun, in order.
    blocks: Vec<Block>,
    tally: Tally,
    told: Option<Usage>,
    finish: Option<Finish>,
    stop_sequence: Option<String>,
    started: bool,
    any: bool,
    closed: bool,
}

#[derive(Debug)]
struct Block {
    /// The provider's number of it.
    index: u64,
    open: bool,
    /// Whether it is a call whose arguments have not begun.
    awaits_arguments: bool,
}

impl Block {
    fn stop(&mut self, part: u32, events: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.open, false) {
            return;
        }
        // A call without arguments has an empty object of them.
        if self.awaits_arguments {
            let delta = Delta::Arguments("{}".to_owned());
            events.push(Event::Delta { choice: 0, part, delta });
        }
        events.push(Event::End { choice: 0, part });
    }
}

impl StreamReading {
    /// A reader at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn start(&mut self, mut fields: Fields<'_>, events: &mut Vec<Event>) {
        let mut message = fields.object("message").unwrap_or_default();
        // A second one goes on with what the first began.
        if !std::mem::replace(&mut self.started, true) {
            events.push(Event::Start {
                dialect: NAME,
                id: message.text("id").unwrap_or_default(),
                model: message.text("model").unwrap_or_default(),
                created_s: None,
            });
        }
        self.usage(message.object("usage"), events);
        self.reason(&mut message);
        for part in message.take("content", |list| Some(blocks_of(list))).unwrap_or_default() {
            let at = self.next();
            let (body, index) = (Box::new(part), u64::from(at));
            self.blocks.push(Block { index, open: false, awaits_arguments: false });
            events.push(Event::Begin { choice: 0, part: at, body });
            events.push(Event::End { choice: 0, part: at });
        }
    }

    fn next(&self) -> u32 {
        u32::try_from(self.blocks.len()).unwrap_or(u32::MAX)
    }

    fn begin(&mut self, mut fields: Fields<'_>, events: &mut Vec<Event>) {
        let index = fields.whole("index").unwrap_or(0);
        let Some(mut part) = fields.take("content_block", |value| Some(block(value))) else {
            return;
        };
        // Says only that there may be some.
        part.extra.remove("citations");
        let mut awaits_arguments = false;
        if let Body::ToolCall(ToolCall { arguments, .. }) = &mut part.body
            && matches!(arguments.as_str(), "{}" | "")
        {
            arguments.clear();
            awaits_arguments = true;
        }
        let at = self.next();
        self.blocks.push(Block { index, open: true, awaits_arguments });
        events.push(Event::Begin { choice: 0, part: at, body: Box::new(part) });
    }

    /// The latest block with that number.
    fn at(&mut self, index: u64) -> Option<(u32, &mut Block)> {
        let at = self.blocks.iter().rposition(|block| block.index == index)?;
        Some((u32::try_from(at).ok()?, &mut self.blocks[at]))
    }

    fn delta(&mut self, mut fields: Fields<'_>, events: &mut Vec<Event>) {
        let index = fields.whole("index").unwrap_or(0);
        let Some((part, block)) = self.at(index) else { return };
        let mut delta = fields.object("delta").unwrap_or_default();
        let kind = delta.text("type").unwrap_or_default();
        let said = match kind.as_str() {
            "text_delta" => delta.text("text").map(Delta::Text),
            "thinking_delta" => delta.text("thinking").map(Delta::Text),
            "signature_delta" => delta.text("signature").map(Delta::Signature),
            "citations_delta" => {
                delta.take("citation", |value| Some(Delta::Citation(citation(value))))
            }
            "input_json_delta" => {
                let piece = delta.text("partial_json").filter(|piece| !piece.is_empty());
                block.awaits_arguments &= piece.is_none();
                piece.map(Delta::Arguments)
            }
            _ => None,
        };
        events.extend(said.map(|delta| Event::Delta { choice: 0, part, delta }));
    }

    fn stop(&mut self, index: u64, events: &mut Vec<Event>) {
        if let Some((part, block)) = self.at(index) {
            block.stop(part, events);
        }
    }

    fn usage(&mut self, usage: Option<Fields<'_>>, events: &mut Vec<Event>) {
        self.tally.add(usage.unwrap_or_default());
        let counts = self.tally.counts();
        if counts != self.told {
            self.told = counts;
            events.extend(counts.map(Event::Usage));
        }
    }

    fn reason(&mut self, fields: &mut Fields<'_>) {
        if let Some(reason) = fields.text("stop_reason") {
            self.finish = Some(finish(&reason));
        }
        self.stop_sequence = fields.text("stop_sequence").or(self.stop_sequence.take());
    }

    fn whole(&mut self, events: &mut Vec<Event>) {
        // A second message may have begun before all blocks of the first had ended.
        (0..).zip(&mut self.blocks).for_each(|(part, block)| block.stop(part, events));
        let (finish, stop_sequence) = (self.finish.take(), self.stop_sequence.take());
        events.push(Event::Finish { choice: 0, finish, stop_sequence });
        events.push(Event::Whole);
        self.closed = true;
    }

    fn failed(&mut self, data: &str, events: &mut Vec<Event>) {
        events.push(Event::Failed(Box::new(read_error(data.as_bytes()))));
        self.closed = true;
    }
}

impl ReadStream for StreamReading {
    fn frame(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) {
        if self.closed {
            return;
        }
        let Ok(mut fields) = Fields::read(frame.data) else {
            if frame.name == Name::Error {
                self.failed(frame.data, events);
            }
            return;
        };
        self.any = true;
        let kind = fields.get("type").and_then(text).unwrap_or_default();
        match kind.as_str() {
            "message_start" => self.start(fields, events),
            "content_block_start" => self.begin(fields, events),
            "content_block_delta" => self.delta(fields, events),
            "content_block_stop" => self.stop(fields.whole("index").unwrap_or(0), events),
            "message_delta" => {
                self.reason(&mut fields.object("delta").unwrap_or_default());
                self.usage(fields.object("usage"), events);
            }
            "message_stop" => self.whole(events),
            "ping" => events.push(Event::Ping),
            _ if frame.name == Name::Error || fields.get("error").is_some() => {
                self.failed(frame.data, events);
            }
            // What else may come is not for callers of other dialects.
            _ => {}
        }
    }

    fn end(&mut self, rest: &str, events: &mut Vec<Event>) {
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
