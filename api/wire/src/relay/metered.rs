//! A stream of any dialect passed on as it is, metered by what its reader makes of it.

use bytes::Bytes;

use super::{End, Progress, Relay, Reply};
use crate::chat::{Answer, Body, Delta, Event, Frame, Part, ReadStream};
use crate::frame::{EventTooLong, Found, Framing, Splitter};
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;
use crate::usage::Usage;

/// Passes a stream on byte for byte. Of binary messages only whole ones go on: nothing could be appended
/// to half a message.
pub struct Metered {
    framing: Framing,
    splitter: Splitter,
    reading: Box<dyn ReadStream>,
    error_event: fn(&Refusal) -> Bytes,
    /// The beginning of a message that has not come whole.
    held: Vec<Bytes>,
    said: Vec<Event>,
    notes: Notes,
}

#[derive(Debug, Default)]
struct Notes {
    progress: Progress,
    error_body: Option<Bytes>,
    counts: Option<Usage>,
    whole: bool,
}

impl Metered {
    /// A relay at the beginning of a stream; `error_event` says a refusal in the stream's dialect.
    #[must_use]
    pub fn new(reading: Box<dyn ReadStream>, error_event: fn(&Refusal) -> Bytes) -> Self {
        let framing = reading.framing();
        let splitter = Splitter::new(framing);
        let (held, said, notes) = (Vec::new(), Vec::new(), Notes::default());
        Self { framing, splitter, reading, error_event, held, said, notes }
    }

    /// Takes note of what the reader has said of `data`.
    fn note(&mut self, data: &[u8]) {
        for event in self.said.drain(..) {
            self.notes.event(event, data);
        }
    }

    fn pass(&mut self, chunk: &Bytes, whole: usize, out: &mut Vec<Bytes>) {
        if self.framing != Framing::AwsEventStream {
            return out.push(chunk.clone());
        }
        if whole > 0 {
            out.append(&mut self.held);
            out.push(chunk.slice(..whole));
        }
        if whole < chunk.len() && !self.splitter.is_damaged() {
            self.held.push(chunk.slice(whole..));
        }
    }
}

impl Relay for Metered {
    fn progress(&self) -> &Progress {
        &self.notes.progress
    }

    fn push(&mut self, chunk: &Bytes, out: &mut Vec<Bytes>) -> Result<(), ProviderError> {
        let too_long = |error: EventTooLong| {
            ProviderError::unreadable(format!("the provider sent an {error}"))
        };
        let (mut at, mut whole) = (0, 0);
        while let Some(found) = self.splitter.next(chunk, &mut at).map_err(too_long)? {
            let Found::Event { end, name, event, data } = found else { continue };
            whole = end;
            self.notes.progress.events += 1;
            let text = String::from_utf8_lossy(data);
            self.reading.frame(Frame { name, event, data: &text }, &mut self.said);
            for event in self.said.drain(..) {
                self.notes.event(event, data);
            }
        }
        self.pass(chunk, whole, out);
        Ok(())
    }

    fn finish(mut self: Box<Self>, cut: &dyn Fn() -> Refusal, out: &mut Vec<Bytes>) -> End {
        if let Some((name, data)) = self.splitter.finish() {
            self.notes.progress.events += 1;
            let text = String::from_utf8_lossy(data).into_owned();
            self.reading.frame(Frame { name, event: "", data: &text }, &mut self.said);
            self.note(text.as_bytes());
        }
        let junk = Bytes::copy_from_slice(self.splitter.junk());
        self.reading.end(&String::from_utf8_lossy(&junk), &mut self.said);
        self.note(&junk);
        if self.notes.progress.events == 0 {
            // It was no stream at all, or nothing came.
            out.append(&mut self.held);
        }
        let Notes { progress, error_body, counts, whole } = self.notes;
        let Progress { events, output_bytes, error, .. } = progress;
        if self.splitter.is_damaged() || (!whole && error.is_none()) {
            if !self.splitter.at_boundary() {
                out.push(Bytes::from_static(closing(self.framing)));
            }
            out.push((self.error_event)(&cut()));
        }
        let complete = whole && error.is_none();
        End { counts, complete, error, error_body, events, output_bytes }
    }
}

/// What ends an event that was cut, so that another may follow.
const fn closing(framing: Framing) -> &'static [u8] {
    match framing {
        Framing::Sse => b"\n\n",
        Framing::NdJson | Framing::JsonArray => b"\n",
        // Half a message was held back.
        Framing::AwsEventStream => b"",
    }
}

impl Notes {
    fn event(&mut self, event: Event, data: &[u8]) {
        match event {
            Event::Begin { body, .. } => self.progress.output_bytes += generated_bytes(&body),
            Event::Delta { delta: Delta::Text(text) | Delta::Arguments(text), .. } => {
                self.progress.output_bytes += text.len() as u64;
            }
            Event::Usage(counts) => {
                self.counts = Some(self.counts.unwrap_or_default().max(counts));
            }
            Event::Failed(error) if self.progress.error.is_none() => {
                self.progress.error = Some(*error);
                self.error_body = Some(Bytes::copy_from_slice(data));
            }
            Event::Whole => self.whole = true,
            Event::Start { .. }
            | Event::Delta { .. }
            | Event::End { .. }
            | Event::Logprobs { .. }
            | Event::Finish { .. }
            | Event::Ping
            | Event::Failed(_) => {}
        }
    }
}

/// What a body under a success status says that goes on as it is.
#[must_use]
pub fn reply_of(read: Result<Answer, ProviderError>) -> Reply {
    match read {
        Err(fault) => Reply { fault: Some(fault), ..Reply::default() },
        Ok(answer) => {
            let parts = answer.choices.iter().flat_map(|choice| &choice.parts);
            Reply {
                usage: answer.counts,
                fault: None,
                output_bytes: parts.map(generated_bytes).sum(),
            }
        }
    }
}

/// Bytes that the model wrote: never less than their tokens.
pub(super) fn generated_bytes(part: &Part) -> u64 {
    let bytes = match &part.body {
        Body::Text(text) => text.text.len(),
        Body::Refusal(text) => text.len(),
        Body::Thinking(thinking) => thinking.text.len(),
        Body::Redacted(redacted) => redacted.data.len(),
        Body::ToolCall(call) => call.name.len() + call.arguments.len(),
        // What tools of the provider found is not the model's.
        Body::Image(_)
        | Body::Audio(_)
        | Body::Video(_)
        | Body::Document(_)
        | Body::ToolResult(_)
        | Body::Opaque(_) => 0,
    };
    bytes as u64
}
