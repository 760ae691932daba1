//! What operators hear when something is refused: `application/problem+json` (RFC 9457).

use super::suggest;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// One kind of refusal.
#[derive(Debug, PartialEq, Eq)]
struct Kind {
    status: u16,
    code: &'static str,
    title: &'static str,
}

macro_rules! kinds {
    ($($name:ident: $status:literal $code:literal $title:literal;)*) => {
        $(static $name: Kind = Kind { status: $status, code: $code, title: $title };)*
    };
}

kinds! {
    MALFORMED: 400 "malformed" "malformed request";
    UNAUTHORISED: 401 "unauthorised" "not authorised";
    NOT_FOUND: 404 "not_found" "not found";
    NO_ROUTE: 404 "no_route" "no such path";
    METHOD: 405 "method_not_allowed" "method not allowed";
    CONFLICT: 409 "conflict" "conflict";
    PRECONDITION: 412 "precondition" "precondition failed";
    TOO_LARGE: 413 "too_large" "body too large";
    INVALID: 422 "invalid" "invalid value";
    UNKNOWN_FIELD: 422 "unknown_field" "unknown field";
    INTERNAL: 500 "internal" "internal error";
    UNAVAILABLE: 503 "unavailable" "not possible now";
    UNKNOWN_OUTCOME: 504 "unknown_outcome" "outcome unknown";
}

/// Why a call was refused, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    kind: &'static Kind,
    detail: String,
    fix: Option<String>,
    errors: Vec<FieldError>,
    present_index: Option<u64>,
}

/// A problem as it is sent.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
struct Sent<'a> {
    /// `urn:bursar:problem:` and the code.
    r#type: String,
    /// Short and the same for every occurrence.
    title: &'a str,
    /// HTTP status.
    status: u16,
    /// For programs.
    code: &'a str,
    /// What is so in this case.
    detail: &'a str,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<&'a str>,
    /// The fields that are wrong.
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    errors: &'a [FieldError],
    /// With 412: log index of the object's last change; zero where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    present_index: Option<u64>,
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sent = Sent {
            r#type: format!("urn:bursar:problem:{}", self.kind.code),
            title: self.kind.title,
            status: self.kind.status,
            code: self.kind.code,
            detail: &self.detail,
            fix: self.fix.as_deref(),
            errors: &self.errors,
            present_index: self.present_index,
        };
        sent.serialize(serializer)
    }
}

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        Sent::schema()
    }
}

impl ToSchema for Problem {
    fn name() -> Cow<'static, str> {
        "Problem".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Sent::schemas(schemas);
    }
}

/// One field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Path of the field, as `models[0].price`.
    pub field: String,
    /// What is wrong with it.
    pub detail: String,
    /// The name that was probably meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub did_you_mean: Option<String>,
}

impl Problem {
    fn new(kind: &'static Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), fix: None, errors: Vec::new(), present_index: None }
    }

    /// HTTP status.
    pub fn status(&self) -> u16 {
        self.kind.status
    }

    /// What is so in this case.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The fields that are wrong.
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// With 412: log index of the object's last change; zero where there is none.
    pub fn present_index(&self) -> Option<u64> {
        self.present_index
    }

    /// Says what to do.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// 401: no token, or not the right one.
    pub fn unauthorised() -> Self {
        Self::new(&UNAUTHORISED, "this needs the admin token",
        )
        .fix("send `Authorization: Bearer <admin token>`; the token is admin.token of the node's configuration, or in secrets/admin-token of its data directory")
    }

    /// 404: no such object.
    pub fn not_found(what: &str, name: &str) -> Self {
        let detail = format!("there is no {what} {name:?}");
        Self::new(&NOT_FOUND, detail)
    }

    /// 404: no such path.
    pub fn no_route(path: &str) -> Self {
        let detail = format!("there is nothing at {path}");
        Self::new(&NO_ROUTE, detail).fix("GET /admin/v1/openapi.json lists every path")
    }

    /// 405: not with this method.
    pub fn method(method: &str, path: &str) -> Self {
        let detail = format!("{method} is not possible on {path}");
        Self::new(&METHOD, detail)
            .fix("GET /admin/v1/openapi.json lists every path with its methods")
    }

    /// 400: the body or the query cannot be read.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(&MALFORMED, detail)
    }

    /// 422: readable, and one field is wrong.
    pub fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        let (field, detail) = (field.into(), detail.into());
        let mut problem = Self::new(&INVALID, format!("{field}: {detail}"));
        problem.errors.push(FieldError { field, detail, did_you_mean: None });
        problem
    }

    /// 422: a field nobody knows.
    pub(super) fn unknown_field(path: &str, field: &str, known: &[&str]) -> Self {
        let near = suggest(field, known).map(str::to_owned);
        let say = match &near {
            Some(near) => format!("unknown field, did you mean {near}?"),
            None => format!("unknown field, expected one of {}", known.join(", ")),
        };
        let mut problem = Self::invalid(path, say);
        problem.kind = &UNKNOWN_FIELD;
        problem.errors[0].did_you_mean = near;
        problem
    }

    /// 409: the object's state, or another object, stands against it.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(&CONFLICT, detail)
    }

    /// 412: `If-Match` or `If-None-Match` does not hold.
    pub fn precondition(present_index: u64) -> Self {
        let detail = match present_index {
            0 => "the object does not exist".to_owned(),
            index => format!("the object was last changed at log index {index}"),
        };
        let mut problem = Self::new(&PRECONDITION, detail)
            .fix("read the object again and repeat the change with its ETag");
        problem.present_index = Some(present_index);
        problem
    }

    /// 413: the body is too large.
    pub fn too_large(bytes_max: usize) -> Self {
        let detail = format!("the body is larger than {bytes_max} bytes");
        Self::new(&TOO_LARGE, detail)
    }

    /// 503: certainly not done; repeating may work.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(&UNAVAILABLE, detail)
            .fix("nothing was changed; repeat the call, or see GET /admin/v1/cluster")
    }

    /// 504: the write may or may not have been applied.
    pub fn unknown_outcome(detail: impl Into<String>) -> Self {
        Self::new(&UNKNOWN_OUTCOME, detail).fix(
            "read the object with ?consistency=linearizable, then repeat the call where needed: PUT and DELETE may be repeated safely",
        )
    }

    /// 500: our fault.
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(&INTERNAL, detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).expect("a problem is strings and numbers");
        let status =
            StatusCode::from_u16(self.kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match self.kind.status {
            401 => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            503 => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}
