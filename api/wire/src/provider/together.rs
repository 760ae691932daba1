//! Together.

use super::{CHAT, COMPLETIONS, EMBEDDINGS, OPENAI_SHAPED, Provider, RERANK};

/// The last chunk of a stream tells the usage, asked for or not (`together-chat_stream-829b9d5595`).
pub const PROVIDER: Provider = Provider {
    name: "together",
    base_url: "https://api.together.xyz/v1",
    speaks: &[CHAT, COMPLETIONS, EMBEDDINGS, RERANK],
    ..OPENAI_SHAPED
};
