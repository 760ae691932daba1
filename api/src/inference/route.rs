//! Which path means what.

use super::key::Face;
use super::models;
use http::Method;
use wire::dialect::{
    Dialect, anthropic_messages, bedrock_converse, bedrock_invoke, cohere_chat, gemini,
    gemini_single, openai_chat, openai_responses, vertex_predict,
};
use wire::frame::Framing;
use wire::kept::{Kept, Place};
use wire::{Asked, Operation};

/// What a path stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route<'a> {
    /// A call to a model.
    Call(Ask<'a>),
    /// The list of models, in one of several shapes.
    Models(models::Face),
    /// One model, by name; the name may hold slashes.
    Model(models::Face, &'a str),
    /// What a key may do and how much is left, in one of several shapes.
    Key(Face),
    /// The receipt of a request, by its id.
    Receipt(&'a str),
    /// Something that a provider keeps.
    Kept(Keeping<'a>),
    /// A question about the node's health.
    Probe(Probe),
    /// Nothing here.
    Unknown,
}

/// Something that a provider keeps, and the dialect in which it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeping<'a> {
    /// What errors are said in.
    pub dialect: &'static Dialect,
    /// Where it is kept.
    pub place: Place<'a>,
}

/// A call, as far as its path says: the dialect that its body is in, and what stands in no body. A model
/// in it is still encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask<'a> {
    /// What it is said in.
    pub dialect: &'static Dialect,
    /// What the path says.
    pub asked: Asked<'a>,
}

/// A question about the node's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Is the process alive? Never depends on peers or upstreams.
    Live,
    /// Should it get traffic?
    Ready,
    /// Has it started?
    Started,
}

/// Prefixes of other gateways and of frameworks, under which the whole surface answers as well.
const HOUSES: [&str; 4] = ["/litellm", "/langchain", "/pydanticai", "/cursor"];
/// Prefixes of OpenAI's surface.
const OPENAI: [&str; 3] = ["/v1", "/openai/v1", "/openai"];
/// Prefixes of Anthropic's.
const ANTHROPIC: [&str; 2] = ["/anthropic/v1", "/anthropic"];
/// Prefixes of Cohere's.
const COHERE: [&str; 2] = ["/cohere/v2", "/cohere"];
/// Prefixes of Gemini's.
const GEMINI: [&str; 4] = ["/genai/v1beta", "/genai/v1", "/genai", "/v1beta"];
/// Prefixes of Bedrock's.
const BEDROCK: [&str; 1] = ["/bedrock"];

/// Reads a path that is asked for with a method: a chat is posted where stored ones are listed.
#[must_use]
pub fn asked<'a>(method: &Method, path: &'a str) -> Route<'a> {
    let found = route(path);
    let reads = method == Method::GET || method == Method::HEAD;
    match found {
        Route::Call(_) if reads && path.ends_with("/chat/completions") => {
            kept("/chat/completions", &openai_chat::DIALECT).unwrap_or(found)
        }
        found => found,
    }
}

/// Reads a path.
#[must_use]
pub fn route(path: &str) -> Route<'_> {
    if let Some(rest) = behind(path, &OPENAI) {
        return operation(rest);
    }
    if let Some(rest) = behind(path, &ANTHROPIC) {
        return anthropic(rest);
    }
    if let Some(rest) = behind(path, &BEDROCK) {
        return bedrock(rest);
    }
    if let Some(rest) = behind(path, &GEMINI) {
        return generate(rest);
    }
    if let Some(rest) = behind(path, &COHERE) {
        return cohere(rest);
    }
    match path {
        "/api/v1/key" | "/api/v1/auth/key" => Route::Key(Face::OpenRouterKey),
        "/api/v1/credits" => Route::Key(Face::OpenRouterCredits),
        "/api/governance/virtual-keys/quota" => Route::Key(Face::Bifrost),
        "/key/info" | "/litellm/key/info" => Route::Key(Face::LiteLlm),
        "/livez" | "/healthz" | "/health/liveliness" | "/health/liveness" => {
            Route::Probe(Probe::Live)
        }
        "/readyz" | "/health" | "/health/readiness" => Route::Probe(Probe::Ready),
        "/startupz" => Route::Probe(Probe::Started),
        _ => behind(path, &HOUSES).map_or(Route::Unknown, in_house),
    }
}

/// The dialect in which a path's refusals are said.
#[must_use]
pub(super) fn dialect(path: &str) -> &'static Dialect {
    let inner = behind(path, &HOUSES).unwrap_or(path);
    match route(inner) {
        Route::Call(ask) => ask.dialect,
        Route::Kept(keeping) => keeping.dialect,
        _ if behind(inner, &ANTHROPIC).is_some() => &anthropic_messages::DIALECT,
        _ if behind(inner, &BEDROCK).is_some() => &bedrock_converse::DIALECT,
        _ if behind(inner, &GEMINI).is_some() => &gemini::DIALECT,
        _ if behind(inner, &COHERE).is_some() => &cohere_chat::DIALECT,
        _ => &openai_chat::DIALECT,
    }
}

/// What stands behind the first prefix that is one of whole segments.
fn behind<'a>(path: &'a str, prefixes: &[&str]) -> Option<&'a str> {
    let rest = |prefix: &&str| path.strip_prefix(prefix).filter(|rest| rest.starts_with('/'));
    prefixes.iter().find_map(rest)
}

/// Under another house's prefix there is the whole surface, and OpenAI's without its version.
fn in_house(path: &str) -> Route<'_> {
    match route(path) {
        Route::Unknown => operation(path),
        found => found,
    }
}

fn anthropic(rest: &str) -> Route<'_> {
    match rest {
        "/messages" => MESSAGES,
        "/messages/count_tokens" => COUNT_TOKENS,
        _ => kept(rest, &anthropic_messages::DIALECT)
            .unwrap_or_else(|| models(rest, models::Face::Anthropic)),
    }
}

/// The list of models, or one of them.
fn models(rest: &str, face: models::Face) -> Route<'_> {
    match rest {
        "/models" => Route::Models(face),
        _ => named(rest, "/models/", |name| Route::Model(face, name)).unwrap_or(Route::Unknown),
    }
}

/// Cohere's first version has the list of models only; of the rest the second goes.
fn cohere(rest: &str) -> Route<'_> {
    let call = |operation| {
        Route::Call(Ask { dialect: &cohere_chat::DIALECT, asked: Asked::of(operation) })
    };
    match rest {
        "/chat" => call(Operation::ChatCompletions),
        "/embed" => call(Operation::Embeddings),
        "/rerank" => call(Operation::Rerank),
        _ => models(rest.strip_prefix("/v1").unwrap_or(rest), models::Face::Cohere),
    }
}

/// Something that a provider keeps, by what stands behind the version.
fn kept<'a>(rest: &'a str, dialect: &'static Dialect) -> Option<Route<'a>> {
    let place = wire::kept::find(rest)?;
    let messages = place.shelf.kept == Kept::MessageBatches;
    let dialect = if messages { &anthropic_messages::DIALECT } else { dialect };
    Some(Route::Kept(Keeping { dialect, place }))
}

/// `/model/{id}/{verb}`; an id that is an ARN may have slashes.
fn bedrock(rest: &str) -> Route<'_> {
    let named = rest.strip_prefix("/model/").and_then(|rest| rest.rsplit_once('/'));
    let Some((model, verb)) = named.filter(|(model, _)| !model.is_empty()) else {
        return Route::Unknown;
    };
    let (dialect, operation, stream) = match verb {
        "converse" => (&bedrock_converse::DIALECT, Operation::ChatCompletions, false),
        "converse-stream" => (&bedrock_converse::DIALECT, Operation::ChatCompletions, true),
        "count-tokens" => (&bedrock_converse::DIALECT, Operation::CountTokens, false),
        "invoke" => (&bedrock_invoke::DIALECT, Operation::ChatCompletions, false),
        "invoke-with-response-stream" => {
            (&bedrock_invoke::DIALECT, Operation::ChatCompletions, true)
        }
        _ => return Route::Unknown,
    };
    let asked = Asked { model: Some(model), stream: Some(stream), ..Asked::of(operation) };
    Route::Call(Ask { dialect, asked })
}

const MESSAGES: Route<'static> = Route::Call(Ask {
    dialect: &anthropic_messages::DIALECT,
    asked: Asked::of(Operation::ChatCompletions),
});

/// `/models/{model}:{verb}`; a model that is named with its provider has slashes. Where it has, some callers
/// leave `models/` out.
fn generate(rest: &str) -> Route<'_> {
    let named = rest.strip_prefix('/').and_then(|rest| rest.rsplit_once(':'));
    let named = named.map(|(name, verb)| (name.strip_prefix("models/").unwrap_or(name), verb));
    let found = named.and_then(|(model, verb)| Some((model, verb_of_gemini(verb)?)));
    let Some((model, (operation, stream, dialect))) = found else {
        return models(rest, models::Face::Gemini);
    };
    if model.is_empty() {
        return Route::Unknown;
    }
    let asked = Asked { model: Some(model), stream: Some(stream), ..Asked::of(operation) };
    Route::Call(Ask { dialect, asked })
}

/// What is asked, whether a stream is wanted, and how it is said. A name may hold a colon, too.
fn verb_of_gemini(verb: &str) -> Option<(Operation, bool, &'static Dialect)> {
    Some(match verb {
        "generateContent" => (Operation::ChatCompletions, false, &gemini::DIALECT),
        "streamGenerateContent" => (Operation::ChatCompletions, true, &gemini::DIALECT),
        "countTokens" => (Operation::CountTokens, false, &gemini::DIALECT),
        "batchEmbedContents" => (Operation::Embeddings, false, &gemini::DIALECT),
        "embedContent" => (Operation::Embeddings, false, &gemini_single::DIALECT),
        "predict" => (Operation::Embeddings, false, &vertex_predict::DIALECT),
        _ => return None,
    })
}

impl Ask<'_> {
    /// With what the query says: a stream of Gemini is one JSON array unless `alt=sse` stands there.
    #[must_use]
    pub fn with_query(mut self, query: &str) -> Self {
        let streams = self.asked.stream == Some(true) && self.takes_key_of_query();
        if streams && !query.split('&').any(|pair| pair == "alt=sse") {
            self.asked.framing = Some(Framing::JsonArray);
        }
        self
    }

    /// Whether its callers may carry their key in the query.
    #[must_use]
    pub fn takes_key_of_query(&self) -> bool {
        [gemini::NAME, gemini_single::NAME, vertex_predict::NAME].contains(&self.dialect.name)
    }
}

const RESPONSES: Route<'static> = Route::Call(Ask {
    dialect: &openai_responses::DIALECT,
    asked: Asked::of(Operation::ChatCompletions),
});

const COUNT_RESPONSES: Route<'static> = Route::Call(Ask {
    dialect: &openai_responses::DIALECT,
    asked: Asked::of(Operation::CountTokens),
});

const COUNT_TOKENS: Route<'static> = Route::Call(Ask {
    dialect: &anthropic_messages::DIALECT,
    asked: Asked::of(Operation::CountTokens),
});

/// A call of OpenAI's.
fn openai(operation: Operation) -> Route<'static> {
    Route::Call(Ask { dialect: &openai_chat::DIALECT, asked: Asked::of(operation) })
}

fn operation(rest: &str) -> Route<'_> {
    match rest {
        "/chat/completions" => openai(Operation::ChatCompletions),
        "/completions" => openai(Operation::Completions),
        "/embeddings" => openai(Operation::Embeddings),
        "/rerank" => openai(Operation::Rerank),
        "/moderations" => openai(Operation::Moderations),
        "/images/generations" => openai(Operation::Images),
        "/images/edits" => openai(Operation::ImageEdits),
        "/images/variations" => openai(Operation::ImageVariations),
        "/audio/speech" => openai(Operation::Speech),
        "/audio/transcriptions" => openai(Operation::Transcriptions),
        "/audio/translations" => openai(Operation::Translations),
        "/responses" => RESPONSES,
        "/responses/input_tokens" => COUNT_RESPONSES,
        "/messages" => MESSAGES,
        "/messages/count_tokens" => COUNT_TOKENS,
        "/key" => Route::Key(Face::Bursar),
        _ => named(rest, "/receipts/", Route::Receipt)
            .or_else(|| kept(rest, &openai_chat::DIALECT))
            .unwrap_or_else(|| models(rest, models::Face::OpenAi)),
    }
}

/// What stands behind a prefix, where anything does.
fn named<'a>(
    rest: &'a str,
    prefix: &str,
    route: impl Fn(&'a str) -> Route<'a>,
) -> Option<Route<'a>> {
    rest.strip_prefix(prefix).filter(|name| !name.is_empty()).map(route)
}

impl Route<'_> {
    /// Methods it answers to; `None` where there is nothing.
    #[must_use]
    pub fn allow(&self) -> Option<&'static str> {
        match self {
            Route::Call(_) => Some("POST"),
            Route::Kept(keeping) => Some(keeping.place.shelf.allow),
            Route::Models(_)
            | Route::Model(..)
            | Route::Key(_)
            | Route::Receipt(_)
            | Route::Probe(_) => Some("GET, HEAD"),
            Route::Unknown => None,
        }
    }

    /// Whether it answers to `method`.
    #[must_use]
    pub fn takes(&self, method: &Method) -> bool {
        match self {
            Route::Call(_) => method == Method::POST,
            Route::Kept(keeping) => {
                keeping.place.shelf.allow.split(", ").any(|allowed| allowed == method.as_str())
            }
            Route::Models(_)
            | Route::Model(..)
            | Route::Key(_)
            | Route::Receipt(_)
            | Route::Probe(_) => method == Method::GET || method == Method::HEAD,
            Route::Unknown => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: Route<'static> = Route::Models(models::Face::OpenAi);

    fn cohere_call(operation: Operation) -> Route<'static> {
        Route::Call(Ask { dialect: &cohere_chat::DIALECT, asked: Asked::of(operation) })
    }

    fn google<'a>(dialect: &'static Dialect, operation: Operation, model: &'a str) -> Route<'a> {
        let asked = Asked { model: Some(model), stream: Some(false), ..Asked::of(operation) };
        Route::Call(Ask { dialect, asked })
    }

    fn converse(model: &str, stream: bool) -> Route<'_> {
        let asked = Asked::of(Operation::ChatCompletions);
        let asked = Asked { model: Some(model), stream: Some(stream), ..asked };
        Route::Call(Ask { dialect: &bedrock_converse::DIALECT, asked })
    }

    fn invoke(model: &str, stream: bool) -> Route<'_> {
        let asked = Asked::of(Operation::ChatCompletions);
        let asked = Asked { model: Some(model), stream: Some(stream), ..asked };
        Route::Call(Ask { dialect: &bedrock_invoke::DIALECT, asked })
    }

    fn generates(model: &str, stream: bool) -> Route<'_> {
        let asked = Asked::of(Operation::ChatCompletions);
        let asked = Asked { model: Some(model), stream: Some(stream), ..asked };
        Route::Call(Ask { dialect: &gemini::DIALECT, asked })
    }

    #[test]
    fn every_face_reaches_the_same_operations() {
        let cases = [
            ("/v1/chat/completions", openai(Operation::ChatCompletions)),
            ("/openai/v1/chat/completions", openai(Operation::ChatCompletions)),
            ("/openai/chat/completions", openai(Operation::ChatCompletions)),
            ("/v1/completions", openai(Operation::Completions)),
            ("/openai/embeddings", openai(Operation::Embeddings)),
            ("/v1/moderations", openai(Operation::Moderations)),
            ("/v1/images/generations", openai(Operation::Images)),
            ("/openai/images/edits", openai(Operation::ImageEdits)),
            ("/litellm/v1/images/variations", openai(Operation::ImageVariations)),
            ("/openai/v1/audio/speech", openai(Operation::Speech)),
            ("/v1/audio/transcriptions", openai(Operation::Transcriptions)),
            ("/langchain/audio/translations", openai(Operation::Translations)),
            ("/v1/messages", MESSAGES),
            ("/openai/v1/responses", RESPONSES),
            ("/cursor/responses", RESPONSES),
            ("/bedrock/model/m%3A0/converse-stream", converse("m%3A0", true)),
            ("/litellm/bedrock/model/a:b/c/converse", converse("a:b/c", false)),
            ("/bedrock/model/m/invoke", invoke("m", false)),
            ("/bedrock/model/a:b/c/invoke-with-response-stream", invoke("a:b/c", true)),
            ("/cohere/v2/chat", cohere_call(Operation::ChatCompletions)),
            ("/cohere/v2/embed", cohere_call(Operation::Embeddings)),
            ("/litellm/cohere/v2/rerank", cohere_call(Operation::Rerank)),
            ("/cohere/v1/models", Route::Models(models::Face::Cohere)),
            ("/cohere/v2/models/up/m", Route::Model(models::Face::Cohere, "up/m")),
            ("/v1/rerank", openai(Operation::Rerank)),
            ("/litellm/rerank", openai(Operation::Rerank)),
            ("/v1/responses/input_tokens", COUNT_RESPONSES),
            ("/cohere/v1/chat", Route::Unknown),
            ("/genai/v1beta/models/up/m:generateContent", generates("up/m", false)),
            ("/genai/v1beta/up/m:generateContent", generates("up/m", false)),
            ("/genai/v1beta/models/:generateContent", Route::Unknown),
            ("/v1beta/models/m:1:streamGenerateContent", generates("m:1", true)),
            ("/genai/v1beta/models/m", Route::Model(models::Face::Gemini, "m")),
            ("/genai/v1beta/models/up/m:1", Route::Model(models::Face::Gemini, "up/m:1")),
            ("/v1beta/models", Route::Models(models::Face::Gemini)),
            (
                "/genai/v1beta/models/up/m:countTokens",
                google(&gemini::DIALECT, Operation::CountTokens, "up/m"),
            ),
            (
                "/v1beta/models/m:batchEmbedContents",
                google(&gemini::DIALECT, Operation::Embeddings, "m"),
            ),
            (
                "/v1beta/models/m:embedContent",
                google(&gemini_single::DIALECT, Operation::Embeddings, "m"),
            ),
            (
                "/v1beta/models/m:predict",
                google(&vertex_predict::DIALECT, Operation::Embeddings, "m"),
            ),
            ("/bedrock/model//converse", Route::Unknown),
            ("/bedrock/model/m/other", Route::Unknown),
            ("/anthropic/v1/messages", MESSAGES),
            ("/v1/messages/count_tokens", COUNT_TOKENS),
            ("/anthropic/v1/models", Route::Models(models::Face::Anthropic)),
            ("/anthropical/v1/messages", Route::Unknown),
            ("/litellm/v1/messages", MESSAGES),
            ("/pydanticai/anthropic/v1/messages", MESSAGES),
            ("/langchain/chat/completions", openai(Operation::ChatCompletions)),
            ("/cursor/v1/embeddings", openai(Operation::Embeddings)),
            ("/litellm/key/info", Route::Key(Face::LiteLlm)),
            ("/v1/models", LIST),
            (
                "/v1/models/openrouter/deepseek/v3",
                Route::Model(models::Face::OpenAi, "openrouter/deepseek/v3"),
            ),
            ("/v1/models/", Route::Unknown),
            ("/cursor", Route::Unknown),
            ("/v1/key", Route::Key(Face::Bursar)),
            ("/api/v1/auth/key", Route::Key(Face::OpenRouterKey)),
            ("/api/governance/virtual-keys/quota", Route::Key(Face::Bifrost)),
            ("/key/info", Route::Key(Face::LiteLlm)),
            ("/v1/receipts/rct-1", Route::Receipt("rct-1")),
            ("/v1/receipts/", Route::Unknown),
            ("/v1", Route::Unknown),
            ("/v1/chat/completions/", Route::Unknown),
            ("/", Route::Unknown),
            ("/livez", Route::Probe(Probe::Live)),
            ("/health/readiness", Route::Probe(Probe::Ready)),
            ("/startupz", Route::Probe(Probe::Started)),
        ];
        for (path, expected) in cases {
            assert_eq!(route(path), expected, "{path}");
        }
    }
    #[test]
    fn refusals_are_said_in_the_dialect_of_the_path() {
        let cases = [
            ("/v1/chat/completions", "openai_chat"),
            ("/v1/messages", "anthropic_messages"),
            ("/anthropic/v1/nothing", "anthropic_messages"),
            ("/litellm/anthropic/v1/messages", "anthropic_messages"),
            ("/v1/responses", "openai_responses"),
            ("/bedrock/nothing", "bedrock_converse"),
            ("/nothing", "openai_chat"),
        ];
        for (path, name) in cases {
            assert_eq!(dialect(path).name, name, "{path}");
        }
    }
}
