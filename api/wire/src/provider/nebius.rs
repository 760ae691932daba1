//! Nebius.

use super::{OPENAI_SHAPED, Provider};

/// Its host is that of its documentation; recorded under an older one.
pub const PROVIDER: Provider =
    Provider { name: "nebius", base_url: "https://api.studio.nebius.com/v1", ..OPENAI_SHAPED };
