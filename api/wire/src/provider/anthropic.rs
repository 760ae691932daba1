//! Anthropic itself.

use super::{Auth, COUNT_TOKENS, Provider, Quirks, messages};
use crate::kept::Kept;
use crate::splice::OutputField;

/// Every request names the version of the API; one that a caller names goes before it. Streams always tell
/// their usage (`anthropic-messages_stream-cbe98c3bff`).
pub const PROVIDER: Provider = Provider {
    name: "anthropic",
    base_url: "https://api.anthropic.com/v1",
    auth: Auth::Header("x-api-key"),
    headers: &[("anthropic-version", "2023-06-01")],
    speaks: &[messages("/messages"), COUNT_TOKENS],
    quirks: Quirks { ask_usage: false, output_field: OutputField::MaxTokens, bare_calls: false },
    keeps: &[Kept::Files, Kept::MessageBatches],
};
