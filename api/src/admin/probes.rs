//! What load balancers and Prometheus ask: health and metrics, without a token.

use super::Admin;
use super::read_body::Query;
use super::{Answer, Problem, Read};
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::sync::Arc;
use utoipa::ToSchema;

/// One condition, and whether it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// Whether it holds.
    pub ok: bool,
    /// What is so, or what is missing.
    pub detail: String,
}

/// What a node says of its health.
pub trait Probes {
    /// Whether the process works; depends on nobody else. Empty: nothing to check.
    fn live(&self) -> Vec<Check>;

    /// Whether it should be given requests.
    fn ready(&self) -> Vec<Check>;

    /// Whether it has come up.
    fn started(&self) -> Vec<Check>;

    /// Everything measured, in Prometheus' text format.
    ///
    /// # Errors
    /// The node is going down.
    fn metrics(&self) -> impl Future<Output = Answer<String>> + Send;
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    /// Given without a value, as Kubernetes does.
    verbose: Option<String>,
    min_index: Option<u64>,
}

pub(super) fn router<A: Admin>() -> Router<Arc<A>> {
    Router::new()
        .route("/livez", get(live::<A>))
        .route("/healthz", get(live::<A>))
        .route("/health/liveliness", get(live::<A>))
        .route("/health", get(ready::<A>))
        .route("/readyz", get(ready::<A>))
        .route("/health/readiness", get(ready::<A>))
        .route("/startupz", get(started::<A>))
        .route("/metrics", get(metrics::<A>))
}

async fn live<A: Admin>(State(admin): State<Arc<A>>, Query(asked): Query<Asked>) -> Response {
    report("livez", &admin.live(), &asked)
}

async fn started<A: Admin>(State(admin): State<Arc<A>>, Query(asked): Query<Asked>) -> Response {
    report("startupz", &admin.started(), &asked)
}

async fn ready<A: Admin>(
    State(admin): State<Arc<A>>,
    Query(asked): Query<Asked>,
) -> Answer<Response> {
    if asked.min_index.is_some() {
        let read = Read { min_index: asked.min_index, ..Read::default() };
        admin.fresh(read).await?;
    }
    Ok(report("readyz", &admin.ready(), &asked))
}

async fn metrics<A: Admin>(State(admin): State<Arc<A>>) -> Result<Response, Problem> {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], admin.metrics().await?).into_response())
}

/// `ok`, or one line for each check, as Kubernetes' own probes answer.
fn report(probe: &str, checks: &[Check], asked: &Asked) -> Response {
    let ok = checks.iter().all(|check| check.ok);
    let status = match ok {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut text = String::new();
    if asked.verbose.is_some() || !ok {
        for check in checks {
            let sign = if check.ok { '+' } else { '-' };
            let Check { name, detail, .. } = check;
            // Writing to a String cannot fail.
            let _ = writeln!(text, "[{sign}]{name}: {detail}");
        }
        let verdict = if ok { "passed" } else { "failed" };
        let _ = writeln!(text, "{probe} check {verdict}");
    } else {
        text.push_str("ok\n");
    }
    (status, [(header::CACHE_CONTROL, "no-store")], text).into_response()
}
