//! Moonshot.

use super::{CHAT, OPENAI_SHAPED, Provider};

/// Recorded as `moonshot-chat`.
pub const PROVIDER: Provider = Provider {
    name: "moonshot",
    base_url: "https://api.moonshot.ai/v1",
    speaks: &[CHAT],
    ..OPENAI_SHAPED
};
