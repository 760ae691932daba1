//! Fireworks.

use super::{OPENAI_SHAPED, Provider};

/// Recorded as `fireworks-chat` under this host and path.
pub const PROVIDER: Provider = Provider {
    name: "fireworks",
    base_url: "https://api.fireworks.ai/inference/v1",
    ..OPENAI_SHAPED
};
