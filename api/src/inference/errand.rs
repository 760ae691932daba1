//! What is wanted of something that a provider keeps.

use super::Hints;
use super::route::Keeping;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};
use wire::Refusal;
use wire::dialect::Dialect;
use wire::kept::Shelf;

/// What is wanted of something that a provider keeps.
pub struct Errand {
    /// What errors are said in.
    pub dialect: &'static Dialect,
    /// Where it is kept.
    pub shelf: &'static Shelf,
    /// It is about one stored answer, by an id that nobody guesses.
    pub is_own: bool,
    /// The method.
    pub method: Method,
    /// Path and query, behind the version.
    pub path: String,
    /// The provider that the caller names.
    pub provider: Option<String>,
    /// The caller's headers.
    pub headers: HeaderMap,
    /// Tags and session, as the headers say.
    pub hints: Hints,
    /// What the caller finds it by.
    pub request_id: HeaderValue,
    /// The node's own id of it, which providers are told.
    pub own_id: HeaderValue,
}

/// The header, and the parameter of a query, that name a provider which keeps something.
pub const PROVIDER: &str = "x-bursar-provider";
const PROVIDER_PARAMETER: &str = "provider=";

impl Errand {
    pub(super) fn read(
        keeping: Keeping<'_>,
        head: Parts,
        (request_id, own_id): (HeaderValue, HeaderValue),
    ) -> Result<Self, Refusal> {
        let hints = Hints::read(&head.headers)?;
        let pairs = || head.uri.query().unwrap_or("").split('&').filter(|pair| !pair.is_empty());
        let in_query = pairs().find_map(|pair| pair.strip_prefix(PROVIDER_PARAMETER));
        let in_header = head.headers.get(PROVIDER).and_then(|name| name.to_str().ok());
        let provider = in_header.map(str::to_owned).or_else(|| in_query.map(decoded));
        // A key in the query is ours, and none of the provider's business.
        let ours = |pair: &&str| pair.starts_with(PROVIDER_PARAMETER) || pair.starts_with("key=");
        let query: Vec<&str> = pairs().filter(|pair| !ours(pair)).collect();
        let mut path = keeping.place.path.to_owned();
        if !query.is_empty() {
            path = format!("{path}?{}", query.join("&"));
        }
        Ok(Self {
            dialect: keeping.dialect,
            shelf: keeping.place.shelf,
            is_own: keeping.place.is_own,
            method: head.method,
            path,
            provider,
            headers: head.headers,
            hints,
            request_id,
            own_id,
        })
    }
}

/// A segment of a path as it was meant. What is encoded wrongly stands for itself.
pub(crate) fn decoded(segment: &str) -> String {
    let bytes = segment.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = segment.get(at + 1..at + 3).filter(|_| byte == b'%');
        let meant = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        plain.push(meant.unwrap_or(byte));
        at += if meant.is_some() { 3 } else { 1 };
    }
    String::from_utf8(plain).unwrap_or_else(|_| segment.to_owned())
}
