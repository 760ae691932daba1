//! llama.cpp's server.

use super::{CHAT, COMPLETIONS, EMBEDDINGS, OPENAI_SHAPED, Provider, RERANK, RESPONSES};

/// Takes the option that asks for usage (`llamacpp-chat_stream-e722eaf71b`).
pub const PROVIDER: Provider = Provider {
    name: "llamacpp",
    base_url: "http://127.0.0.1:8080/v1",
    speaks: &[CHAT, RESPONSES, COMPLETIONS, EMBEDDINGS, RERANK],
    ..OPENAI_SHAPED
};
