//! Reading what operators send, strictly: an unknown field is a mistake, and the mistake has a name.

use super::Problem;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::request::Parts;
use serde::de::DeserializeOwned;

/// Largest body taken, in bytes.
pub(super) const BODY_BYTES_MAX: usize = 1 << 20;

/// A JSON body. An absent body is an empty object.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes =
            Bytes::from_request(request, state).await.map_err(|rejection| {
                match rejection.status().as_u16() {
                    413 => Problem::too_large(BODY_BYTES_MAX),
                    _ => Problem::malformed(rejection.body_text()),
                }
            })?;
        let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        parse(bytes).map(Self)
    }
}

/// Query parameters.
pub(super) struct Query<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        match query {
            Ok(query) => Ok(Self(query.0)),
            Err(rejection) => {
                let said = rejection.body_text();
                Err(from_serde("", &said).unwrap_or_else(|| Problem::malformed(said)))
            }
        }
    }
}

/// Reads JSON and says where and why it is wrong.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value: T = serde_path_to_error::deserialize(&mut json).map_err(|e| {
        let path = e.path().to_string();
        let path = if path == "." { String::new() } else { path };
        let error = e.into_inner();
        match error.classify() {
            serde_json::error::Category::Data => data_problem(&path, &error),
            _ => Problem::malformed(format!("the body is not JSON: {error}")),
        }
    })?;
    json.end().map_err(|e| Problem::malformed(format!("the body goes on after the JSON: {e}")))?;
    Ok(value)
}

fn data_problem(path: &str, error: &serde_json::Error) -> Problem {
    let said = error.to_string();
    let said = said.split_once(" at line ").map_or(said.as_str(), |(said, _)| said);
    from_serde(path, said).unwrap_or_else(|| match path {
        "" => Problem::malformed(format!("the body is not what is expected: {said}")),
        path => Problem::invalid(path, said),
    })
}

/// Finds serde's "unknown field `x`, expected ..." in what it said.
fn from_serde(path: &str, said: &str) -> Option<Problem> {
    let (_, rest) = said.split_once("unknown field `")?;
    let (field, expected) = rest.split_once('`')?;
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let at = match path {
        "" => field.to_owned(),
        // The path ends in the field itself where serde had entered it.
        path if path == field || path.ends_with(&format!(".{field}")) => path.to_owned(),
        path => format!("{path}.{field}"),
    };
    Some(Problem::unknown_field(&at, field, &known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        inner: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        weight: Option<u32>,
        #[expect(dead_code, reason = "only its name matters")]
        height: Option<u32>,
    }

    fn problem(text: &str) -> Problem {
        parse::<Outer>(text.as_bytes()).map(|o| o.inner[0].weight).unwrap_err()
    }

    #[test]
    fn an_unknown_field_is_named_with_its_path_and_a_suggestion() {
        let said = problem(r#"{"inner":[{"wieght":1}]}"#);
        assert_eq!(said.status(), 422);
        assert_eq!(said.errors()[0].field, "inner[0].wieght");
        assert_eq!(said.errors()[0].did_you_mean.as_deref(), Some("weight"));
        let said = problem(r#"{"iner":[]}"#);
        assert_eq!(said.errors()[0].field, "iner");
        assert_eq!(said.errors()[0].did_you_mean.as_deref(), Some("inner"));
    }

    #[test]
    fn a_wrong_type_is_named_with_its_path() {
        let said = problem(r#"{"inner":[{"weight":"heavy"}]}"#);
        assert_eq!((said.status(), said.errors()[0].field.as_str()), (422, "inner[0].weight"));
        assert_eq!(said.errors()[0].detail, "invalid type: string \"heavy\", expected u32");
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        for text in ["{", "nonsense", r#"{"inner":[]} trailing"#] {
            assert_eq!(parse::<Outer>(text.as_bytes()).unwrap_err().status(), 400, "{text}");
        }
    }
}
