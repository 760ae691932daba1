//! Any server that speaks OpenAI's dialect, at a base URL that an operator names.

use super::{
    CHAT, COMPLETIONS, EMBEDDINGS, IMAGE_EDITS, IMAGE_VARIATIONS, IMAGES, KEEPS_ALL, MODERATIONS,
    OPENAI_SHAPED, Provider, RERANK, RESPONSES, SPEECH, TRANSCRIPTIONS, TRANSLATIONS,
};

/// All of the field but OpenAI itself reads `max_tokens`.
pub const PROVIDER: Provider = Provider {
    name: "openai-compatible",
    speaks: &[
        CHAT,
        COMPLETIONS,
        EMBEDDINGS,
        RERANK,
        MODERATIONS,
        IMAGES,
        IMAGE_EDITS,
        IMAGE_VARIATIONS,
        SPEECH,
        TRANSCRIPTIONS,
        TRANSLATIONS,
    ],
    keeps: KEEPS_ALL,
    ..OPENAI_SHAPED
};

/// A server that speaks OpenAI's newer dialect alone.
pub(super) const RESPONDING: Provider = Provider { speaks: &[RESPONSES], ..PROVIDER };
