//! Signatures as an independent signer makes them.

use serde::Deserialize;
use std::collections::BTreeMap;
use wire::sign::{Keys, Request, Scope, sign};

#[derive(Deserialize)]
struct Case {
    name: String,
    method: String,
    host: String,
    path: String,
    query: String,
    headers: BTreeMap<String, String>,
    body: String,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    region: String,
    service: String,
    now_ms: u64,
    authorization: String,
    date: String,
}

#[test]
fn requests_are_signed_as_botocore_signs_them() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../sigv4/cases.json")).unwrap();
    assert_eq!(cases.len(), 6);
    for case in cases {
        let headers: Vec<(&str, &str)> =
            case.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let request = Request {
            method: &case.method,
            host: &case.host,
            path: &case.path,
            query: &case.query,
            headers: &headers,
        };
        let keys = Keys {
            access_key_id: &case.access_key_id,
            secret_access_key: &case.secret_access_key,
            session_token: case.session_token.as_deref(),
        };
        let scope = Scope { region: &case.region, service: &case.service };
        // The body comes in pieces, which must make no difference.
        let (one, two) = case.body.as_bytes().split_at(case.body.len() / 3);
        let signed = sign(&request, [one, two], keys, scope, case.now_ms);
        assert_eq!(signed.authorization, case.authorization, "{}", case.name);
        assert_eq!(signed.date, case.date, "{}", case.name);
        assert_eq!(signed.security_token, case.session_token, "{}", case.name);
    }
}
