//! Where a virtual key may be carried.

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// Headers that may carry a key, first one that is present and not empty wins.
const CARRIERS: [&str; 5] =
    ["x-bf-vk", AUTHORIZATION_NAME, "x-api-key", "api-key", "x-goog-api-key"];
const AUTHORIZATION_NAME: &str = "authorization";

/// The key a caller presents, if any.
#[must_use]
pub fn presented(headers: &HeaderMap) -> Option<&str> {
    CARRIERS.iter().find_map(|name| {
        let value = headers.get(*name)?.to_str().ok()?.trim();
        let key = if *name == AUTHORIZATION_NAME { bearer(value)? } else { value };
        (!key.is_empty()).then_some(key)
    })
}

/// What follows `Bearer `, in any case.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim_start())
}

/// Whether a header is one that may carry a key: none of them goes to a provider.
#[must_use]
pub fn carries_key(name: &http::HeaderName) -> bool {
    name == AUTHORIZATION || CARRIERS.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (http::HeaderName::from_static(name), HeaderValue::from_static(value))
            })
            .collect()
    }

    #[test]
    fn the_key_is_found_in_the_documented_order() {
        type Case = (&'static [(&'static str, &'static str)], Option<&'static str>);
        let cases: [Case; 9] = [
            (&[], None),
            (&[("authorization", "Bearer k1")], Some("k1")),
            (&[("authorization", "bearer  k1 ")], Some("k1")),
            (&[("authorization", "Basic k1")], None),
            (&[("authorization", "Bearer")], None),
            (&[("authorization", "Bearer k1"), ("x-bf-vk", "k2")], Some("k2")),
            (&[("api-key", "k3"), ("x-api-key", "k4"), ("x-goog-api-key", "k5")], Some("k4")),
            (&[("authorization", "Bearer "), ("api-key", "k3")], Some("k3")),
            (&[("x-bf-vk", ""), ("x-goog-api-key", "k5")], Some("k5")),
        ];
        for (pairs, key) in cases {
            assert_eq!(presented(&headers(pairs)), key, "{pairs:?}");
        }
    }
}
