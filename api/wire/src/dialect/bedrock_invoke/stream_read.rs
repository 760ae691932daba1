//! A stream, read: chunks that hold events of the maker's own format in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::NAME;
use super::plain::{finish, of, read_answer};
use crate::chat::{Delta, Event, Finish, Frame, Part, ReadStream, replay};
use crate::dialect::{anthropic_messages, bedrock_converse, openai_chat};
use crate::frame::{Framing, Name};
use crate::json::{Fields, text};

/// What Bedrock counted, in the last chunk.
const METRICS: &str = "amazon-bedrock-invocationMetrics";

/// Events of Nova's format.
const NOVA: [&str; 6] = [
    "messageStart",
    "contentBlockStart",
    "contentBlockDelta",
    "contentBlockStop",
    "messageStop",
    "metadata",
];

/// Reads the chunks of a stream.
#[derive(Default)]
pub struct StreamReading {
    maker: Option<Maker>,
    words: Words,
    closed: bool,
}

/// Whose events the chunks hold.
enum Maker {
    Claude(anthropic_messages::StreamReading),
    Nova(bedrock_converse::StreamReading),
    OpenAi(openai_chat::chat::StreamReading),
    /// One whose chunks hold words and little else.
    Plain,
}

impl Maker {
    fn of(fields: &Fields<'_>) -> Self {
        let has = |key: &str| fields.get(key).is_some();
        let kind = fields.get("type").and_then(text).unwrap_or_default();
        if NOVA.into_iter().any(has) {
            Self::Nova(bedrock_converse::StreamReading::new())
        } else if has("choices") {
            Self::OpenAi(openai_chat::chat::StreamReading::new())
        } else if kind.starts_with("message") || kind.starts_with("content") || kind == "ping" {
            Self::Claude(anthropic_messages::StreamReading::new())
        } else {
            Self::Plain
        }
    }
}

/// The words of plain chunks.
#[derive(Debug, Default)]
struct Words {
    started: bool,
    /// Answers begun, and why each has ended.
    choices: Vec<(u32, Option<Finish>)>,
}

impl StreamReading {
    /// A reader at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn chunk(&mut self, data: &str, events: &mut Vec<Event>) {
        let Ok(mut fields) = Fields::read(data) else { return };
        let maker = self.maker.get_or_insert_with(|| Maker::of(&fields));
        let frame = |data| Frame { name: Name::None, event: "", data };
        match maker {
            Maker::Claude(reading) => reading.frame(frame(data), events),
            Maker::OpenAi(reading) => reading.frame(frame(data), events),
            Maker::Nova(reading) => {
                for event in NOVA {
                    let Some(data) = fields.get(event) else { continue };
                    reading.frame(Frame { name: Name::Other, event, data }, events);
                }
            }
            Maker::Plain => {
                self.words.push(&mut fields, events);
                if let Some(mut metrics) = fields.object(METRICS) {
                    let input = metrics.whole("inputTokenCount");
                    let counts = of(input, metrics.whole("outputTokenCount"));
                    events.extend(counts.map(Event::Usage));
                    self.closed = true;
                    self.words.end(events);
                }
            }
        }
    }
}

impl Words {
    fn push(&mut self, fields: &mut Fields<'_>, events: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.started, true) {
            let (id, model, created_s) = (String::new(), String::new(), None);
            events.push(Event::Start { dialect: NAME, id, model, created_s });
        }
        for key in ["outputs", "generations"] {
            for item in fields.list(key).unwrap_or_default() {
                self.piece(&mut Fields::read(item).unwrap_or_default(), events);
            }
        }
        let kind = fields.get("event_type").and_then(text);
        if kind.is_none_or(|kind| kind == "text-generation" || kind == "stream-end") {
            self.piece(fields, events);
        }
    }

    /// Words of one answer, and why it ended.
    fn piece(&mut self, fields: &mut Fields<'_>, events: &mut Vec<Event>) {
        let keys = ["generation", "completion", "outputText", "text"];
        let words = keys.into_iter().find_map(|key| fields.text(key));
        let index = fields.whole("index").and_then(|index| index.try_into().ok()).unwrap_or(0);
        let reason = finish(fields);
        if words.is_none() && reason.is_none() {
            return;
        }
        let known = self.choices.iter().position(|(choice, _)| *choice == index);
        let at = known.unwrap_or_else(|| {
            let body = Box::new(Part::text(""));
            events.push(Event::Begin { choice: index, part: 0, body });
            self.choices.push((index, None));
            self.choices.len() - 1
        });
        self.choices[at].1 = reason.or(self.choices[at].1.take());
        if let Some(words) = words.filter(|words| !words.is_empty()) {
            let delta = Delta::Text(words);
            events.push(Event::Delta { choice: index, part: 0, delta });
        }
    }

    fn end(&mut self, events: &mut Vec<Event>) {
        // Of several answers the last chunk tells only once why they ended.
        let last = self.choices.iter().find_map(|(_, finish)| finish.clone());
        for (choice, finish) in std::mem::take(&mut self.choices) {
            let finish = finish.or_else(|| last.clone());
            events.push(Event::End { choice, part: 0 });
            events.push(Event::Finish { choice, finish, stop_sequence: None });
        }
        events.push(Event::Whole);
    }
}

impl ReadStream for StreamReading {
    fn framing(&self) -> Framing {
        Framing::AwsEventStream
    }

    fn frame(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) {
        if self.closed {
            return;
        }
        if frame.name == Name::Error {
            self.closed = true;
            let error = bedrock_converse::read_exception(frame.event, frame.data);
            events.push(Event::Failed(Box::new(error)));
            return;
        }
        let bytes = Fields::read(frame.data).ok().and_then(|mut fields| fields.text("bytes"));
        let inner = bytes.and_then(|bytes| STANDARD.decode(bytes).ok());
        if let Some(inner) = inner {
            self.chunk(&String::from_utf8_lossy(&inner), events);
        }
    }

    fn end(&mut self, rest: &str, events: &mut Vec<Event>) {
        if self.closed {
            return;
        }
        self.closed = true;
        match &mut self.maker {
            Some(Maker::Claude(reading)) => reading.end("", events),
            Some(Maker::Nova(reading)) => reading.end("", events),
            Some(Maker::OpenAi(reading)) => reading.end("", events),
            Some(Maker::Plain) => {
                // Counts never came, but the answers are whole.
                let ended = self.words.choices.iter().any(|(_, finish)| finish.is_some());
                if ended {
                    self.words.end(events);
                }
            }
            None if rest.trim().is_empty() => {}
            None => match read_answer(rest.as_bytes()) {
                Ok(answer) => events.extend(replay(&answer)),
                Err(error) => events.push(Event::Failed(Box::new(error))),
            },
        }
    }
}
