//! A stream of one dialect, told in another.

use bytes::Bytes;

use super::metered::{generated_bytes, reply_of};
use super::{End, Progress, Relay, Reply};
use crate::chat::{Delta, Event, Identity, StreamReader, TellBack, WriteStream};
use crate::dialect::Dialect;
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;
use crate::usage::Usage;

/// Reads a provider's stream and writes it in the caller's dialect.
pub struct Translated {
    reader: StreamReader,
    tell_back: TellBack,
    writer: Box<dyn WriteStream>,
    /// Events of the chunk at hand; kept for its room.
    events: Vec<Event>,
    notes: Notes,
}

#[derive(Default)]
struct Notes {
    progress: Progress,
    counts: Option<Usage>,
    whole: bool,
}

impl Translated {
    /// A relay at the beginning of a stream in the dialect `from`, to be told in the dialect `to`.
    #[must_use]
    pub fn new(from: &Dialect, to: &Dialect, identity: Identity) -> Self {
        let tell_back = TellBack::new(identity.stand_ins.clone());
        Self {
            tell_back,
            reader: StreamReader::new((from.chat.read_stream)()),
            writer: (to.chat.write_stream)(identity),
            events: Vec::new(),
            notes: Notes::default(),
        }
    }

    /// Says the events that were read.
    fn say(&mut self, out: &mut Vec<Bytes>) {
        let mut text = Vec::new();
        for event in self.events.drain(..) {
            self.notes.take(&event);
            self.tell_back.push(event, &mut |event| self.writer.event(&event, &mut text));
        }
        if !text.is_empty() {
            out.push(Bytes::from(text));
        }
    }
}

impl Relay for Translated {
    fn progress(&self) -> &Progress {
        &self.notes.progress
    }

    fn push(&mut self, chunk: &Bytes, out: &mut Vec<Bytes>) -> Result<(), ProviderError> {
        let outcome = self.reader.push(chunk, &mut self.events);
        self.say(out);
        outcome
    }

    fn finish(self: Box<Self>, cut: &dyn Fn() -> Refusal, out: &mut Vec<Bytes>) -> End {
        let Self { reader, mut tell_back, mut writer, mut events, mut notes } = *self;
        reader.finish(&mut events);
        let mut text = Vec::new();
        for event in events.drain(..) {
            notes.take(&event);
            tell_back.push(event, &mut |event| writer.event(&event, &mut text));
        }
        if !notes.whole && notes.progress.error.is_none() {
            let Refusal { status, say, .. } = cut();
            let error = ProviderError::new(status, say);
            writer.event(&Event::Failed(Box::new(error)), &mut text);
        }
        if !text.is_empty() {
            out.push(Bytes::from(text));
        }
        let Notes { progress: Progress { events, output_bytes, error, .. }, counts, whole } = notes;
        let complete = whole && error.is_none();
        End { counts, error, error_body: None, complete, events, output_bytes }
    }
}

impl Notes {
    fn take(&mut self, event: &Event) {
        let progress = &mut self.progress;
        match event {
            Event::Begin { body, .. } => {
                progress.events += 1;
                progress.output_bytes += generated_bytes(body);
            }
            Event::Delta { delta, .. } => {
                progress.events += 1;
                progress.output_bytes += match delta {
                    Delta::Text(text) | Delta::Arguments(text) => text.len() as u64,
                    Delta::Signature(_) | Delta::Citation(_) | Delta::Audio(_) => 0,
                };
            }
            Event::Finish { .. } => progress.events += 1,
            Event::Usage(counts) => {
                self.counts = Some(self.counts.unwrap_or_default().max(*counts));
            }
            Event::Failed(error) => progress.error = Some((**error).clone()),
            Event::Whole => self.whole = true,
            // Signs of life: nothing that another place could not still say instead.
            Event::Start { .. } | Event::End { .. } | Event::Logprobs { .. } | Event::Ping => {}
        }
    }
}

/// A plain answer of one dialect, told in another; and what it used.
///
/// # Errors
/// A body that is no answer.
pub fn answer(
    from: &Dialect,
    to: &Dialect,
    identity: &Identity,
    body: &[u8],
) -> Result<(Bytes, Reply), ProviderError> {
    let mut answer = (from.chat.read_answer)(body)?;
    identity.stand_ins.tell_back(&mut answer);
    let told = Bytes::from((to.chat.write_answer)(&answer, identity));
    Ok((told, reply_of(Ok(answer))))
}
