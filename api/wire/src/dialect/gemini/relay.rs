//! A stream passed on byte for byte, and what it says.

use bytes::Bytes;

use super::error::{error_body, error_event, read_error};
use super::metered::{chunk, reply};
use super::usage::Tally;
use crate::frame::{EventTooLong, Found, Framing, Name, Splitter};
use crate::json::Fields;
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;
use crate::relay::{End, Progress, Relay, StreamOptions};

/// Watches a stream that is passed on as it is. Chunks may be cut anywhere.
#[derive(Debug)]
pub struct StreamRelay {
    framing: Framing,
    splitter: Splitter,
    /// The last byte passed on that is no space.
    last: Option<u8>,
    notes: Notes,
}

#[derive(Debug, Default)]
struct Notes {
    progress: Progress,
    /// The first failure as the provider wrote it.
    error_body: Option<Bytes>,
    tally: Tally,
    /// Candidates met, and whether each has its reason to end.
    candidates: Vec<(u64, bool)>,
}

impl StreamRelay {
    /// A relay at the beginning of a stream.
    #[must_use]
    pub fn new(options: &StreamOptions) -> Self {
        let framing = options.framing;
        Self { framing, splitter: Splitter::new(framing), last: None, notes: Notes::default() }
    }

    /// The end of a stream that was cut, so that no client takes the answer for whole. Inside an array
    /// that broke off in the middle of an element nothing can be said any more.
    fn trailer(&self, cut: &Refusal) -> Option<Bytes> {
        let whole_events = self.splitter.at_boundary();
        match self.framing {
            Framing::JsonArray if !whole_events => None,
            Framing::JsonArray => {
                let before: &[u8] = match self.last {
                    None => b"[",
                    Some(b'[' | b',') => b"",
                    Some(_) => b",\r\n",
                };
                Some(Bytes::from([before, &error_body(cut)[..], b"\r\n]"].concat()))
            }
            Framing::Sse | Framing::NdJson | Framing::AwsEventStream => {
                let boundary: &[u8] = if whole_events { b"" } else { b"\r\n\r\n" };
                Some(Bytes::from([boundary, &error_event(cut)[..]].concat()))
            }
        }
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
        self.last = chunk.trim_ascii_end().last().copied().or(self.last);
        out.push(chunk.clone());
        Ok(())
    }

    fn finish(mut self: Box<Self>, cut: &dyn Fn() -> Refusal, out: &mut Vec<Bytes>) -> End {
        if let Some((name, data)) = self.splitter.finish() {
            self.notes.event(name, data);
        }
        let junk = self.splitter.junk().trim_ascii();
        if self.notes.progress.events == 0 && junk.starts_with(b"{") {
            return plain(junk);
        }
        // A failure may follow good events as plain JSON.
        if is_error(junk) {
            self.notes.failed(junk);
        }
        if !self.notes.is_whole() && self.notes.progress.error.is_none() {
            out.extend(self.trailer(&cut()));
        }
        self.notes.end()
    }
}

fn is_error(body: &[u8]) -> bool {
    let fields = std::str::from_utf8(body).ok().and_then(|text| Fields::read(text).ok());
    fields.is_some_and(|fields| fields.get("error").is_some())
}

/// No event at all came: the body is plain JSON, an error or a whole answer.
fn plain(body: &[u8]) -> End {
    let reply = reply(body);
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
    fn is_whole(&self) -> bool {
        !self.candidates.is_empty() && self.candidates.iter().all(|(_, ended)| *ended)
    }

    fn end(self) -> End {
        let complete = self.is_whole() && self.progress.error.is_none();
        let Progress { events, output_bytes, error, .. } = self.progress;
        let (counts, error_body) = (self.tally.counts(), self.error_body);
        End { counts, complete, error, error_body, events, output_bytes }
    }

    fn failed(&mut self, data: &[u8]) {
        if self.progress.error.is_none() {
            self.progress.error = Some(read_error(data));
            self.error_body = Some(Bytes::copy_from_slice(data));
        }
    }

    fn event(&mut self, name: Name, data: &[u8]) {
        self.progress.events += 1;
        let fields = std::str::from_utf8(data).ok().and_then(|text| Fields::read(text).ok());
        let Some(fields) = fields else {
            self.progress.unreadable_events += 1;
            if name == Name::Error {
                self.failed(data);
            }
            return;
        };
        if name == Name::Error || fields.get("error").is_some() {
            return self.failed(data);
        }
        let mut fields = fields.camel();
        let said = chunk(&fields);
        self.tally.searched(said.searches);
        self.progress.output_bytes += said.output_bytes;
        for (index, ended) in said.candidates {
            match self.candidates.iter_mut().find(|(known, _)| *known == index) {
                Some((_, known)) => *known |= ended,
                None => self.candidates.push((index, ended)),
            }
        }
        self.tally.add(fields.object("usageMetadata").unwrap_or_default().camel());
    }
}
