//! OpenAI on Azure, by its version 1 paths.

use super::{Auth, CHAT, COMPLETIONS, EMBEDDINGS, OPENAI_SHAPED, Provider, Quirks, RESPONSES};
use crate::splice::OutputField;

/// Each resource has a host of its own: `https://<resource>.openai.azure.com/openai/v1`. The model is the name
/// of the deployment, and the key has a header of its own. Reasoning models refuse `max_tokens` here, too
/// (`azure-chat-eba5f34fdd`).
pub const PROVIDER: Provider = Provider {
    name: "azure",
    auth: Auth::Header("api-key"),
    speaks: &[CHAT, RESPONSES, COMPLETIONS, EMBEDDINGS],
    quirks: Quirks {
        ask_usage: true,
        output_field: OutputField::MaxCompletionTokens,
        bare_calls: false,
    },
    ..OPENAI_SHAPED
};
