//! A stream of OpenAI's chats whose calls lack what clients ask for, passed on with it.

use bytes::{Bytes, BytesMut};

use super::{End, Progress, Relay};
use crate::frame::EVENT_BYTES_MAX;
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;
use crate::splice::Calls;

/// Completes the calls in a stream's lines before another relay passes them on. A line goes on when it
/// has come whole.
pub struct Completed {
    inner: Box<dyn Relay>,
    calls: Calls,
    /// The beginning of a line.
    held: BytesMut,
}

impl Completed {
    /// A relay at the beginning of a stream.
    #[must_use]
    pub fn new(inner: Box<dyn Relay>) -> Self {
        Self { inner, calls: Calls::default(), held: BytesMut::new() }
    }

    /// A whole line, its end included where it has one.
    fn line(&mut self, line: Bytes) -> Bytes {
        let Some(data) = line.strip_prefix(b"data:") else { return line };
        let text = data.trim_ascii();
        let Some(told) = self.calls.chunk(text) else { return line };
        let start = line.len() - data.trim_ascii_start().len();
        [&line[..start], &told[..], &line[start + text.len()..]].concat().into()
    }

    fn pass(&mut self, text: Bytes, out: &mut Vec<Bytes>) -> Result<(), ProviderError> {
        if text.is_empty() { Ok(()) } else { self.inner.push(&text, out) }
    }
}

impl Relay for Completed {
    fn progress(&self) -> &Progress {
        self.inner.progress()
    }

    fn push(&mut self, chunk: &Bytes, out: &mut Vec<Bytes>) -> Result<(), ProviderError> {
        let mut rest = chunk.clone();
        let mut whole = BytesMut::new();
        while let Some(end) = memchr::memchr(b'\n', &rest) {
            let piece = rest.split_to(end + 1);
            let line = if self.held.is_empty() {
                piece
            } else {
                self.held.extend_from_slice(&piece);
                self.held.split().freeze()
            };
            whole.extend_from_slice(&self.line(line));
        }
        self.held.extend_from_slice(&rest);
        if self.held.len() > EVENT_BYTES_MAX {
            whole.extend_from_slice(&self.held.split());
        }
        self.pass(whole.freeze(), out)
    }

    fn finish(mut self: Box<Self>, cut: &dyn Fn() -> Refusal, out: &mut Vec<Bytes>) -> End {
        let rest = self.held.split().freeze();
        let rest = self.line(rest);
        // Too long an event would have been told of before.
        let _ = self.pass(rest, out);
        self.inner.finish(cut, out)
    }
}
