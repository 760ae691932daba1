//! Cohere, by the second version of its API.

use super::{Auth, Provider, Quirks, Speech};
use crate::call::Operation;
use crate::dialect::cohere_chat;
use crate::splice::OutputField;

/// Streams tell their usage at the end, unasked (`cohere-cohere_chat_stream-3d7e2693b4`).
pub const PROVIDER: Provider = Provider {
    name: "cohere",
    base_url: "https://api.cohere.com/v2",
    auth: Auth::Bearer,
    headers: &[],
    speaks: &[
        Speech::at(Operation::ChatCompletions, &cohere_chat::DIALECT, "/chat"),
        Speech::at(Operation::Embeddings, &cohere_chat::DIALECT, "/embed"),
        Speech::at(Operation::Rerank, &cohere_chat::DIALECT, "/rerank"),
    ],
    quirks: Quirks { ask_usage: false, output_field: OutputField::MaxTokens, bare_calls: false },
    keeps: &[],
};
