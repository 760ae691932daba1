//! What a request asks for that changes its price, told without a second pass over bodies that say
//! nothing of it.

use crate::json::{Fields, Malformed, Scanner, unescape};
use crate::usage::{Service, Usage};

/// Keys that name a class of service, by the dialects that have one.
const KEYS: [&[u8]; 2] = [b"service_tier", b"serviceTier"];

/// What a request asks for beyond its answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wishes {
    /// The class of service; `None` where it is left to the provider, which may serve at any.
    pub service: Option<Service>,
    /// Whether tokens may be written to a prompt cache for an hour.
    pub hour_cache: bool,
}

impl Wishes {
    /// Reads a body. Whatever cannot be told for sure is taken for what costs more.
    #[must_use]
    pub fn read(body: &[u8]) -> Self {
        let has = |text: &[u8]| memchr::memmem::find(body, text).is_some();
        let names_service = KEYS.into_iter().any(has);
        Self {
            service: if names_service { service(body) } else { None },
            // A word may be spelled with escapes.
            hour_cache: has(b"1h") || has(b"\\u00"),
        }
    }
}

/// The class of service that the body's own members name; the dearest where they disagree.
fn service(body: &[u8]) -> Option<Service> {
    let (mut met, mut found) = (0_u32, None);
    let mut scanner = Scanner::new(body);
    let read = scanner.object(|scanner, member| {
        let span = scanner.value()?;
        if KEYS.contains(&&*member.key) {
            met += 1;
            found = named_by(scanner.slice(&span));
        }
        Ok::<(), Malformed>(())
    });
    match (read, met) {
        (Ok(_), 0) => None,
        (Ok(_), 1) => found,
        _ => Some(Service::Other),
    }
}

/// What was used, with the class of service that an answer names beside it.
pub(crate) fn served(usage: Option<Usage>, answer: &Fields<'_>) -> Option<Usage> {
    let named = ["service_tier", "serviceTier"].into_iter().filter_map(|key| answer.get(key));
    let service = named.filter_map(|value| named_by(value.as_bytes())).next();
    usage.map(|usage| Usage { service: service.or(usage.service), ..usage })
}

/// The class of service of a value: a text, or Bedrock's object with a `type`.
fn named_by(value: &[u8]) -> Option<Service> {
    if value.first() == Some(&b'"') {
        return unescape(value).map_or(Some(Service::Other), |word| Service::named(&word));
    }
    if value == b"null" {
        return None;
    }
    let text = std::str::from_utf8(value).ok()?;
    let kind = Fields::read(text).ok().and_then(|mut fields| fields.text("type"));
    kind.map_or(Some(Service::Other), |word| Service::named(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_of_service_is_believed_where_it_is_the_bodys_own_and_said_once() {
        let cases = [
            (r#"{"model":"m"}"#, None),
            (r#"{"service_tier":"auto"}"#, None),
            (r#"{"service_tier":null}"#, None),
            (r#"{"service_tier":"default"}"#, Some(Service::Standard)),
            (r#"{"service_tier":"fl\u0065x"}"#, Some(Service::Flex)),
            (r#"{"serviceTier":{"type":"priority"}}"#, Some(Service::Priority)),
            (r#"{"service_tier":"default","service_tier":"priority"}"#, Some(Service::Other)),
            (r#"{"service_tier":7}"#, Some(Service::Other)),
            (r#"{"metadata":{"service_tier":"default"}}"#, None),
            // Spelled so, nobody here sees it: it is left to the provider.
            (r#"{"service\u005ftier":"default"}"#, None),
        ];
        for (body, service) in cases {
            assert_eq!(Wishes::read(body.as_bytes()).service, service, "{body}");
        }
    }

    #[test]
    fn an_hour_in_the_cache_is_seen_also_where_it_is_spelled_with_escapes() {
        let cases = [
            (r#"{"cache_control":{"type":"ephemeral"}}"#, false),
            (r#"{"cache_control":{"type":"ephemeral","ttl":"1h"}}"#, true),
            (r#"{"cache_control":{"type":"ephemeral","ttl":"\u0031h"}}"#, true),
        ];
        for (body, hour) in cases {
            assert_eq!(Wishes::read(body.as_bytes()).hour_cache, hour, "{body}");
        }
    }
}
