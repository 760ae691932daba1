//! xAI.

use super::{CHAT, IMAGE_EDITS, IMAGES, OPENAI_SHAPED, Provider, RESPONSES, messages};
use crate::kept::Kept;

/// Takes both fields for an output limit (`xai-chat-6e8570cf5a`, `xai-chat-025817ea73`) and the option that asks for usage
/// (`xai-chat_stream-3be5882326`).
pub const PROVIDER: Provider = Provider {
    name: "xai",
    base_url: "https://api.x.ai/v1",
    speaks: &[CHAT, RESPONSES, messages("/messages"), IMAGES, IMAGE_EDITS],
    keeps: &[Kept::Responses, Kept::Files, Kept::Batches],
    ..OPENAI_SHAPED
};
