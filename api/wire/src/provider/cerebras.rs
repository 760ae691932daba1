//! Cerebras.

use super::{CHAT, COMPLETIONS, OPENAI_SHAPED, Provider};

/// Takes the option that asks for usage (`cerebras-chat_stream-e77cd1fa8a`); sends no `[DONE]`.
pub const PROVIDER: Provider = Provider {
    name: "cerebras",
    base_url: "https://api.cerebras.ai/v1",
    speaks: &[CHAT, COMPLETIONS],
    ..OPENAI_SHAPED
};
