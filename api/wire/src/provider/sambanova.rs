//! SambaNova.

use super::{CHAT, EMBEDDINGS, OPENAI_SHAPED, Provider};

/// Chat and embeddings are recorded under this host.
pub const PROVIDER: Provider = Provider {
    name: "sambanova",
    base_url: "https://api.sambanova.ai/v1",
    speaks: &[CHAT, EMBEDDINGS],
    ..OPENAI_SHAPED
};
