//! The router of Hugging Face.

use super::{CHAT, OPENAI_SHAPED, Provider};

/// Models are named `maker/model`, or `maker/model:host` for one host of several.
pub const PROVIDER: Provider = Provider {
    name: "huggingface",
    base_url: "https://router.huggingface.co/v1",
    speaks: &[CHAT],
    ..OPENAI_SHAPED
};
