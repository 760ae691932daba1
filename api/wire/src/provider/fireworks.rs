//! Fireworks.

use super::{CHAT, COMPLETIONS, EMBEDDINGS, OPENAI_SHAPED, Provider, RERANK};

/// Recorded as `fireworks-chat` under this host and path.
pub const PROVIDER: Provider = Provider {
    name: "fireworks",
    base_url: "https://api.fireworks.ai/inference/v1",
    speaks: &[CHAT, COMPLETIONS, EMBEDDINGS, RERANK],
    ..OPENAI_SHAPED
};
