//! Virtual keys.

use crate::admin::call::{
    List, Listed, Page, Read, Versioned, Write, WriteAnswer, Written, shown, told,
};
use crate::admin::read_body::{Body, Query};
use crate::admin::{Admin, Answer, Hidden, Problem, Timestamp, Usd, Window};
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Limits that apply at once and are not budgets. Absent: no limit. Zero lets nothing through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests begun in any minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u64>,
    /// Input and output tokens in any minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u64>,
    /// Requests in flight at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrent_requests: Option<u64>,
}

/// What an operator says of a key. A PUT replaces all of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeySettings {
    /// Name of the key. With PUT it must be the one in the path, or absent; with POST one is made up.
    pub name: Option<String>,
    /// A disabled key is refused with 403 and keeps its settings.
    pub enabled: bool,
    /// Refused from this moment on.
    pub expires_at: Option<Timestamp>,
    /// Providers it may use, by name. Absent: any.
    pub providers: Option<Vec<String>>,
    /// Models it may use, as `provider/model`, a bare name, or an alias. Absent: any.
    pub models: Option<Vec<String>>,
    /// Names of the budgets that each of its requests is charged to.
    pub budgets: Vec<String>,
    /// Gives the key a budget of its own, named `key:<name>`, of so many dollars.
    pub budget_usd: Option<Usd>,
    /// When that budget starts anew.
    pub budget_window: Option<Window>,
    /// Rates and concurrency.
    pub limits: Limits,
}

impl Default for KeySettings {
    fn default() -> Self {
        Self {
            name: None,
            enabled: true,
            expires_at: None,
            providers: None,
            models: None,
            budgets: Vec::new(),
            budget_usd: None,
            budget_window: None,
            limits: Limits::default(),
        }
    }
}

impl KeySettings {
    /// Name of the budget that `budget_usd` makes.
    pub fn own_budget(key: &str) -> String {
        format!("key:{key}")
    }

    fn check(&self) -> Answer<()> {
        if self.budget_window.is_some() && self.budget_usd.is_none() {
            let say = "says when a budget starts anew, and there is no budget_usd";
            return Err(Problem::invalid("budget_window", say));
        }
        Ok(())
    }
}

/// A virtual key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Key {
    /// Unique among keys that are not revoked.
    pub name: String,
    /// Public id: the second part of the key. May be shown anywhere.
    pub id: String,
    /// The key itself. Only in the answer that made it: it is not stored and cannot be shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Hidden>,
    /// A disabled key is refused with 403 and keeps its settings.
    pub enabled: bool,
    /// Refused from this moment on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Providers it may use. Absent: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub providers: Option<Vec<String>>,
    /// Models it may use. Absent: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<String>>,
    /// Budgets that each of its requests is charged to.
    pub budgets: Vec<String>,
    /// Rates and concurrency.
    pub limits: Limits,
    /// Who owns it.
    pub managed_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Log index of its last change; its `ETag`.
    pub changed_index: u64,
    /// Set once it is revoked: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

impl Versioned for Key {
    fn changed_index(&self) -> u64 {
        self.changed_index
    }
}

/// What a node does with keys.
pub trait Keys {
    /// Keys that are not revoked, by name.
    fn list_keys(&self, page: &Page) -> Listed<Key>;

    /// A key by name, or by public id; only the latter finds a revoked one.
    fn key(&self, name: &str) -> Option<Key>;

    /// Creates a key or replaces its settings. With `name` `None` one is made up.
    fn put_key(
        &self,
        name: Option<String>,
        settings: KeySettings,
        write: Write,
    ) -> impl Future<Output = Answer<Written<Key>>> + Send;

    /// Gives a key another secret; the old one has stopped on every node that is not named.
    fn rotate_key(
        &self,
        name: String,
        write: Write,
    ) -> impl Future<Output = Answer<Written<Key>>> + Send;

    /// Revokes a key for ever; it has stopped on every node that is not named.
    fn revoke_key(
        &self,
        name: String,
        write: Write,
    ) -> impl Future<Output = Answer<Written<Key>>> + Send;
}

pub(in crate::admin) fn router<A: Admin>() -> Router<Arc<A>> {
    let one = get(read::<A>).put(put::<A>).delete(revoke::<A>).post(act::<A>);
    Router::new().route("/keys", get(list::<A>).post(create::<A>)).route("/keys/{name}", one)
}

/// Lists keys that are not revoked.
#[utoipa::path(get, path = "/admin/v1/keys", tag = "keys", params(List), responses(
    (status = 200, body = Listed<Key>), (status = "default", body = Problem)))]
pub(in crate::admin) async fn list<A: Admin>(
    State(admin): State<Arc<A>>,
    Query(list): Query<List>,
) -> Answer<Response> {
    let page = list.page()?;
    let index = admin.fresh(list.read()).await?;
    Ok(told(admin.list_keys(&page), index))
}

/// Shows a key, by name or public id; a revoked one by public id only.
#[utoipa::path(get, path = "/admin/v1/keys/{name}", tag = "keys", params(("name" = String, Path,), Read), responses(
    (status = 200, body = Key), (status = "default", body = Problem)))]
pub(in crate::admin) async fn read<A: Admin>(
    State(admin): State<Arc<A>>,
    Path(name): Path<String>,
    Query(read): Query<Read>,
) -> Answer<Response> {
    let index = admin.fresh(read).await?;
    let key = admin.key(&name).ok_or_else(|| Problem::not_found("key", &name))?;
    Ok(shown(key, index))
}

/// Creates a key. The answer holds the key itself, once.
#[utoipa::path(post, path = "/admin/v1/keys", tag = "keys", request_body = KeySettings, responses(
    (status = 201, body = WriteAnswer<Key>), (status = "default", body = Problem)))]
pub(in crate::admin) async fn create<A: Admin>(
    State(admin): State<Arc<A>>,
    mut write: Write,
    Body(settings): Body<KeySettings>,
) -> Answer<Response> {
    settings.check()?;
    write.condition = crate::admin::Condition::Absent;
    let name = settings.name.clone();
    let made = admin.put_key(name.clone(), settings, write).await;
    let made = made.map_err(|problem| match (problem.status(), name) {
        (412, Some(name)) => Problem::conflict(format!("there is a key {name:?} already")).fix(
            "PUT replaces its settings; POST /admin/v1/keys/{name}:rotate gives it a new secret",
        ),
        (_, _) => problem,
    })?;
    Ok(made.into_response())
}

/// Creates a key (201, with the key itself, once) or replaces its settings (200).
#[utoipa::path(put, path = "/admin/v1/keys/{name}", tag = "keys", params(("name" = String, Path,)),
    request_body = KeySettings, responses(
    (status = 200, body = WriteAnswer<Key>), (status = 201, body = WriteAnswer<Key>),
    (status = "default", body = Problem)))]
pub(in crate::admin) async fn put<A: Admin>(
    State(admin): State<Arc<A>>,
    Path(name): Path<String>,
    write: Write,
    Body(settings): Body<KeySettings>,
) -> Answer<Response> {
    settings.check()?;
    crate::admin::same_name(&name, settings.name.as_deref())?;
    let put = admin.put_key(Some(name), settings, write).await?;
    Ok(put.into_response())
}

/// Revokes a key for ever: it has stopped on every node not named in `not_confirmed_by`.
#[utoipa::path(delete, path = "/admin/v1/keys/{name}", tag = "keys", params(("name" = String, Path,)), responses(
    (status = 200, body = WriteAnswer<Key>), (status = "default", body = Problem)))]
pub(in crate::admin) async fn revoke<A: Admin>(
    State(admin): State<Arc<A>>,
    Path(name): Path<String>,
    write: Write,
) -> Answer<Response> {
    Ok(admin.revoke_key(name, write).await?.into_response())
}

/// Gives a key another secret, shown once. The old one has stopped on every node not named.
#[utoipa::path(post, path = "/admin/v1/keys/{name}:rotate", tag = "keys", params(("name" = String, Path,)), responses(
    (status = 200, body = WriteAnswer<Key>), (status = "default", body = Problem)))]
#[expect(dead_code, reason = "describes one action of `act`")]
fn rotate_described() {}

/// Revokes a key for ever, like DELETE.
#[utoipa::path(post, path = "/admin/v1/keys/{name}:revoke", tag = "keys", params(("name" = String, Path,)), responses(
    (status = 200, body = WriteAnswer<Key>), (status = "default", body = Problem)))]
#[expect(dead_code, reason = "describes one action of `act`")]
fn revoke_described() {}

async fn act<A: Admin>(
    State(admin): State<Arc<A>>,
    Path(name_and_action): Path<String>,
    write: Write,
) -> Answer<Response> {
    match name_and_action.rsplit_once(':') {
        Some((name, "rotate")) => {
            Ok(admin.rotate_key(name.to_owned(), write).await?.into_response())
        }
        Some((name, "revoke")) => {
            Ok(admin.revoke_key(name.to_owned(), write).await?.into_response())
        }
        Some(_) | None => {
            Err(Problem::method("POST", &format!("/admin/v1/keys/{name_and_action}"))
                .fix("PUT creates or replaces a key; POST takes {name}:rotate or {name}:revoke"))
        }
    }
}
