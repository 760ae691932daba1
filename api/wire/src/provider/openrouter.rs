//! OpenRouter, which passes requests on to others.

use super::{OPENAI_SHAPED, Provider};

/// Models are named `maker/model`. Streams tell their usage where it is asked for
/// (`openrouter-chat_stream-e67db4b67c`).
pub const PROVIDER: Provider =
    Provider { name: "openrouter", base_url: "https://openrouter.ai/api/v1", ..OPENAI_SHAPED };
