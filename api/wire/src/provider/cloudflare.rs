//! Workers AI.

use super::{CHAT, EMBEDDINGS, OPENAI_SHAPED, Provider};

/// Each account has a path of its own: `https://api.cloudflare.com/client/v4/accounts/<account>/ai/v1`.
pub const PROVIDER: Provider =
    Provider { name: "cloudflare", speaks: &[CHAT, EMBEDDINGS], ..OPENAI_SHAPED };
