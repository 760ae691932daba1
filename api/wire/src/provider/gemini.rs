//! Gemini, of Google AI Studio.

use super::{Auth, Path, Provider, Quirks, Speech};
use crate::call::Operation;
use crate::dialect::gemini;
use crate::splice::OutputField;

/// The path names the model; streams are asked for as events, which tell the usage so far in each
/// (`gemini-gemini_stream-7925025246`).
pub const PROVIDER: Provider = Provider {
    name: "gemini",
    base_url: "https://generativelanguage.googleapis.com/v1beta",
    auth: Auth::Header("x-goog-api-key"),
    headers: &[],
    speaks: &[Speech {
        operation: Operation::ChatCompletions,
        dialect: &gemini::DIALECT,
        path: Path::Of {
            before: "/models/",
            after: ":generateContent",
            stream: ":streamGenerateContent?alt=sse",
        },
        only: None,
    }],
    quirks: Quirks { ask_usage: false, output_field: OutputField::MaxTokens, bare_calls: false },
};
