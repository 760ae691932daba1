//! SGLang.

use super::{CHAT, COMPLETIONS, EMBEDDINGS, OPENAI_SHAPED, Provider, RERANK};

/// Needs a key only where it was started with one.
pub const PROVIDER: Provider = Provider {
    name: "sglang",
    base_url: "http://127.0.0.1:30000/v1",
    speaks: &[CHAT, COMPLETIONS, EMBEDDINGS, RERANK],
    ..OPENAI_SHAPED
};
