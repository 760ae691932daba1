//! What every dialect's stream has: events out of bytes that may be cut anywhere, and bytes out of
//! events.

use super::event::Event;
use super::stand_in::StandIns;
use crate::frame::{EventTooLong, Found, Framing, Name, Splitter};
use crate::provider_error::ProviderError;

/// One frame of a stream: an event with data.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// What `event:` said.
    pub name: Name,
    /// The kind of event where the framing itself names it; empty otherwise.
    pub event: &'a str,
    /// The data.
    pub data: &'a str,
}

/// Reads the frames of one dialect's stream.
pub trait ReadStream: Send {
    /// How the stream is cut into frames.
    fn framing(&self) -> Framing {
        Framing::Sse
    }

    /// Takes a frame and appends what it says.
    fn frame(&mut self, frame: Frame<'_>, events: &mut Vec<Event>);

    /// The stream has ended: appends what is still to be said. `rest` is what was no event at all: some
    /// providers answer a stream with plain JSON.
    fn end(&mut self, rest: &str, events: &mut Vec<Event>);
}

/// How an answer is presented where its provider does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// An id for answers that have none.
    pub id: String,
    /// The model's name for the caller; the provider's where empty.
    pub model: String,
    /// Seconds since 1970 for answers that have no time.
    pub created_s: u64,
    /// Whether a stream tells its usage in dialects where the caller has to ask for it.
    pub include_usage: bool,
    /// How a stream is framed in dialects where the caller may choose.
    pub framing: Framing,
    /// Tools of the caller's for which functions stand in.
    pub stand_ins: StandIns,
}

/// Writes events as one dialect's stream.
pub trait WriteStream: Send {
    /// Appends the bytes that say an event.
    fn event(&mut self, event: &Event, out: &mut Vec<u8>);
}

/// Reads a stream, cut anywhere.
pub struct StreamReader {
    splitter: Splitter,
    dialect: Box<dyn ReadStream>,
}

impl StreamReader {
    /// A reader at the beginning of a stream.
    #[must_use]
    pub fn new(dialect: Box<dyn ReadStream>) -> Self {
        Self { splitter: Splitter::new(dialect.framing()), dialect }
    }

    /// Takes a chunk and appends what it says.
    ///
    /// # Errors
    /// A 502 when an event is longer than [`crate::frame::EVENT_BYTES_MAX`]; the stream is of no use then.
    pub fn push(&mut self, chunk: &[u8], events: &mut Vec<Event>) -> Result<(), ProviderError> {
        let mut at = 0;
        let too_long = |error: EventTooLong| {
            ProviderError::unreadable(format!("the provider sent an {error}"))
        };
        while let Some(found) = self.splitter.next(chunk, &mut at).map_err(too_long)? {
            if let Found::Event { name, event, data, .. } = found {
                let data = String::from_utf8_lossy(data);
                self.dialect.frame(Frame { name, event, data: &data }, events);
            }
        }
        Ok(())
    }

    /// The provider's stream has ended: appends what is still to be said.
    pub fn finish(mut self, events: &mut Vec<Event>) {
        if let Some((name, data)) = self.splitter.finish() {
            let data = String::from_utf8_lossy(data);
            self.dialect.frame(Frame { name, event: "", data: &data }, events);
        }
        let rest = String::from_utf8_lossy(self.splitter.junk());
        self.dialect.end(&rest, events);
    }
}
