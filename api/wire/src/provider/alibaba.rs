//! Alibaba Cloud Model Studio, by its OpenAI paths.

use super::{CHAT, EMBEDDINGS, OPENAI_SHAPED, Provider};

/// The international host; other regions have hosts of their own.
pub const PROVIDER: Provider = Provider {
    name: "alibaba",
    base_url: "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
    speaks: &[CHAT, EMBEDDINGS],
    ..OPENAI_SHAPED
};
