//! What goes on as it comes, and nobody looks into: sound, files.

use bytes::Bytes;

use super::{End, Progress, Relay};
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;

/// Passes bytes on. Nothing in them says that they are all: only the transport does.
#[derive(Debug, Default)]
pub struct Raw {
    progress: Progress,
    /// Nothing at all is an answer, too.
    may_be_empty: bool,
}

impl Raw {
    /// Of an answer that may be empty.
    #[must_use]
    pub fn or_nothing() -> Self {
        Self { may_be_empty: true, ..Self::default() }
    }
}

impl Relay for Raw {
    fn progress(&self) -> &Progress {
        &self.progress
    }

    fn push(&mut self, chunk: &Bytes, out: &mut Vec<Bytes>) -> Result<(), ProviderError> {
        if !chunk.is_empty() {
            self.progress.events += 1;
            self.progress.output_bytes += chunk.len() as u64;
            out.push(chunk.clone());
        }
        Ok(())
    }

    fn finish(self: Box<Self>, _: &dyn Fn() -> Refusal, _: &mut Vec<Bytes>) -> End {
        let Progress { events, output_bytes, .. } = self.progress;
        End { complete: events > 0 || self.may_be_empty, events, output_bytes, ..End::default() }
    }

    fn is_raw(&self) -> bool {
        true
    }
}
