//! Ollama, by its OpenAI paths.

use super::{OPENAI_SHAPED, Provider};

/// Takes the option that asks for usage (`ollama-chat_stream-4da2bb8d26`) and needs no key on a machine of one's own.
pub const PROVIDER: Provider =
    Provider { name: "ollama", base_url: "http://127.0.0.1:11434/v1", ..OPENAI_SHAPED };
