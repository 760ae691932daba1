//! One file per provider: a dialect and its quirks.

pub mod openai;
pub mod openai_compatible;

use bytes::Bytes;

use crate::call::{Call, Operation};
use crate::dialect::openai_chat::{self, StreamRelay};
use crate::provider_error::ProviderError;
use crate::relay::{Reply, StreamOptions};
use crate::splice::{self, Edits, ModelName, OutputCap, OutputField};

/// How a provider differs from its dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quirks {
    /// Whether a stream must be asked for usage with `stream_options`.
    pub ask_usage: bool,
    /// The field an output limit is inserted under.
    pub output_field: OutputField,
}

/// What is to be changed in a call for one target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rewrite<'a> {
    /// The target's name of the model.
    pub model: Option<&'a ModelName>,
    /// Output tokens per choice not to be exceeded.
    pub output_tokens_cap: Option<u64>,
}

/// A request for a provider: what to write, and how its stream must be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The body, in pieces to be written one after another.
    pub body: Vec<Bytes>,
    /// The options for [`Provider::stream`].
    pub stream: StreamOptions,
}

/// A provider. Small, synchronous, pure: bytes in, meaning out.
pub trait Provider: Sync {
    /// The name of its file here, and its kind in a configuration.
    fn name(&self) -> &'static str;

    /// How it differs from its dialect.
    fn quirks(&self) -> Quirks;

    /// What it can be asked.
    fn operations(&self) -> &'static [Operation] {
        Operation::ALL
    }

    /// The path of an operation, to be put behind the base URL, which ends in the version (`/v1`).
    fn path(&self, operation: Operation) -> &'static str {
        match operation {
            Operation::ChatCompletions => "/chat/completions",
            Operation::Completions => "/completions",
            Operation::Embeddings => "/embeddings",
            Operation::Models => "/models",
        }
    }

    /// Name and value of the header that carries the credential. The value is a secret.
    fn auth(&self, credential: &str) -> (&'static str, String) {
        ("authorization", format!("Bearer {credential}"))
    }

    /// The caller's body with the edits this provider needs; `body` is what `call` was read from.
    fn prepare(&self, call: &Call, body: &Bytes, rewrite: &Rewrite<'_>) -> Prepared {
        let Quirks { ask_usage, output_field: field } = self.quirks();
        let output_cap = rewrite.output_tokens_cap.map(|tokens| OutputCap { tokens, field });
        let edits = Edits { model: rewrite.model, ask_usage, output_cap };
        let stream = StreamOptions {
            hide_usage: edits.hides_usage(call),
            answers: call.answers,
            framing: call.framing,
        };
        Prepared { body: splice::apply(call, &edits, body), stream }
    }

    /// Reads a plain answer under a success status.
    fn reply(&self, operation: Operation, body: &[u8]) -> Reply {
        openai_chat::reply(operation, body)
    }

    /// Begins to pass a stream on.
    fn stream(&self, options: StreamOptions) -> StreamRelay {
        StreamRelay::new(options)
    }

    /// Reads an answer under an error status. `header` looks a response header up, in lower case.
    fn refusal(
        &self,
        status: u16,
        header: &dyn Fn(&str) -> Option<String>,
        body: &[u8],
        now_ms: u64,
    ) -> ProviderError {
        ProviderError::read(status, header, body, now_ms)
    }
}

/// Every provider.
pub const ALL: &[&dyn Provider] = &[&openai::OpenAi, &openai_compatible::OpenAiCompatible];

/// The provider of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static dyn Provider> {
    ALL.iter().copied().find(|provider| provider.name() == name)
}
