//! vLLM.

use super::{CHAT, COMPLETIONS, EMBEDDINGS, OPENAI_SHAPED, Provider, RERANK};

/// Needs a key only where it was started with one. Streams tell their usage where it is asked for.
pub const PROVIDER: Provider = Provider {
    name: "vllm",
    base_url: "http://127.0.0.1:8000/v1",
    speaks: &[CHAT, COMPLETIONS, EMBEDDINGS, RERANK],
    ..OPENAI_SHAPED
};
