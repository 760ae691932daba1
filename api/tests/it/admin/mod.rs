//! The operators' side over a stand-in that keeps everything in memory.

mod bodies;
mod conditions;
mod documented;
mod moves;
mod pages;
mod people;
mod probes;
mod tokens;
mod twin;
mod write_offs;

use axum::body::{Body, to_bytes};
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;
use std::sync::Arc;
use tower::ServiceExt;
use twin::{TOKEN, Twin};

/// Largest answer read.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// The surface over a fresh stand-in.
struct Surface {
    twin: Arc<Twin>,
}

/// An answer, read whole.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Surface {
    fn new() -> Self {
        Self { twin: Arc::new(Twin::default()) }
    }

    /// Asks with the right token.
    async fn ask(&self, method: Method, path: &str, body: &str) -> Answer {
        self.ask_with(method, path, body, &[]).await
    }

    /// Asks with the right token and further headers.
    async fn ask_with(
        &self,
        method: Method,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let token = format!("Bearer {TOKEN}");
        let mut all = vec![("authorization", token.as_str())];
        all.extend_from_slice(headers);
        self.ask_bare(method, path, body, &all).await
    }

    /// Asks with nothing but what is given.
    async fn ask_bare(
        &self,
        method: Method,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let router = api::admin::router(Arc::clone(&self.twin));
        let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
        let bytes = to_bytes(body, ANSWER_BYTES_MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, "").await
    }

    async fn put(&self, path: &str, body: &str) -> Answer {
        self.ask(Method::PUT, path, body).await
    }
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Status and code of a problem; checks that it is one.
    fn problem(&self) -> (u16, String) {
        let json = self.json();
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert_eq!(json["status"], self.status.as_u16());
        let code = json["code"].as_str().unwrap().to_owned();
        assert_eq!(json["type"], format!("urn:bursar:problem:{code}"));
        assert!(!json["title"].as_str().unwrap().is_empty());
        (self.status.as_u16(), code)
    }
}
