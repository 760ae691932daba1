//! What operators hear when something is refused: `application/problem+json` (RFC 9457).

use super::suggest;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

/// Why a call was refused, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// `urn:bursar:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// Short and the same for every occurrence.
    pub title: &'static str,
    /// HTTP status.
    pub status: u16,
    /// For programs.
    pub code: &'static str,
    /// What is so in this case.
    pub detail: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// With 412: log index of the object's last change; zero where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub present_index: Option<u64>,
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
    fn new(status: u16, code: &'static str, title: &'static str, detail: String) -> Self {
        Self {
            kind: format!("urn:bursar:problem:{code}"),
            title,
            status,
            code,
            detail,
            fix: None,
            errors: Vec::new(),
            present_index: None,
        }
    }

    /// Says what to do.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// 401: no token, or not the right one.
    pub fn unauthorised() -> Self {
        Self::new(
            401,
            "unauthorised",
            "not authorised",
            "this needs the admin token".to_owned(),
        )
        .fix("send `Authorization: Bearer <admin token>`; the token is admin.token of the node's configuration, or in secrets/admin-token of its data directory")
    }

    /// 404: no such object.
    pub fn not_found(what: &str, name: &str) -> Self {
        let detail = format!("there is no {what} {name:?}");
        Self::new(404, "not_found", "not found", detail)
    }

    /// 404: no such path.
    pub fn no_route(path: &str) -> Self {
        let detail = format!("there is nothing at {path}");
        Self::new(404, "no_route", "no such path", detail)
            .fix("GET /admin/v1/openapi.json lists every path")
    }

    /// 405: not with this method.
    pub fn method(method: &str, path: &str) -> Self {
        let detail = format!("{method} is not possible on {path}");
        Self::new(405, "method_not_allowed", "method not allowed", detail)
            .fix("GET /admin/v1/openapi.json lists every path with its methods")
    }

    /// 400: the body or the query cannot be read.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(400, "malformed", "malformed request", detail.into())
    }

    /// 422: readable, and one field is wrong.
    pub fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        let (field, detail) = (field.into(), detail.into());
        let mut problem = Self::new(422, "invalid", "invalid value", format!("{field}: {detail}"));
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
        problem.code = "unknown_field";
        problem.kind = "urn:bursar:problem:unknown_field".to_owned();
        problem.title = "unknown field";
        problem.errors[0].did_you_mean = near;
        problem
    }

    /// 409: the object's state, or another object, stands against it.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(409, "conflict", "conflict", detail.into())
    }

    /// 412: `If-Match` or `If-None-Match` does not hold.
    pub fn precondition(present_index: u64) -> Self {
        let detail = match present_index {
            0 => "the object does not exist".to_owned(),
            index => format!("the object was last changed at log index {index}"),
        };
        let mut problem = Self::new(412, "precondition", "precondition failed", detail)
            .fix("read the object again and repeat the change with its ETag");
        problem.present_index = Some(present_index);
        problem
    }

    /// 413: the body is too large.
    pub fn too_large(bytes_max: usize) -> Self {
        let detail = format!("the body is larger than {bytes_max} bytes");
        Self::new(413, "too_large", "body too large", detail)
    }

    /// 503: certainly not done; repeating may work.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(503, "unavailable", "not possible now", detail.into())
            .fix("nothing was changed; repeat the call, or see GET /admin/v1/cluster")
    }

    /// 504: the write may or may not have been applied.
    pub fn unknown_outcome(detail: impl Into<String>) -> Self {
        Self::new(504, "unknown_outcome", "outcome unknown", detail.into()).fix(
            "read the object with ?consistency=linearizable, then repeat the call where needed: PUT and DELETE may be repeated safely",
        )
    }

    /// 500: our fault.
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(500, "internal", "internal error", detail.into())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).expect("a problem is strings and numbers");
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match self.status {
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
