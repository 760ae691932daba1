//! Streams cut into frames, whatever the framing: events found in bytes that may be cut anywhere.
//!
//! The splitters never own what they can borrow: an event that lies whole in one chunk is read in place.

pub mod aws_event_stream;
pub mod json_array;
pub mod ndjson;
pub mod sse;

use aws_event_stream::AwsEventStream;
use json_array::JsonArray;
use ndjson::NdJson;

/// Longest event, in bytes. Real ones reach hundreds of kB (images); more than this is no event.
pub const EVENT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes kept of a body that is not framed as it should be, to find an error object in it.
const JUNK_BYTES_MAX: usize = 1024 * 1024;

/// An event grew beyond [`EVENT_BYTES_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("event longer than {EVENT_BYTES_MAX} bytes")]
pub struct EventTooLong;

/// How a stream is cut into frames.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events.
    #[default]
    Sse,
    /// One JSON array, element by element.
    JsonArray,
    /// One JSON object a line.
    NdJson,
    /// AWS' binary messages.
    AwsEventStream,
}

impl Framing {
    /// The `content-type` of such a stream.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Sse => "text/event-stream",
            Self::JsonArray => "application/json",
            Self::NdJson => "application/x-ndjson",
            Self::AwsEventStream => "application/vnd.amazon.eventstream",
        }
    }
}

/// Something found in a chunk. `end` is the offset behind it in that chunk.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// An event with data is complete, its closing mark included.
    Event {
        /// Behind its closing mark: a blank line, a line end, a bracket.
        end: usize,
        /// What `event:` said.
        name: Name,
        /// The kind of event where the framing itself names it; empty otherwise.
        event: &'a str,
        /// Its data; of SSE its `data:` lines, joined by line feeds.
        data: &'a [u8],
    },
    /// Bytes that belong to no event with data: comments, blank lines, events without data.
    Idle {
        /// Behind them.
        end: usize,
    },
    /// The line feed of a CRLF whose carriage return, in the chunk before, already ended what was found last.
    Tail {
        /// Behind it.
        end: usize,
    },
}

/// The name of an event, as far as anybody asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Name {
    /// No `event:` line.
    #[default]
    None,
    /// `event: error`
    Error,
    /// Any other.
    Other,
}

/// Finds events chunk by chunk, in any framing.
#[derive(Debug)]
pub enum Splitter {
    /// Of server-sent events.
    Sse(sse::Splitter),
    /// Of one JSON array.
    JsonArray(JsonArray),
    /// Of one JSON object a line.
    NdJson(NdJson),
    /// Of AWS' binary messages.
    AwsEventStream(AwsEventStream),
}

impl Splitter {
    /// A splitter at the beginning of a stream.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        match framing {
            Framing::Sse => Self::Sse(sse::Splitter::new()),
            Framing::JsonArray => Self::JsonArray(JsonArray::new()),
            Framing::NdJson => Self::NdJson(NdJson::new()),
            Framing::AwsEventStream => Self::AwsEventStream(AwsEventStream::new()),
        }
    }

    /// The next thing in `chunk` from `*at` on; `None` when the chunk is used up.
    ///
    /// Call it with the same chunk until it says `None`, then with the next one and `at` 0.
    ///
    /// # Errors
    /// [`EventTooLong`] when an event exceeds [`EVENT_BYTES_MAX`]; the splitter is of no use afterwards.
    pub fn next<'a>(
        &'a mut self,
        chunk: &'a [u8],
        at: &mut usize,
    ) -> Result<Option<Found<'a>>, EventTooLong> {
        match self {
            Self::Sse(splitter) => splitter.next(chunk, at),
            Self::JsonArray(splitter) => splitter.next(chunk, at),
            Self::NdJson(splitter) => splitter.next(chunk, at),
            Self::AwsEventStream(splitter) => Ok(splitter.next(chunk, at)),
        }
    }

    /// The stream has ended: the event that lacks its closing mark, where it may do without.
    pub fn finish(&mut self) -> Option<(Name, &[u8])> {
        match self {
            Self::Sse(splitter) => splitter.finish(),
            Self::JsonArray(splitter) => {
                splitter.finish();
                None
            }
            Self::NdJson(splitter) => splitter.finish().map(|data| (Name::None, data)),
            // Half a message is none.
            Self::AwsEventStream(_) => None,
        }
    }

    /// Whether the stream stands at the beginning of an event, so that another may be appended.
    #[must_use]
    pub fn at_boundary(&self) -> bool {
        match self {
            Self::Sse(splitter) => splitter.at_boundary(),
            Self::JsonArray(splitter) => splitter.at_boundary(),
            Self::NdJson(splitter) => splitter.at_boundary(),
            Self::AwsEventStream(splitter) => splitter.at_boundary(),
        }
    }

    /// Whether the stream cannot be read on, nor anything be appended to what came last.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        matches!(self, Self::AwsEventStream(splitter) if splitter.is_damaged())
    }

    /// What was no event at all, up to 1 MiB: some providers answer a stream with plain JSON, or go on
    /// with it. Whole after [`Self::finish`] only.
    #[must_use]
    pub fn junk(&self) -> &[u8] {
        match self {
            Self::Sse(splitter) => splitter.junk(),
            Self::JsonArray(splitter) => splitter.junk(),
            Self::NdJson(splitter) => splitter.junk(),
            Self::AwsEventStream(splitter) => splitter.junk(),
        }
    }
}

/// What was no event, kept up to a limit.
#[derive(Debug, Default)]
struct Junk(Vec<u8>);

impl Junk {
    fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// A line, without its end.
    fn add_line(&mut self, line: &[u8]) {
        if self.0.len() + line.len() < JUNK_BYTES_MAX {
            self.0.extend_from_slice(line);
            self.0.push(b'\n');
        }
    }

    /// A piece of whatever it is.
    fn add(&mut self, piece: &[u8]) {
        let room = JUNK_BYTES_MAX - self.0.len().min(JUNK_BYTES_MAX);
        self.0.extend_from_slice(&piece[..piece.len().min(room)]);
    }
}

/// A byte order mark may stand before the first byte of a stream.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
