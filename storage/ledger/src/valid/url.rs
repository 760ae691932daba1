//! Where providers and webhooks are.

use super::{invalid, managed_by, name};
use crate::{Denial, Webhook};

/// Longest URL.
pub const URL_BYTES_MAX: usize = 2048;

/// `http://` or `https://`, a host, no credentials or fragment, and no slash at the end of the path. A query
/// goes with every request.
pub(super) fn base_url(url: &str) -> Result<(), Denial> {
    absolute("base_url", url)?;
    let (path, query) = url.split_once('?').unwrap_or((url, "-"));
    if path.ends_with('/') {
        return invalid("base_url", "ends with a slash");
    }
    if query.is_empty() || query.contains('?') {
        return invalid("base_url", "holds an empty query or two");
    }
    Ok(())
}

/// A webhook: its URL may have a query, and end as it likes.
pub(crate) fn webhook(webhook: &Webhook) -> Result<(), Denial> {
    name("name", &webhook.name)?;
    managed_by(&webhook.managed_by)?;
    absolute("url", &webhook.url)
}

/// `http://` or `https://`, a host, no credentials, no fragment.
fn absolute(field: &'static str, url: &str) -> Result<(), Denial> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let Some(rest) = rest else {
        return invalid(field, "does not begin with http:// or https://");
    };
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    let reason = if url.len() > URL_BYTES_MAX {
        "is longer than 2048 bytes"
    } else if authority.is_empty() || authority.starts_with(':') {
        "has no host"
    } else if authority.contains('@') {
        "holds credentials; they have their own field"
    } else if url.contains(['#', '\\']) || !url.bytes().all(|b| b.is_ascii_graphic()) {
        "holds a fragment, a backslash or a blank"
    } else {
        return Ok(());
    };
    invalid(field, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls_are_plain_and_end_without_a_slash() {
        for good in [
            "https://api.openai.com/v1",
            "http://127.0.0.1:9000",
            "http://[::1]:80/v1",
            "https://a.openai.azure.com/openai?api-version=2024-10-21",
        ] {
            assert_eq!(base_url(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "ftp://a",
            "https://",
            "https:///v1",
            "https://:80",
            "https://a/",
            "https://u:p@a/v1",
            "https://a/v1/?x=1",
            "https://a/v1?",
            "https://a/v1?x=1?y",
            "https://a/v 1",
            "api.openai.com/v1",
        ] {
            assert!(base_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_webhook_may_have_a_query_and_never_credentials() {
        let put = |url: &str| absolute("url", url);
        for good in ["https://hooks.example/", "http://127.0.0.1:9000/a?team=ops", "https://h?a=b"]
        {
            assert_eq!(put(good), Ok(()), "{good}");
        }
        for bad in ["hooks.example", "https://", "https://?a", "https://u:p@h/", "https://h/#a"] {
            assert!(put(bad).is_err(), "{bad}");
        }
    }
}
