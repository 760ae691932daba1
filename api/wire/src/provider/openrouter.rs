//! OpenRouter, which passes requests on to others.

use super::{CHAT, COMPLETIONS, EMBEDDINGS, OPENAI_SHAPED, Provider, RERANK, RESPONSES};

/// Models are named `maker/model`. Streams tell their usage where it is asked for
/// (`openrouter-chat_stream-e67db4b67c`).
pub const PROVIDER: Provider = Provider {
    name: "openrouter",
    base_url: "https://openrouter.ai/api/v1",
    speaks: &[CHAT, RESPONSES, COMPLETIONS, EMBEDDINGS, RERANK],
    ..OPENAI_SHAPED
};
