//! A stream passed on: byte for byte, but for the usage chunk that nobody downstream asked for.

use bytes::Bytes;

use super::chunk::Chunk;
use super::error_event;
use super::reply::Body;
use crate::call::Operation;
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;
use crate::relay::{End, Progress, Relay, StreamOptions};
use crate::sse::{EventTooLong, Found, Name, Splitter};
use crate::usage::Usage;

/// An event longer than this says more than its usage; it is not held back to find out.
const USAGE_EVENT_BYTES_MAX: usize = 64 * 1024;

/// Passes a stream on and notes what it says. Chunks may be cut anywhere.
///
/// Nothing is held back unless usage is to be hidden; then only the event that is not yet whole.
#[derive(Debug)]
pub struct StreamRelay {
    options: StreamOptions,
    splitter: Splitter,
    notes: Notes,
    /// Pieces of the event not yet whole, when usage is to be hidden.
    held: Vec<Bytes>,
    held_bytes: usize,
    /// Whether the current event is passed on as it comes, because it is too long to be hidden.
    through: bool,
    /// Whether the last thing found was hidden, and the tail of its line end with it.
    last_hidden: bool,
    /// Whether the last byte passed on may stand in the middle of an event.
    mid_event: bool,
}

#[derive(Debug, Default)]
struct Notes {
    progress: Progress,
    usage: Option<Usage>,
    /// Whether the last event was the closing usage chunk.
    usage_last: bool,
    finished: u64,
    done: bool,
    /// Whether the body was plain JSON and no stream at all.
    plain: bool,
    /// The first failure as the provider wrote it.
    error_body: Option<Bytes>,
}

/// What a stream came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEnd {
    /// What the provider counted, if it did; the largest of all counts seen, never their sum.
    pub usage: Option<Usage>,
    /// Whether `[DONE]` came.
    pub saw_done: bool,
    /// Whether every choice gave its reason to finish.
    pub finished: bool,
    /// The failure reported inside the stream.
    pub error: Option<ProviderError>,
    /// The same as the provider wrote it: the data of the event, or the lines of the whole body.
    pub error_body: Option<Bytes>,
    /// Whether the answer is whole: no failure, and `[DONE]`, all reasons to finish, or the closing
    /// usage chunk at the end came.
    pub complete: bool,
    /// Events with data, `[DONE]` not counted.
    pub events: u64,
    /// Bytes of generated text and arguments passed on. Byte-level tokens are at least a byte long, so
    /// this is never less than the output tokens the caller received.
    pub output_bytes: u64,
    /// Whether what was passed on ends in the middle of an event.
    mid_event: bool,
    plain: bool,
}

/// What must be written after the provider's last byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trailer {
    /// Nothing.
    None,
    /// `[DONE]`, which chat clients wait for and some providers never send.
    Done(Bytes),
    /// The stream was cut: an error event, so that no client takes the answer for whole.
    Cut(Bytes),
}

impl Trailer {
    /// What is written, if anything.
    #[must_use]
    pub fn into_bytes(self) -> Option<Bytes> {
        match self {
            Self::None => None,
            Self::Done(piece) | Self::Cut(piece) => Some(piece),
        }
    }
}

impl StreamRelay {
    /// A relay at the beginning of a stream.
    #[must_use]
    pub fn new(options: StreamOptions) -> Self {
        Self {
            options,
            splitter: Splitter::new(),
            notes: Notes::default(),
            held: Vec::new(),
            held_bytes: 0,
            through: false,
            last_hidden: false,
            mid_event: false,
        }
    }

    /// What has been seen so far. As long as nothing was passed on, an attempt may be repeated elsewhere.
    #[must_use]
    pub const fn progress(&self) -> &Progress {
        &self.notes.progress
    }

    /// Takes a chunk from the provider and appends to `out` what the caller gets now.
    ///
    /// # Errors
    /// A 502 when an event exceeds [`crate::sse::EVENT_BYTES_MAX`]; the stream must be ended then.
    pub fn push(&mut self, chunk: &Bytes, out: &mut Vec<Bytes>) -> Result<(), ProviderError> {
        if self.options.hide_usage {
            self.push_hiding(chunk, out)
        } else {
            self.push_through(chunk, out)
        }
    }

    fn push_through(&mut self, chunk: &Bytes, out: &mut Vec<Bytes>) -> Result<(), ProviderError> {
        let mut at = 0;
        while let Some(found) = self.splitter.next(chunk, &mut at).map_err(too_long)? {
            if let Found::Event { name, data, .. } = found {
                self.notes.event(name, data);
            }
        }
        self.mid_event = !self.splitter.at_boundary();
        emit(out, chunk.clone());
        Ok(())
    }

    fn push_hiding(&mut self, chunk: &Bytes, out: &mut Vec<Bytes>) -> Result<(), ProviderError> {
        let (mut at, mut kept, mut decided) = (0, 0, 0);
        while let Some(found) = self.splitter.next(chunk, &mut at).map_err(too_long)? {
            let (end, hidden) = match found {
                Found::Event { end, name, data, .. } => {
                    (end, self.notes.event(name, data) && !self.through)
                }
                Found::Idle { end } => (end, false),
                Found::Tail { end } => (end, self.last_hidden),
            };
            if hidden {
                emit(out, chunk.slice(kept..decided));
                kept = end;
                self.held.clear();
            } else if decided == 0 {
                out.append(&mut self.held);
            }
            (self.held_bytes, self.through, self.last_hidden) = (0, false, hidden);
            decided = end;
        }
        self.hold(chunk, kept, decided, out);
        Ok(())
    }

    /// Passes on what is decided, and keeps the beginning of the event that is not.
    fn hold(&mut self, chunk: &Bytes, kept: usize, decided: usize, out: &mut Vec<Bytes>) {
        let pending = chunk.len() - decided;
        self.held_bytes += pending;
        self.through |= self.held_bytes > USAGE_EVENT_BYTES_MAX;
        if self.through {
            out.append(&mut self.held);
            emit(out, chunk.slice(kept..));
        } else {
            emit(out, chunk.slice(kept..decided));
            emit(&mut self.held, chunk.slice(decided..));
        }
        self.mid_event = self.through && pending > 0;
    }

    /// The provider's stream has ended: appends what was held back, and says what the stream came to.
    ///
    /// A held event that breaks off inside its JSON is dropped: no client can read it, and the error
    /// event that follows must not be swallowed by it.
    pub fn finish(mut self, out: &mut Vec<Bytes>) -> StreamEnd {
        let holds = self.options.hide_usage && !self.through;
        let mut dropped = false;
        if let Some((name, data)) = self.splitter.finish() {
            dropped = holds && data.starts_with(b"{") && Chunk::read_whole(data).is_err();
            if !dropped {
                dropped = self.notes.event(name, data) && holds;
            }
        }
        if !dropped && !self.held.is_empty() {
            out.append(&mut self.held);
            self.mid_event = true;
        }
        if self.notes.progress.events == 0 {
            self.notes.plain_body(self.splitter.junk());
        }
        self.notes.end(self.options.answers, self.mid_event)
    }
}

impl Relay for StreamRelay {
    fn progress(&self) -> &Progress {
        Self::progress(self)
    }

    fn push(&mut self, chunk: &Bytes, out: &mut Vec<Bytes>) -> Result<(), ProviderError> {
        Self::push(self, chunk, out)
    }

    fn finish(self: Box<Self>, cut: &dyn Fn() -> Refusal, out: &mut Vec<Bytes>) -> End {
        let end = Self::finish(*self, out);
        out.extend(end.trailer_of(cut).into_bytes());
        End {
            counts: end.usage,
            error: end.error,
            error_body: end.error_body,
            complete: end.complete,
            events: end.events,
            output_bytes: end.output_bytes,
        }
    }
}

fn emit(out: &mut Vec<Bytes>, piece: Bytes) {
    if !piece.is_empty() {
        out.push(piece);
    }
}

fn too_long(error: EventTooLong) -> ProviderError {
    ProviderError::unreadable(format!("the provider sent an {error}"))
}

impl Notes {
    /// Takes note of an event; says whether it holds usage and nothing else.
    fn event(&mut self, name: Name, data: &[u8]) -> bool {
        if data.trim_ascii() == b"[DONE]" {
            self.done = true;
            return false;
        }
        self.progress.events += 1;
        self.usage_last = false;
        let Ok(mut chunk) = Chunk::read(data) else {
            self.progress.unreadable_events += 1;
            self.progress.output_bytes += data.len() as u64;
            if name == Name::Error {
                self.failed(super::read_error(data), data);
            }
            return false;
        };
        let error =
            chunk.error.take().or_else(|| (name == Name::Error).then(|| super::read_error(data)));
        let usage_only = error.is_none() && chunk.is_usage_only();
        if let Some(error) = error {
            self.failed(error, data);
        }
        self.usage = match (self.usage, chunk.usage) {
            (Some(known), Some(more)) => Some(known.max(more)),
            (known, more) => known.or(more),
        };
        self.usage_last = usage_only;
        self.finished |= chunk.finished;
        self.progress.output_bytes += chunk.output_bytes;
        usage_only
    }

    fn failed(&mut self, error: ProviderError, data: &[u8]) {
        if self.progress.error.is_none() {
            self.progress.error = Some(error);
            self.error_body = Some(Bytes::copy_from_slice(data));
        }
    }

    /// No event at all came: the body may be plain JSON, an error or a whole answer.
    fn plain_body(&mut self, text: &[u8]) {
        let Ok(body) = Body::read(text) else { return };
        self.plain = true;
        let reply = body.meaning(Operation::ChatCompletions);
        self.usage = reply.usage;
        self.progress.output_bytes = reply.output_bytes;
        if let Some(fault) = reply.fault {
            self.failed(fault, text);
        }
    }

    fn end(self, answers: u64, mid_event: bool) -> StreamEnd {
        let Progress { events, output_bytes, error, .. } = self.progress;
        let expected = u32::try_from(answers.clamp(1, 64)).expect("clamped to 64");
        let finished = self.finished.count_ones() >= expected;
        let whole = self.done || finished || self.usage_last || self.plain;
        StreamEnd {
            usage: self.usage,
            saw_done: self.done,
            finished,
            complete: error.is_none() && whole,
            error,
            error_body: self.error_body,
            events,
            output_bytes,
            mid_event,
            plain: self.plain,
        }
    }
}

impl StreamEnd {
    /// Output tokens the caller cannot have received more of: for a stream that ended without usage.
    #[must_use]
    pub const fn observed_output_tokens_bound(&self) -> u64 {
        self.output_bytes
    }

    /// Output tokens the caller likely received, at four bytes each: an estimate, not a bound.
    #[must_use]
    pub const fn observed_output_tokens_estimate(&self) -> u64 {
        self.output_bytes.div_ceil(4)
    }

    /// What must be written after the provider's last byte, `cut` being what to say if the answer is not whole.
    ///
    /// Nothing after a failure that the provider reported itself: the caller has it already. Nothing
    /// after plain JSON in the place of a stream.
    #[must_use]
    pub fn trailer(&self, cut: &Refusal) -> Trailer {
        self.trailer_of(&|| cut.clone())
    }

    fn trailer_of(&self, cut: &dyn Fn() -> Refusal) -> Trailer {
        let boundary: &[u8] = if self.mid_event { b"\n\n" } else { b"" };
        if self.complete {
            if self.saw_done || self.plain {
                return Trailer::None;
            }
            return Trailer::Done(Bytes::from([boundary, b"data: [DONE]\n\n"].concat()));
        }
        if self.error.is_some() {
            return Trailer::None;
        }
        Trailer::Cut(Bytes::from([boundary, &error_event(&cut())[..]].concat()))
    }
}
