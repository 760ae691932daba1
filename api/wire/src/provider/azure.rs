//! OpenAI on Azure, by its version 1 paths, or by the paths of deployments.

use super::{
    Auth, CHAT, COMPLETIONS, EMBEDDINGS, IMAGE_EDITS, IMAGES, KEEPS_ALL, OPENAI_SHAPED, Path,
    Provider, Quirks, RESPONSES, SPEECH, Speech, TRANSCRIPTIONS, TRANSLATIONS,
};
use crate::splice::OutputField;

/// Each resource has a host of its own. The model is the name of the deployment, and a key has a header of its own;
/// other credentials are Entra's. Reasoning models refuse `max_tokens` here, too (`azure-chat-eba5f34fdd`).
pub const PROVIDER: Provider = Provider {
    name: "azure",
    base_url: "https://{resource}.openai.azure.com/openai/v1",
    auth: Auth::Entra { key: "api-key" },
    speaks: &[
        CHAT,
        RESPONSES,
        COMPLETIONS,
        EMBEDDINGS,
        IMAGES,
        IMAGE_EDITS,
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

/// The older surface, at a base URL that ends in `/openai`: the path names the deployment, and the query of the base
/// URL the version of the API.
pub const DEPLOYMENTS: Provider = Provider {
    base_url: "https://{resource}.openai.azure.com/openai?api-version=2024-10-21",
    speaks: &[
        Speech { path: deployed("/chat/completions"), ..CHAT },
        RESPONSES,
        Speech { path: deployed("/completions"), ..COMPLETIONS },
        Speech { path: deployed("/embeddings"), ..EMBEDDINGS },
        Speech { path: deployed("/images/generations"), ..IMAGES },
        Speech { path: deployed("/images/edits"), ..IMAGE_EDITS },
        Speech { path: deployed("/audio/speech"), ..SPEECH },
        Speech { path: deployed("/audio/transcriptions"), ..TRANSCRIPTIONS },
        Speech { path: deployed("/audio/translations"), ..TRANSLATIONS },
    ],
    ..PROVIDER
};

const fn deployed(after: &'static str) -> Path {
    Path::Of { before: "/deployments/", after, stream: after }
}
