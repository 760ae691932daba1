//! Gemini on Vertex.

use super::{Auth, Path, Provider, Quirks, Speech};
use crate::call::Operation;
use crate::dialect::gemini;
use crate::splice::OutputField;

/// Each project and location has a path of its own:
/// `https://<location>-aiplatform.googleapis.com/v1/projects/<project>/locations/<location>`. A credential is a token.
pub const PROVIDER: Provider = Provider {
    name: "vertex",
    base_url: "",
    auth: Auth::Bearer,
    headers: &[],
    speaks: &[Speech {
        operation: Operation::ChatCompletions,
        dialect: &gemini::DIALECT,
        path: Path::Of {
            before: "/publishers/google/models/",
            after: ":generateContent",
            stream: ":streamGenerateContent?alt=sse",
        },
        only: None,
    }],
    quirks: Quirks { ask_usage: false, output_field: OutputField::MaxTokens, bare_calls: false },
};
