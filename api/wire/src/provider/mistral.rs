//! Mistral.

use super::{CHAT, EMBEDDINGS, MODERATIONS, OPENAI_SHAPED, Provider, Quirks, TRANSCRIPTIONS};
use crate::kept::Kept;
use crate::splice::OutputField;

/// Calls come without a type (`mistral-chat-a84089798a`) and some in streams without a number
/// (`mistral-chat_stream-82b56fc94c`). Streams tell their usage unasked (`mistral-chat_stream-6890922b4d`), and fields that it does not know are
/// refused: `stream_options` is one.
pub const PROVIDER: Provider = Provider {
    name: "mistral",
    base_url: "https://api.mistral.ai/v1",
    speaks: &[CHAT, EMBEDDINGS, MODERATIONS, TRANSCRIPTIONS],
    quirks: Quirks { ask_usage: false, output_field: OutputField::MaxTokens, bare_calls: true },
    keeps: &[Kept::Files],
    ..OPENAI_SHAPED
};
