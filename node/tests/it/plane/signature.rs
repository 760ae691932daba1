//! Recomputes signatures of AWS' version 4 from the bytes that came over the wire, as AWS does: nothing of the
//! signer is used.

use ring::{digest, hmac};
use std::collections::BTreeMap;

/// A request that came, with its signature taken apart.
#[derive(Debug)]
pub(crate) struct Came {
    pub(crate) line: String,
    /// By name in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Came {
    pub(crate) fn read(request: &str) -> Self {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let line = lines.next().unwrap().to_owned();
        let pair = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_lowercase(), value.to_owned())
        };
        Self { line, headers: lines.map(pair).collect(), body: body.to_owned() }
    }

    /// The path as it came.
    pub(crate) fn path(&self) -> &str {
        self.line.split(' ').nth(1).unwrap()
    }

    /// Checks the signature; the key's id and the scope it names.
    pub(crate) fn signed_by(&self, secret: &str) -> (String, String) {
        let text = self.headers["authorization"].strip_prefix("AWS4-HMAC-SHA256 ").unwrap();
        let field = |name: &str| {
            let found = text.split(", ").find_map(|part| part.strip_prefix(name)).unwrap();
            found.strip_prefix('=').unwrap().to_owned()
        };
        let (credential, names, signature) =
            (field("Credential"), field("SignedHeaders"), field("Signature"));
        let (id, scope) = credential.split_once('/').unwrap();
        let named: Vec<&str> = names.split(';').collect();
        let mut sorted = named.clone();
        sorted.sort_unstable();
        assert_eq!(named, sorted, "names of signed headers are sorted");
        // AWS refuses a request whose own headers are not all signed.
        let own = self.headers.keys().filter(|name| name.starts_with("x-amz"));
        for name in own.map(String::as_str).chain(["host", "content-type"]) {
            assert!(named.contains(&name), "{name} is not signed: {names}");
        }
        let lines: String =
            named.iter().map(|name| format!("{name}:{}\n", self.headers[*name].trim())).collect();
        let (path, query) = self.path().split_once('?').unwrap_or((self.path(), ""));
        let canonical = format!(
            "POST\n{}\n{query}\n{lines}\n{names}\n{}",
            path.replace('%', "%25"),
            hex(digest::digest(&digest::SHA256, self.body.as_bytes()).as_ref())
        );
        let date = &self.headers["x-amz-date"];
        let hashed = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashed}");
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in scope.split('/').chain([to_sign.as_str()]) {
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes());
            key = tag.as_ref().to_vec();
        }
        assert_eq!(hex(&key), signature, "{canonical}");
        let (day, scope) = scope.split_once('/').unwrap();
        assert_eq!(day, &date[..8]);
        (id.to_owned(), scope.to_owned())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
