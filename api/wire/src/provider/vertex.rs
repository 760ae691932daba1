//! Gemini and Claude on Vertex.

use super::{Auth, Path, Provider, Quirks, Speech};
use crate::call::Operation;
use crate::dialect::{anthropic_vertex, gemini, gemini_single, vertex_predict};
use crate::splice::OutputField;

/// The name of the provider.
pub(super) const NAME: &str = "vertex";

/// What stands before a model of Google's.
const MODELS: &str = "/publishers/google/models/";

/// Each project and location has a path of its own. A credential is an account of Google's, or a token, or an API
/// key where the base URL is `https://aiplatform.googleapis.com/v1`. The maker of a model stands before it. Texts are
/// embedded by predict, by newer models alone (`vertex-embeddings-a64f171d34`).
pub const PROVIDER: Provider = Provider {
    name: NAME,
    base_url: "https://{region}-aiplatform.googleapis.com/v1/projects/{project}/locations/{region}",
    auth: Auth::Google,
    headers: &[],
    speaks: &[
        Speech {
            operation: Operation::ChatCompletions,
            dialect: &gemini::ON_VERTEX,
            path: Path::Of {
                before: MODELS,
                after: ":generateContent",
                stream: ":streamGenerateContent?alt=sse",
            },
            only: None,
        },
        Speech { only: Some("claude"), ..RAW_PREDICT },
        Speech {
            only: Some("gemini-embedding-2"),
            ..Speech::of_model(
                Operation::Embeddings,
                &gemini_single::DIALECT,
                (MODELS, ":embedContent"),
            )
        },
        Speech::of_model(Operation::Embeddings, &vertex_predict::DIALECT, (MODELS, ":predict")),
        Speech {
            only: Some("gemini"),
            ..Speech::of_model(Operation::CountTokens, &gemini::ON_VERTEX, (MODELS, ":countTokens"))
        },
    ],
    quirks: Quirks { ask_usage: false, output_field: OutputField::MaxTokens, bare_calls: false },
    keeps: &[],
};

const RAW_PREDICT: Speech = Speech {
    operation: Operation::ChatCompletions,
    dialect: &anthropic_vertex::DIALECT,
    path: Path::Of {
        before: "/publishers/anthropic/models/",
        after: ":rawPredict",
        stream: ":streamRawPredict",
    },
    only: None,
};

/// A server that speaks Vertex' form of Anthropic's dialect alone.
pub(super) const CLAUDE: Provider = Provider { speaks: &[RAW_PREDICT], ..PROVIDER };

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
