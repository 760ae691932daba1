//! A stream, written: Claude's events, each in a chunk of its own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::chat::{Event, Identity, WriteStream};
use crate::dialect::{anthropic_messages, bedrock_converse};
use crate::frame::aws_event_stream;
use crate::json::Out;

/// Writes events as a stream.
#[derive(Debug)]
pub struct StreamWriting {
    inner: anthropic_messages::StreamWriting,
    /// Events as Anthropic frames them, reused.
    framed: Vec<u8>,
}

impl StreamWriting {
    /// A writer at the beginning of a stream.
    #[must_use]
    pub fn new(identity: Identity) -> Self {
        Self { inner: anthropic_messages::StreamWriting::new(identity), framed: Vec::new() }
    }
}

impl WriteStream for StreamWriting {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        if let Event::Failed(error) = event {
            return out.extend_from_slice(&bedrock_converse::error_event(&error.refusal()));
        }
        self.framed.clear();
        self.inner.event(event, &mut self.framed);
        // JSON holds no line feed, so each data is one line.
        for line in self.framed.split(|byte| *byte == b'\n') {
            let Some(data) = line.strip_prefix(b"data: ") else { continue };
            let chunk = Out::object(|json| json.text("bytes", &STANDARD.encode(data)));
            aws_event_stream::event(out, "chunk", &chunk);
        }
    }
}
