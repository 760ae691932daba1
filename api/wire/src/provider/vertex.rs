//! Gemini and Claude on Vertex.

use super::{Auth, Path, Provider, Quirks, Speech};
use crate::call::Operation;
use crate::dialect::{anthropic_vertex, gemini};
use crate::splice::OutputField;

/// The name of the provider.
pub(super) const NAME: &str = "vertex";

/// Each project and location has a path of its own. A credential is an account of Google's, or a token, or an API
/// key where the base URL is `https://aiplatform.googleapis.com/v1`. The maker of a model stands before it.
pub const PROVIDER: Provider = Provider {
    name: NAME,
    base_url: "https://{region}-aiplatform.googleapis.com/v1/projects/{project}/locations/{region}",
    auth: Auth::Google,
    headers: &[],
    speaks: &[
        Speech {
            operation: Operation::ChatCompletions,
            dialect: &gemini::DIALECT,
            path: Path::Of {
                before: "/publishers/google/models/",
                after: ":generateContent",
                stream: ":streamGenerateContent?alt=sse",
            },
            only: None,
        },
        Speech {
            operation: Operation::ChatCompletions,
            dialect: &anthropic_vertex::DIALECT,
            path: Path::Of {
                before: "/publishers/anthropic/models/",
                after: ":rawPredict",
                stream: ":streamRawPredict",
            },
            only: Some("claude"),
        },
    ],
    quirks: Quirks { ask_usage: false, output_field: OutputField::MaxTokens, bare_calls: false },
};

/// Locations that are no single region have hosts of another form.
pub(super) fn regional(url: &str) -> String {
    let hosts = [
        ("https://global-aiplatform.googleapis.com", "https://aiplatform.googleapis.com"),
        ("https://us-aiplatform.googleapis.com", "https://aiplatform.us.rep.googleapis.com"),
        ("https://eu-aiplatform.googleapis.com", "https://aiplatform.eu.rep.googleapis.com"),
    ];
    let found = hosts.iter().find_map(|(plain, host)| Some((host, url.strip_prefix(plain)?)));
    found.map_or_else(|| url.to_owned(), |(host, rest)| format!("{host}{rest}"))
}
