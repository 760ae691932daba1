//! A stream passed on byte for byte, and what it says.

use bytes::Bytes;

use super::error::{error_event, read_error};
use super::usage::Tally;
use crate::json::{Fields, text};
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;
use crate::relay::{End, Progress, Relay};
use crate::sse::{EventTooLong, Found, Name, Splitter};

/// Watches a stream that is passed on as it is. Chunks may be cut anywhere.
#[derive(Debug, Default)]
pub struct StreamRelay {
    splitter: Splitter,
    notes: Notes,
}

#[derive(Debug, Default)]
struct Notes {
    progress: Progress,
    /// The first failure as the provider wrote it.
    error_body: Option<Bytes>,
    tally: Tally,
    /// Whether `message_stop` came.
    complete: bool,
    /// Whether the last byte may stand in the middle of an event.
    mid_event: bool,
}

impl StreamRelay {
    /// A relay at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Relay for StreamRelay {
    fn progress(&self) -> &Progress {
        &self.notes.progress
    }

    fn push(&mut self, chunk: &Bytes, out: &mut Vec<Bytes>) -> Result<(), ProviderError> {
        let too_long = |error: EventTooLong| {
            ProviderError::unreadable(format!("the provider sent an {error}"))
        };
        let mut at = 0;
        while let Some(found) = self.splitter.next(chunk, &mut at).map_err(too_long)? {
            if let Found::Event { name, data, .. } = found {
                self.notes.event(name, data);
            }
        }
        self.notes.mid_event = !self.splitter.at_boundary();
        out.push(chunk.clone());
        Ok(())
    }

    fn finish(mut self: Box<Self>, cut: &dyn Fn() -> Refusal, out: &mut Vec<Bytes>) -> End {
        if let Some((name, data)) = self.splitter.finish() {
            self.notes.event(name, data);
        }
        let junk = self.splitter.junk();
        if self.notes.progress.events == 0 && !junk.trim_ascii().is_empty() {
            return plain(junk);
        }
        self.notes.end(cut, out)
    }
}

/// No event at all came: the body may be plain JSON, an error or a whole answer.
fn plain(body: &[u8]) -> End {
    let reply = super::reply(body);
    End {
        complete: reply.fault.is_none(),
        error_body: reply.fault.is_some().then(|| Bytes::copy_from_slice(body)),
        error: reply.fault,
        counts: reply.usage,
        output_bytes: reply.output_bytes,
        events: 0,
    }
}

impl Notes {
    /// An error event where the stream was cut, so that no client takes the answer for whole.
    fn end(self, cut: &dyn Fn() -> Refusal, out: &mut Vec<Bytes>) -> End {
        let Progress { events, output_bytes, error, .. } = self.progress;
        if !self.complete && error.is_none() {
            let boundary: &[u8] = if self.mid_event { b"\n\n" } else { b"" };
            out.push(Bytes::from([boundary, &error_event(&cut())[..]].concat()));
        }
        End {
            counts: self.tally.counts(),
            complete: self.complete && error.is_none(),
            error,
            error_body: self.error_body,
            events,
            output_bytes,
        }
    }

    fn failed(&mut self, data: &[u8]) {
        if self.progress.error.is_none() {
            self.progress.error = Some(read_error(data));
            self.error_body = Some(Bytes::copy_from_slice(data));
        }
    }

    fn event(&mut self, name: Name, data: &[u8]) {
        if self.complete {
            // What comes behind the end is no part of the answer.
            return;
        }
        self.progress.events += 1;
        let fields = std::str::from_utf8(data).ok().and_then(|text| Fields::read(text).ok());
        let Some(mut fields) = fields else {
            self.progress.unreadable_events += 1;
            if name == Name::Error {
                self.failed(data);
            }
            return;
        };
        match fields.text("type").as_deref() {
            Some("message_start") => {
                let mut message = fields.object("message").unwrap_or_default();
                self.tally.add(message.object("usage").unwrap_or_default());
            }
            Some("message_delta") => self.tally.add(fields.object("usage").unwrap_or_default()),
            Some("message_stop") => self.complete = true,
            Some("content_block_delta") => {
                let delta = fields.object("delta").unwrap_or_default();
                let keys = ["text", "thinking", "partial_json"];
                let said = keys.iter().filter_map(|key| delta.get(key).and_then(text));
                self.progress.output_bytes += said.map(|said| said.len() as u64).sum::<u64>();
            }
            _ if name == Name::Error || fields.get("error").is_some() => self.failed(data),
            _ => {}
        }
    }
}
