//! The audit: money moved by hand, and by whose word.

use crate::admin::call::{List, Listed, Page, told};
use crate::admin::read_body::Query;
use crate::admin::{Admin, Answer, Problem, Timestamp};
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// One time somebody moved money by hand: an increase, a reset, a transfer, a write-off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Log index of the entry.
    pub log_index: u64,
    /// When.
    pub at: Timestamp,
    /// Whose word.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// The caller's `Idempotency-Key`; absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// What was done, in words.
    pub what: String,
}

/// What a node says of what was done by hand.
pub trait Audits {
    /// Entries, newest first. `after` of the page is a log index: only older entries.
    ///
    /// # Errors
    ///
    /// A cursor that is none.
    fn list_audit(&self, page: &Page) -> Answer<Listed<AuditEntry>>;
}

pub(in crate::admin) fn router<A: Admin>() -> Router<Arc<A>> {
    Router::new().route("/audit", get(list::<A>))
}

/// Lists money moved by hand, newest first; the last ten thousand entries are kept.
#[utoipa::path(get, path = "/admin/v1/audit", tag = "audit", operation_id = "list_audit", params(List), responses(
    (status = 200, body = Listed<AuditEntry>), (status = "default", body = Problem)))]
pub(in crate::admin) async fn list<A: Admin>(
    State(admin): State<Arc<A>>,
    Query(list): Query<List>,
) -> Answer<Response> {
    let page = list.page()?;
    let index = admin.fresh(list.read()).await?;
    Ok(told(admin.list_audit(&page)?, index))
}
