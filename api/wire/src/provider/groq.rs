//! Groq.

use super::{CHAT, OPENAI_SHAPED, Provider, SPEECH, TRANSCRIPTIONS, TRANSLATIONS};
use crate::kept::Kept;

/// Usage of a stream comes in `x_groq` unasked (`groq-chat_stream-5eaebcee26`) and in a chunk of its own where
/// it is asked for (`groq-chat_stream-074392a407`).
pub const PROVIDER: Provider = Provider {
    name: "groq",
    base_url: "https://api.groq.com/openai/v1",
    speaks: &[CHAT, SPEECH, TRANSCRIPTIONS, TRANSLATIONS],
    keeps: &[Kept::Files, Kept::Batches],
    ..OPENAI_SHAPED
};
