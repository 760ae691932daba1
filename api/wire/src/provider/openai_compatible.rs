//! Any server that speaks OpenAI's dialect, at a base URL that an operator names.

use super::{OPENAI_SHAPED, Provider};

/// All of the field but OpenAI itself reads `max_tokens`.
pub const PROVIDER: Provider = Provider { name: "openai-compatible", ..OPENAI_SHAPED };
