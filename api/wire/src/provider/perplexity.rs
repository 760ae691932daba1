//! Perplexity.

use super::{CHAT, OPENAI_SHAPED, Provider, Quirks};
use crate::splice::OutputField;

/// Every chunk of a stream tells the usage so far, unasked (`perplexity-chat_stream-f25056d747`).
pub const PROVIDER: Provider = Provider {
    name: "perplexity",
    base_url: "https://api.perplexity.ai",
    speaks: &[CHAT],
    quirks: Quirks { ask_usage: false, output_field: OutputField::MaxTokens, bare_calls: false },
    ..OPENAI_SHAPED
};
