//! What passes through on its own dialect: byte for byte, and metered on the way.

mod completed;
mod metered;
mod raw;
mod translated;

use bytes::Bytes;

use crate::frame::Framing;
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;
use crate::usage::Usage;

pub use completed::Completed;
pub use metered::{Metered, reply_of};
pub use raw::Raw;
pub use translated::{Translated, answer};

/// What a body under a success status says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// What the provider counted, if it did.
    pub usage: Option<Usage>,
    /// The failure that the body reports in the place of an answer, or that it is.
    pub fault: Option<ProviderError>,
    /// Bytes of the generated part: never less than its tokens. 0 for embeddings.
    pub output_bytes: u64,
}

/// How a stream is to be passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamOptions {
    /// Hide the chunk that holds nothing but usage: the gateway asked for it, the caller did not.
    pub hide_usage: bool,
    /// How many answers must finish before the answer counts as whole; at least 1.
    pub answers: u64,
    /// How the stream is framed, in dialects with a choice.
    pub framing: Framing,
}

/// What has been seen of a stream so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Events with data, end marks like `[DONE]` not counted.
    pub events: u64,
    /// Events whose data could not be read.
    pub unreadable_events: u64,
    /// Bytes of generated text and arguments passed on so far: never less than their tokens.
    pub output_bytes: u64,
    /// The first failure the provider reported inside the stream.
    pub error: Option<ProviderError>,
}

/// What a stream came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct End {
    /// What the provider counted, if it did; the largest of all counts seen, never their sum.
    pub counts: Option<Usage>,
    /// The failure reported inside the stream.
    pub error: Option<ProviderError>,
    /// The same as the provider wrote it: the data of the event, or the lines of the whole body.
    pub error_body: Option<Bytes>,
    /// Whether the answer is whole and no failure was reported.
    pub complete: bool,
    /// Events with data, end marks like `[DONE]` not counted.
    pub events: u64,
    /// Bytes of generated text and arguments: never less than the output tokens the caller received.
    pub output_bytes: u64,
}

impl End {
    /// The tokens that every provider counts.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.counts
    }
}

/// Passes a provider's stream on to a caller, whether in its own dialect or in another, and notes what
/// it says. Chunks may be cut anywhere.
pub trait Relay: Send {
    /// What has been seen so far. As long as nothing was passed on, an attempt may be repeated elsewhere.
    fn progress(&self) -> &Progress;

    /// Takes a chunk from the provider and appends to `out` what the caller gets now.
    ///
    /// # Errors
    /// A 502 when an event is too long; the stream must be ended then.
    fn push(&mut self, chunk: &Bytes, out: &mut Vec<Bytes>) -> Result<(), ProviderError>;

    /// The provider's stream has ended, or was given up: appends what the caller gets still, and says
    /// what the stream came to. `cut` is what the caller hears where the answer is not whole.
    fn finish(self: Box<Self>, cut: &dyn Fn() -> Refusal, out: &mut Vec<Bytes>) -> End;

    /// Whether only the transport tells if the answer is whole: nothing in it does, and nothing can be
    /// said behind it.
    fn is_raw(&self) -> bool {
        false
    }
}
