//! Voyage.

use super::{OPENAI_SHAPED, Provider, Speech};
use crate::call::Operation;
use crate::dialect::voyage;

/// The count of tokens is given as a total alone (`voyageai-embeddings-0fc4ea40d5`), and the best documents are
/// asked for as `top_k` (`voyageai-rerank-c16151961b`).
pub const PROVIDER: Provider = Provider {
    name: "voyage",
    base_url: "https://api.voyageai.com/v1",
    speaks: &[
        Speech::at(Operation::Embeddings, &voyage::DIALECT, "/embeddings"),
        Speech::at(Operation::Rerank, &voyage::DIALECT, "/rerank"),
    ],
    ..OPENAI_SHAPED
};
