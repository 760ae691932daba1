//! Gemini, of Google AI Studio.

use super::{Auth, Path, Provider, Quirks, Speech};
use crate::call::Operation;
use crate::dialect::{gemini, gemini_single};
use crate::splice::OutputField;

/// What stands before a model.
const MODELS: &str = "/models/";

/// The path names the model; streams are asked for as events, which tell the usage so far in each
/// (`gemini-gemini_stream-7925025246`).
pub const PROVIDER: Provider = Provider {
    name: "gemini",
    base_url: "https://generativelanguage.googleapis.com/v1beta",
    auth: Auth::Header("x-goog-api-key"),
    headers: &[],
    speaks: &[
        Speech {
            operation: Operation::ChatCompletions,
            dialect: &gemini::DIALECT,
            path: Path::Of {
                before: MODELS,
                after: ":generateContent",
                stream: ":streamGenerateContent?alt=sse",
            },
            only: None,
        },
        Speech::of_model(Operation::Embeddings, &gemini::DIALECT, (MODELS, ":batchEmbedContents")),
        Speech::of_model(Operation::Embeddings, &gemini_single::DIALECT, (MODELS, ":embedContent")),
        Speech::of_model(Operation::CountTokens, &gemini::DIALECT, (MODELS, ":countTokens")),
    ],
    quirks: Quirks { ask_usage: false, output_field: OutputField::MaxTokens, bare_calls: false },
    keeps: &[],
};
