//! Together.

use super::{OPENAI_SHAPED, Provider};

/// The last chunk of a stream tells the usage, asked for or not (`together-chat_stream-829b9d5595`).
pub const PROVIDER: Provider =
    Provider { name: "together", base_url: "https://api.together.xyz/v1", ..OPENAI_SHAPED };
