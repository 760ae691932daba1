//! Where a provider is asked and with which headers, made ready once: what its kind says, and what its operator
//! says otherwise.

use crate::credential::Family;
use crate::vault::Secret;
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT,
};
use http::uri::Uri;
use http::{HeaderMap, uri::InvalidUri};
use ledger::Provider;
use std::collections::BTreeMap;
use wire::Operation;
use wire::provider::{Path, Speech, encode};

/// Stands for the model in an operator's path.
const MODEL: &str = "{model}";
/// Stands for the credential in an operator's header.
const SECRET: &str = "{secret}";
/// Behind an operation: its path where a stream is wanted.
const STREAM: &str = ".stream";

/// How a provider is spoken to: as its kind is at such a base URL, or in the dialect that its operator names.
///
/// # Errors
///
/// A kind or dialect that nobody knows.
pub(crate) fn spoken(
    provider: &Provider,
    base_path: &str,
) -> Result<&'static wire::provider::Provider, String> {
    if let Some(dialect) = &provider.overrides.dialect {
        let known = wire::provider::speaking(dialect);
        return known.ok_or_else(|| format!("no dialect {dialect} is known"));
    }
    let kind = wire::provider::named(&provider.kind);
    let kind = kind.ok_or_else(|| format!("no provider of kind {} is known", provider.kind))?;
    Ok(kind.at(base_path))
}

/// The paths of a provider.
pub(super) struct Paths {
    /// The path of the base URL, without a slash at its end.
    base: String,
    /// The query of the base URL, which goes with every path.
    query: Option<String>,
    /// Whole paths of what names no model in its path, ready.
    fixed: Vec<(&'static str, Uri)>,
    own: Vec<Own>,
}

/// An operator's path.
struct Own {
    operation: Operation,
    /// Only where a stream is wanted.
    stream: bool,
    before: String,
    /// What stands behind the model; `None`: the path names none.
    after: Option<String>,
}

impl Own {
    fn path(&self, model: &str) -> String {
        let mut path = self.before.clone();
        if let Some(after) = &self.after {
            encode(model, &mut path);
            path.push_str(after);
        }
        path
    }
}

impl Paths {
    /// # Errors
    ///
    /// What makes no path, or belongs to no operation.
    pub(super) fn new(
        base: &Uri,
        speaks: &'static [Speech],
        own: &BTreeMap<String, String>,
    ) -> Result<Self, String> {
        let own = own.iter().map(|(name, path)| own_path(name, path)).collect::<Result<_, _>>()?;
        let mut paths = Self {
            base: base.path().trim_end_matches('/').to_owned(),
            query: base.query().map(str::to_owned),
            fixed: Vec::new(),
            own,
        };
        for speech in speaks {
            if let Path::Is(path) = speech.path {
                paths.fixed.push((path, paths.whole(path)?));
            }
        }
        Ok(paths)
    }

    /// Where a model is asked.
    ///
    /// # Errors
    ///
    /// A name that makes no path.
    pub(super) fn uri(&self, speech: &Speech, model: &str, stream: bool) -> Result<Uri, String> {
        if !self.own.is_empty() {
            let of_it = |own: &&Own| own.operation == speech.operation;
            let mut own = self.own.iter().filter(of_it).filter(|own| stream || !own.stream);
            // What is for streams alone goes before what is for both.
            if let Some(own) = own.clone().find(|own| own.stream).or_else(|| own.next()) {
                return self.whole(&own.path(model));
            }
        }
        if let Path::Is(path) = speech.path
            && let Some((_, uri)) = self.fixed.iter().find(|(fixed, _)| *fixed == path)
        {
            return Ok(uri.clone());
        }
        self.whole(&speech.path(model, stream))
    }

    pub(super) fn whole(&self, path: &str) -> Result<Uri, String> {
        let Self { base, query, .. } = self;
        let whole = match query {
            None => format!("{base}{path}"),
            Some(query) => {
                let joint = if path.contains('?') { '&' } else { '?' };
                format!("{base}{path}{joint}{query}")
            }
        };
        whole.parse().map_err(|error: InvalidUri| error.to_string())
    }
}

/// Reads an operator's path: `chat_completions` or `chat_completions.stream`, and `/v9/{model}/chat`.
fn own_path(name: &str, path: &str) -> Result<Own, String> {
    let (operation, stream) =
        name.strip_suffix(STREAM).map_or((name, false), |operation| (operation, true));
    let known = Operation::ALL.iter().copied().find(|known| known.name() == operation);
    let operation = known.ok_or_else(|| format!("no operation {operation} is known"))?;
    let (before, after) = match path.split_once(MODEL) {
        Some((before, after)) => (before, Some(after.to_owned())),
        None => (path, None),
    };
    Ok(Own { operation, stream, before: before.to_owned(), after })
}

/// Whether an operator's paths can be read.
///
/// # Errors
///
/// Which cannot.
pub(crate) fn check_paths(paths: &BTreeMap<String, String>) -> Result<(), String> {
    paths.iter().try_for_each(|(name, path)| own_path(name, path).map(|_| ()))
}

/// The headers that all requests with one credential have.
///
/// # Errors
///
/// A credential that no header can carry.
pub(super) fn head(
    host: HeaderValue,
    fixed: &[(&'static str, &'static str)],
    auth: Option<(&'static str, String)>,
) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::with_capacity(12);
    headers.insert(HOST, host);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let agent = concat!("bursar/", env!("CARGO_PKG_VERSION"));
    headers.insert(USER_AGENT, HeaderValue::from_static(agent));
    for (name, value) in fixed {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Some((name, value)) = auth {
        let value = hidden(&value)?;
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap_or(AUTHORIZATION);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// Puts an operator's headers into a head. One that carries the credential takes the place of the one that the kind
/// shows it in.
///
/// # Errors
///
/// What makes no header.
pub(super) fn own_headers(
    own: &BTreeMap<String, String>,
    secret: Option<&Secret>,
    head: &mut HeaderMap,
) -> Result<(), String> {
    if own.values().any(|value| value.contains(SECRET)) {
        if secret.is_some_and(Family::issues) {
            return Err("what is issued for a while has a header of its own".to_owned());
        }
        let shown = head.iter().find(|(_, value)| value.is_sensitive());
        if let Some(name) = shown.map(|(name, _)| name.clone()) {
            head.remove(name);
        }
    }
    for (name, value) in own {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
        let value = match secret {
            Some(secret) if value.contains(SECRET) => {
                hidden(&value.replace(SECRET, secret.expose().trim()))?
            }
            Some(_) | None => HeaderValue::from_str(value).map_err(|error| error.to_string())?,
        };
        head.insert(name, value);
    }
    Ok(())
}

/// A value that nobody may see in a log.
fn hidden(value: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| "a credential holds characters a header cannot carry".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn an_operators_path_goes_before_that_of_the_kind() {
        let speaks = wire::provider::named("openai-compatible").unwrap().speaks;
        let own = owned(&[
            ("chat_completions", "/c"),
            ("chat_completions.stream", "/s/{model}/x"),
            ("embeddings", "/e?a=b"),
        ]);
        let base: Uri = "http://h/v1?key=1".parse().unwrap();
        let paths = Paths::new(&base, speaks, &own).unwrap();
        let at = |operation, stream| {
            let speech = speaks.iter().find(|speech| speech.operation == operation).unwrap();
            paths.uri(speech, "a/b", stream).unwrap().to_string()
        };
        assert_eq!(at(Operation::ChatCompletions, false), "/v1/c?key=1");
        assert_eq!(at(Operation::ChatCompletions, true), "/v1/s/a%2Fb/x?key=1");
        assert_eq!(at(Operation::Embeddings, false), "/v1/e?a=b&key=1");
        assert_eq!(at(Operation::Completions, false), "/v1/completions?key=1");
        assert!(check_paths(&owned(&[("chat", "/c")])).is_err());
    }

    #[test]
    fn a_credential_may_stand_in_a_header_of_the_operators() {
        let secret = Secret::new("s3\n".to_owned());
        let host = HeaderValue::from_static("h");
        let auth = Some(("authorization", "Bearer s3".to_owned()));
        let mut head = head(host, &[("anthropic-version", "1")], auth).unwrap();
        let own = owned(&[("x-mine", "Token {secret}"), ("anthropic-version", "2")]);
        own_headers(&own, Some(&secret), &mut head).unwrap();
        assert_eq!(
            (&head["x-mine"], head.get(AUTHORIZATION)),
            (&HeaderValue::from_static("Token s3"), None)
        );
        assert!(head["x-mine"].is_sensitive());
        assert_eq!(head["anthropic-version"], "2");
        let issued = Secret::new("default".to_owned());
        assert!(own_headers(&own, Some(&issued), &mut head).is_err());
    }
}
