//! Ollama, by its OpenAI paths, or by its own.

use super::{OPENAI_SHAPED, Path, Provider, Quirks, Speech};
use crate::call::Operation;
use crate::dialect::ollama_chat;

/// Takes the option that asks for usage (`ollama-chat_stream-4da2bb8d26`) and needs no key on a machine of one's own.
pub const PROVIDER: Provider =
    Provider { name: "ollama", base_url: "http://127.0.0.1:11434/v1", ..OPENAI_SHAPED };

/// Its own API, at a base URL that does not end in `/v1`: thinking comes apart from the answer, and the options of the
/// model can be said.
pub const NATIVE: Provider = Provider {
    base_url: "http://127.0.0.1:11434",
    speaks: &[Speech {
        operation: Operation::ChatCompletions,
        dialect: &ollama_chat::DIALECT,
        path: Path::Is("/api/chat"),
        only: None,
    }],
    quirks: Quirks { ask_usage: false, ..OPENAI_SHAPED.quirks },
    ..PROVIDER
};
