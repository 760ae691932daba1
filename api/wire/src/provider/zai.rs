//! Z.ai.

use super::{CHAT, OPENAI_SHAPED, Provider};

/// Takes the option that asks for usage (`zai-chat_stream-65f42b3990`); speaks Anthropic's dialect under another
/// base URL, which a second provider of kind `anthropic` may name.
pub const PROVIDER: Provider = Provider {
    name: "zai",
    base_url: "https://api.z.ai/api/paas/v4",
    speaks: &[CHAT],
    ..OPENAI_SHAPED
};
