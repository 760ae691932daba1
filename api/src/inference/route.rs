//! Which path means what.

use super::key::Face;
use http::Method;
use wire::Operation;

/// What a path stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route<'a> {
    /// A call to a model.
    Call(Operation),
    /// The list of models.
    Models,
    /// One model, by name; the name may hold slashes.
    Model(&'a str),
    /// What a key may do and how much is left, in one of several shapes.
    Key(Face),
    /// The receipt of a request, by its id.
    Receipt(&'a str),
    /// A question about the node's health.
    Probe(Probe),
    /// Nothing here.
    Unknown,
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

/// Prefixes under which the whole surface answers as well.
const PREFIXES: [&str; 2] = ["/openai/v1", "/openai"];

/// Reads a path.
#[must_use]
pub fn route(path: &str) -> Route<'_> {
    if let Some(rest) = path.strip_prefix("/v1") {
        return operation(rest);
    }
    if let Some(rest) = PREFIXES.iter().find_map(|prefix| path.strip_prefix(prefix)) {
        return operation(rest);
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
        _ => Route::Unknown,
    }
}

fn operation(rest: &str) -> Route<'_> {
    match rest {
        "/chat/completions" => Route::Call(Operation::ChatCompletions),
        "/completions" => Route::Call(Operation::Completions),
        "/embeddings" => Route::Call(Operation::Embeddings),
        "/models" => Route::Models,
        "/key" => Route::Key(Face::Bursar),
        _ => named(rest, "/models/", Route::Model)
            .or_else(|| named(rest, "/receipts/", Route::Receipt))
            .unwrap_or(Route::Unknown),
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
            Route::Models
            | Route::Model(_)
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
            Route::Models
            | Route::Model(_)
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

    #[test]
    fn every_face_reaches_the_same_operations() {
        let cases = [
            ("/v1/chat/completions", Route::Call(Operation::ChatCompletions)),
            ("/openai/v1/chat/completions", Route::Call(Operation::ChatCompletions)),
            ("/openai/chat/completions", Route::Call(Operation::ChatCompletions)),
            ("/v1/completions", Route::Call(Operation::Completions)),
            ("/openai/embeddings", Route::Call(Operation::Embeddings)),
            ("/v1/models", Route::Models),
            ("/v1/models/openrouter/deepseek/v3", Route::Model("openrouter/deepseek/v3")),
            ("/v1/models/", Route::Unknown),
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
}
