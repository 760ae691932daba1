//! A stream passed on byte for byte, and what it says.

use bytes::Bytes;

use super::error::{error_event, read_error};
use super::usage::Tally;
use crate::chat::Counts;
use crate::json::{Fields, text};
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;
use crate::sse::{EventTooLong, Found, Name, Splitter};

/// Watches a stream that is passed on as it is. Chunks may be cut anywhere.
#[derive(Debug, Default)]
pub struct Relay {
    splitter: Splitter,
    end: RelayEnd,
    tally: Tally,
}

/// What a stream came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelayEnd {
    /// What the provider counted; the largest of all counts seen, never their sum.
    pub counts: Option<Counts>,
    /// The failure reported inside the stream.
    pub error: Option<ProviderError>,
    /// Whether `message_stop` came.
    pub complete: bool,
    /// Events with data.
    pub events: u64,
    /// Bytes of generated text and arguments: never less than their tokens.
    pub output_bytes: u64,
    /// Whether the last byte may stand in the middle of an event.
    mid_event: bool,
}

impl Relay {
    /// A relay at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What has been seen so far; `counts` come at the end only.
    #[must_use]
    pub const fn progress(&self) -> &RelayEnd {
        &self.end
    }

    /// Takes note of a chunk, which goes on to the caller as it is.
    ///
    /// # Errors
    /// A 502 when an event exceeds [`crate::sse::EVENT_BYTES_MAX`]; the stream must be ended then.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), ProviderError> {
        let too_long = |error: EventTooLong| {
            ProviderError::unreadable(format!("the provider sent an {error}"))
        };
        let mut at = 0;
        while let Some(found) = self.splitter.next(chunk, &mut at).map_err(too_long)? {
            if let Found::Event { name, data, .. } = found {
                note(&mut self.end, &mut self.tally, name, data);
            }
        }
        self.end.mid_event = !self.splitter.at_boundary();
        Ok(())
    }

    /// The provider's stream has ended.
    #[must_use]
    pub fn finish(mut self) -> RelayEnd {
        if let Some((name, data)) = self.splitter.finish() {
            note(&mut self.end, &mut self.tally, name, data);
        }
        let junk = self.splitter.junk();
        if self.end.events == 0 && !junk.trim_ascii().is_empty() {
            let reply = super::reply(junk);
            self.end.complete = reply.fault.is_none();
            (self.end.error, self.end.output_bytes) = (reply.fault, reply.output_bytes);
            self.end.counts = reply.usage.map(|usage| Counts { usage, ..Counts::default() });
            return self.end;
        }
        self.end.counts = self.tally.counts();
        self.end
    }
}

impl RelayEnd {
    /// What must be written after the provider's last byte: an error event where the stream was cut, so
    /// that no client takes the answer for whole.
    #[must_use]
    pub fn trailer(&self, cut: &Refusal) -> Option<Bytes> {
        if self.complete || self.error.is_some() {
            return None;
        }
        let boundary: &[u8] = if self.mid_event { b"\n\n" } else { b"" };
        Some(Bytes::from([boundary, &error_event(cut)[..]].concat()))
    }
}

fn note(end: &mut RelayEnd, tally: &mut Tally, name: Name, data: &[u8]) {
    if end.complete {
        // What comes behind the end is no part of the answer.
        return;
    }
    end.events += 1;
    let fields = std::str::from_utf8(data).ok().and_then(|text| Fields::read(text).ok());
    let Some(mut fields) = fields else {
        if name == Name::Error {
            end.error.get_or_insert_with(|| read_error(data));
        }
        return;
    };
    match fields.text("type").as_deref() {
        Some("message_start") => {
            let mut message = fields.object("message").unwrap_or_default();
            tally.add(message.object("usage").unwrap_or_default());
        }
        Some("message_delta") => tally.add(fields.object("usage").unwrap_or_default()),
        Some("message_stop") => end.complete = true,
        Some("content_block_delta") => {
            let delta = fields.object("delta").unwrap_or_default();
            let keys = ["text", "thinking", "partial_json"];
            let said = keys.iter().filter_map(|key| delta.get(key).and_then(text));
            end.output_bytes += said.map(|said| said.len() as u64).sum::<u64>();
        }
        _ if name == Name::Error || fields.get("error").is_some() => {
            end.error.get_or_insert_with(|| read_error(data));
        }
        _ => {}
    }
}
