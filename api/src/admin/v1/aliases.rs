//! Model aliases: a name of the operator's for one or more models.

use crate::admin::call::{
    List, Listed, Page, Read, Versioned, Write, WriteAnswer, Written, shown, told,
};
use crate::admin::read_body::{Body, Query};
use crate::admin::{Admin, Answer, Problem, same_name};
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// One model an alias may stand for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Name of the provider.
    pub provider: String,
    /// Name of the model there.
    pub model: String,
    /// Share among the targets. Zero: a fallback, in the order written.
    #[serde(default = "one")]
    pub weight: u32,
}

fn one() -> u32 {
    1
}

/// What an operator says of an alias.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AliasSettings {
    /// The name in the path, or absent.
    pub name: Option<String>,
    /// One to 32 targets.
    pub targets: Vec<Target>,
}

/// An alias.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Alias {
    /// Unique, without a slash.
    pub name: String,
    /// What it stands for.
    pub targets: Vec<Target>,
    /// Who owns it.
    pub managed_by: String,
    /// Log index of its last change; its `ETag`.
    pub changed_index: u64,
}

impl Versioned for Alias {
    fn changed_index(&self) -> u64 {
        self.changed_index
    }
}

/// What a node does with aliases.
pub trait Aliases {
    /// Aliases by name.
    fn list_aliases(&self, page: &Page) -> Listed<Alias>;

    /// An alias by name.
    fn alias(&self, name: &str) -> Option<Alias>;

    /// Creates or replaces an alias.
    fn put_alias(
        &self,
        name: String,
        settings: AliasSettings,
        write: Write,
    ) -> impl Future<Output = Answer<Written<Alias>>> + Send;

    /// Deletes an alias; answers the last state.
    fn delete_alias(
        &self,
        name: String,
        write: Write,
    ) -> impl Future<Output = Answer<Written<Alias>>> + Send;
}

pub(in crate::admin) fn router<A: Admin>() -> Router<Arc<A>> {
    Router::new()
        .route("/aliases", get(list::<A>))
        .route("/aliases/{name}", get(read::<A>).put(put::<A>).delete(delete::<A>))
}

/// Lists aliases.
#[utoipa::path(get, path = "/admin/v1/aliases", tag = "aliases", params(List), responses(
    (status = 200, body = Listed<Alias>), (status = "default", body = Problem)))]
pub(in crate::admin) async fn list<A: Admin>(
    State(admin): State<Arc<A>>,
    Query(list): Query<List>,
) -> Answer<Response> {
    let page = list.page()?;
    let index = admin.fresh(list.read()).await?;
    Ok(told(admin.list_aliases(&page), index))
}

/// Shows an alias.
#[utoipa::path(get, path = "/admin/v1/aliases/{name}", tag = "aliases", params(("name" = String, Path,), Read),
    responses((status = 200, body = Alias), (status = "default", body = Problem)))]
pub(in crate::admin) async fn read<A: Admin>(
    State(admin): State<Arc<A>>,
    Path(name): Path<String>,
    Query(read): Query<Read>,
) -> Answer<Response> {
    let index = admin.fresh(read).await?;
    let alias = admin.alias(&name);
    Ok(shown(alias.ok_or_else(|| Problem::not_found("alias", &name))?, index))
}

/// Creates or replaces an alias.
#[utoipa::path(put, path = "/admin/v1/aliases/{name}", tag = "aliases", params(("name" = String, Path,)),
    request_body = AliasSettings, responses(
    (status = 200, body = WriteAnswer<Alias>), (status = 201, body = WriteAnswer<Alias>),
    (status = "default", body = Problem)))]
pub(in crate::admin) async fn put<A: Admin>(
    State(admin): State<Arc<A>>,
    Path(name): Path<String>,
    write: Write,
    Body(settings): Body<AliasSettings>,
) -> Answer<Response> {
    same_name(&name, settings.name.as_deref())?;
    Ok(admin.put_alias(name, settings, write).await?.into_response())
}

/// Deletes an alias.
#[utoipa::path(delete, path = "/admin/v1/aliases/{name}", tag = "aliases", params(("name" = String, Path,)),
    responses((status = 200, body = WriteAnswer<Alias>), (status = "default", body = Problem)))]
pub(in crate::admin) async fn delete<A: Admin>(
    State(admin): State<Arc<A>>,
    Path(name): Path<String>,
    write: Write,
) -> Answer<Response> {
    Ok(admin.delete_alias(name, write).await?.into_response())
}
