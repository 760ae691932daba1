//! OpenAI itself.

use super::{
    CHAT, COMPLETIONS, COUNT_RESPONSES, EMBEDDINGS, IMAGE_EDITS, IMAGE_VARIATIONS, IMAGES,
    KEEPS_ALL, MODERATIONS, OPENAI_SHAPED, Provider, Quirks, RESPONSES, SPEECH, TRANSCRIPTIONS,
    TRANSLATIONS,
};
use crate::splice::OutputField;

/// Reasoning models refuse `max_tokens` (`openai-chat-4e4225f223`); all chat models take the newer field.
/// Usage in a stream comes only where it is asked for (`openai-chat_stream-d763eebc85`).
pub const PROVIDER: Provider = Provider {
    name: "openai",
    base_url: "https://api.openai.com/v1",
    speaks: &[
        CHAT,
        RESPONSES,
        COMPLETIONS,
        EMBEDDINGS,
        COUNT_RESPONSES,
        MODERATIONS,
        IMAGES,
        IMAGE_EDITS,
        IMAGE_VARIATIONS,
        SPEECH,
        TRANSCRIPTIONS,
        TRANSLATIONS,
    ],
    quirks: Quirks {
        ask_usage: true,
        output_field: OutputField::MaxCompletionTokens,
        bare_calls: false,
    },
    keeps: KEEPS_ALL,
    ..OPENAI_SHAPED
};
