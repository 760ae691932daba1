//! AWS Signature Version 4: a request proves that its sender knows a secret, without showing it.
//!
//! Pure: the time is an argument. The path is given as it is sent, and is encoded once more for the
//! signature, as every service but S3 has it.

use ring::{digest, hmac};
use std::fmt::Write as _;

/// The scheme, as the `authorization` header names it.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Keys of an account. Shown to nobody: no `Debug`, no `Display`.
#[derive(Clone, Copy)]
pub struct Keys<'a> {
    /// By which the account is known, e.g. `AKIA…`.
    pub access_key_id: &'a str,
    /// The secret.
    pub secret_access_key: &'a str,
    /// What temporary keys come with.
    pub session_token: Option<&'a str>,
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope<'a> {
    /// E.g. `us-east-1`.
    pub region: &'a str,
    /// The service's name for signatures, e.g. `bedrock`.
    pub service: &'a str,
}

/// A request to be signed.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// E.g. `POST`.
    pub method: &'a str,
    /// The host, with its port where that is not the scheme's own.
    pub host: &'a str,
    /// The path as it is sent, percent-encoded, e.g. `/model/nova%3A0/converse`.
    pub path: &'a str,
    /// The query as it is sent, without the `?`.
    pub query: &'a str,
    /// Further headers to be signed: names in lower case, e.g. `content-type`.
    pub headers: &'a [(&'a str, &'a str)],
}

/// The headers that make a request a signed one. Their values are secrets for minutes.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    /// `authorization`
    pub authorization: String,
    /// `x-amz-date`
    pub date: String,
    /// `x-amz-security-token`, where the keys have one.
    pub security_token: Option<String>,
}

/// Signs a request whose body is `body`, in pieces. `now_ms` is milliseconds since 1970; AWS takes five
/// minutes of difference.
#[must_use]
pub fn sign<'b>(
    request: &Request<'_>,
    body: impl IntoIterator<Item = &'b [u8]>,
    keys: Keys<'_>,
    scope: Scope<'_>,
    now_ms: u64,
) -> Signed {
    let date = crate::date::stamp(now_ms);
    let day = &date[..8];
    let (headers, names) = headers(request, &date, keys.session_token);
    let canonical = format!(
        "{}\n{}\n{}\n{headers}\n{names}\n{}",
        request.method,
        encoded_path(request.path),
        sorted_query(request.query),
        hash(body)
    );
    let Scope { region, service } = scope;
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let to_sign = format!("{ALGORITHM}\n{date}\n{scope}\n{}", hash([canonical.as_bytes()]));
    let secret = format!("AWS4{}", keys.secret_access_key);
    let key = [day, region, service, "aws4_request"]
        .iter()
        .fold(mac_key(secret.as_bytes()), |key, part| {
            mac_key(hmac::sign(&key, part.as_bytes()).as_ref())
        });
    let signature = hex(hmac::sign(&key, to_sign.as_bytes()).as_ref());
    let id = keys.access_key_id;
    Signed {
        authorization: format!(
            "{ALGORITHM} Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}"
        ),
        date,
        security_token: keys.session_token.map(str::to_owned),
    }
}

fn mac_key(bytes: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, bytes)
}

fn hash<'b>(pieces: impl IntoIterator<Item = &'b [u8]>) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    pieces.into_iter().for_each(|piece| context.update(piece));
    hex(context.finish().as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text takes all that is written to it");
        text
    })
}

/// Headers one a line, sorted by name, and their names.
fn headers(request: &Request<'_>, date: &str, token: Option<&str>) -> (String, String) {
    let mut all: Vec<(&str, &str)> = request.headers.to_vec();
    all.extend([("host", request.host), ("x-amz-date", date)]);
    all.extend(token.map(|token| ("x-amz-security-token", token)));
    all.sort_unstable();
    let mut lines = String::new();
    for (name, value) in &all {
        let value = value.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        writeln!(lines, "{name}:{value}").expect("a text takes all that is written to it");
    }
    let names: Vec<&str> = all.into_iter().map(|(name, _)| name).collect();
    (lines, names.join(";"))
}

/// The path with each of its letters encoded, the percent signs of what is encoded already among them.
fn encoded_path(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len() + 8);
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a text takes all that is written to it");
        }
    }
    if encoded.is_empty() { "/".to_owned() } else { encoded }
}

/// The query sorted by name, then by value. What is encoded stays so.
fn sorted_query(query: &str) -> String {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<(&str, &str)> =
        pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    pairs.sort_unstable();
    let pairs: Vec<String> =
        pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}
