//! DeepSeek.

use super::{CHAT, OPENAI_SHAPED, Provider, RESPONSES, messages};

/// Speaks Anthropic's dialect as well, under a path of its own. Usage of a stream is asked for
/// (`deepseek-chat_stream-a4a242f1cb`).
pub const PROVIDER: Provider = Provider {
    name: "deepseek",
    base_url: "https://api.deepseek.com",
    speaks: &[CHAT, RESPONSES, messages("/anthropic/v1/messages")],
    ..OPENAI_SHAPED
};
