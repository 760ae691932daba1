//! Databricks, whose served models each account has under a host of its own.

use super::{CHAT, EMBEDDINGS, OPENAI_SHAPED, Provider};

/// `https://<workspace>/serving-endpoints`; the model is the name of the endpoint.
pub const PROVIDER: Provider =
    Provider { name: "databricks", speaks: &[CHAT, EMBEDDINGS], ..OPENAI_SHAPED };
