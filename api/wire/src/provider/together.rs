//! Together.

use super::{
    CHAT, COMPLETIONS, EMBEDDINGS, IMAGES, OPENAI_SHAPED, Provider, RERANK, SPEECH, TRANSCRIPTIONS,
    TRANSLATIONS,
};
use crate::kept::Kept;

/// The last chunk of a stream tells the usage, asked for or not (`together-chat_stream-829b9d5595`).
pub const PROVIDER: Provider = Provider {
    name: "together",
    base_url: "https://api.together.xyz/v1",
    speaks: &[CHAT, COMPLETIONS, EMBEDDINGS, RERANK, IMAGES, SPEECH, TRANSCRIPTIONS, TRANSLATIONS],
    keeps: &[Kept::Files, Kept::Batches],
    ..OPENAI_SHAPED
};
