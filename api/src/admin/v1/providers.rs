//! Providers: where requests go, with which credentials, at what price.

mod model;

pub use model::{Model, Price, Unpriced};

use crate::admin::call::{
    List, Listed, Page, Read, Versioned, Write, WriteAnswer, Written, shown, told,
};
use crate::admin::read_body::{Body, Query};
use crate::admin::{Admin, Answer, Hidden, Problem, same_name};
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// How a provider tells usage in a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StreamUsage {
    /// Only when `stream_options.include_usage` is asked for.
    #[default]
    Ask,
    /// Always, and asking may be refused.
    Always,
    /// Never: tokens are counted by the gateway.
    Never,
}

/// A credential as it is set.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CredentialSettings {
    /// Unique within the provider.
    #[serde(default = "default_name")]
    pub name: String,
    /// Share of the traffic, relative to the other credentials. Zero: only when the others fail.
    #[serde(default = "one")]
    pub weight: u32,
    /// The provider's API key. Stored sealed and never shown. Absent: the one set before under this
    /// name stays. Empty: the provider needs none.
    #[schema(write_only)]
    pub secret: Option<Hidden>,
}

/// A credential as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Credential {
    /// Unique within the provider.
    pub name: String,
    /// Share of the traffic.
    pub weight: u32,
    /// Whether a secret is set.
    pub set: bool,
}

/// What an operator says of a provider. A PUT replaces all of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderSettings {
    /// The name in the path, or absent.
    pub name: Option<String>,
    /// How it is spoken to.
    #[serde(default = "default_kind")]
    pub kind: String,
    /// Base URL up to and with the version: `https://api.openai.com/v1`.
    pub base_url: String,
    /// Credentials. Empty: the provider needs none.
    #[serde(default)]
    pub credentials: Vec<CredentialSettings>,
    /// Models it serves. Empty: those the catalog lists for `kind`, or, failing that, any.
    #[serde(default)]
    pub models: Vec<Model>,
    /// What to do with a model without a price.
    #[serde(default)]
    pub unpriced: Unpriced,
    /// How usage comes in streams.
    #[serde(default)]
    pub stream_usage: StreamUsage,
    /// Longest wait for the head of an answer, and between two pieces of a stream, in milliseconds.
    #[serde(default = "default_timeout_ms")]
    pub timeout_ms: u64,
    /// Attempts in all, the first one included.
    #[serde(default = "default_attempts")]
    pub attempts_max: u32,
    /// Whether it may resolve to loopback and private addresses.
    #[serde(default)]
    pub allow_private_network: bool,
    /// A disabled provider is not asked.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn default_kind() -> String {
    "openai-compatible".to_owned()
}

fn default_name() -> String {
    "default".to_owned()
}

fn default_timeout_ms() -> u64 {
    600_000
}

fn default_attempts() -> u32 {
    3
}

fn one() -> u32 {
    1
}

fn yes() -> bool {
    true
}

/// A provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Provider {
    /// Unique; the part before the slash of `provider/model`.
    pub name: String,
    /// How it is spoken to.
    pub kind: String,
    /// Base URL.
    pub base_url: String,
    /// Credentials, without their secrets.
    pub credentials: Vec<Credential>,
    /// Models as the operator listed them.
    pub models: Vec<Model>,
    /// What to do with a model without a price.
    pub unpriced: Unpriced,
    /// How usage comes in streams.
    pub stream_usage: StreamUsage,
    /// Longest wait for the head of an answer, and between two pieces of a stream, in milliseconds.
    pub timeout_ms: u64,
    /// Attempts in all.
    pub attempts_max: u32,
    /// Whether it may resolve to loopback and private addresses.
    pub allow_private_network: bool,
    /// A disabled provider is not asked.
    pub enabled: bool,
    /// Who owns it.
    pub managed_by: String,
    /// Log index of its last change; its `ETag`.
    pub changed_index: u64,
}

impl Versioned for Provider {
    fn changed_index(&self) -> u64 {
        self.changed_index
    }
}

/// What a node does with providers.
pub trait Providers {
    /// Providers by name.
    fn list_providers(&self, page: &Page) -> Listed<Provider>;

    /// A provider by name.
    fn provider(&self, name: &str) -> Option<Provider>;

    /// Creates or replaces a provider.
    fn put_provider(
        &self,
        name: String,
        settings: ProviderSettings,
        write: Write,
    ) -> impl Future<Output = Answer<Written<Provider>>> + Send;

    /// Deletes a provider that no alias names; answers the last state.
    fn delete_provider(
        &self,
        name: String,
        write: Write,
    ) -> impl Future<Output = Answer<Written<Provider>>> + Send;
}

pub(in crate::admin) fn router<A: Admin>() -> Router<Arc<A>> {
    Router::new()
        .route("/providers", get(list::<A>))
        .route("/providers/{name}", get(read::<A>).put(put::<A>).delete(delete::<A>))
}

/// Lists providers.
#[utoipa::path(get, path = "/admin/v1/providers", tag = "providers", params(List), responses(
    (status = 200, body = Listed<Provider>), (status = "default", body = Problem)))]
pub(in crate::admin) async fn list<A: Admin>(
    State(admin): State<Arc<A>>,
    Query(list): Query<List>,
) -> Answer<Response> {
    let page = list.page()?;
    let index = admin.fresh(list.read()).await?;
    Ok(told(admin.list_providers(&page), index))
}

/// Shows a provider.
#[utoipa::path(get, path = "/admin/v1/providers/{name}", tag = "providers", params(("name" = String, Path,), Read),
    responses((status = 200, body = Provider), (status = "default", body = Problem)))]
pub(in crate::admin) async fn read<A: Admin>(
    State(admin): State<Arc<A>>,
    Path(name): Path<String>,
    Query(read): Query<Read>,
) -> Answer<Response> {
    let index = admin.fresh(read).await?;
    let provider = admin.provider(&name);
    Ok(shown(provider.ok_or_else(|| Problem::not_found("provider", &name))?, index))
}

/// Creates or replaces a provider. Secrets that are absent stay as they were.
#[utoipa::path(put, path = "/admin/v1/providers/{name}", tag = "providers", params(("name" = String, Path,)),
    request_body = ProviderSettings, responses(
    (status = 200, body = WriteAnswer<Provider>), (status = 201, body = WriteAnswer<Provider>),
    (status = "default", body = Problem)))]
pub(in crate::admin) async fn put<A: Admin>(
    State(admin): State<Arc<A>>,
    Path(name): Path<String>,
    write: Write,
    Body(settings): Body<ProviderSettings>,
) -> Answer<Response> {
    same_name(&name, settings.name.as_deref())?;
    Ok(admin.put_provider(name, settings, write).await?.into_response())
}

/// Deletes a provider that no alias names.
#[utoipa::path(delete, path = "/admin/v1/providers/{name}", tag = "providers", params(("name" = String, Path,)),
    responses((status = 200, body = WriteAnswer<Provider>), (status = "default", body = Problem)))]
pub(in crate::admin) async fn delete<A: Admin>(
    State(admin): State<Arc<A>>,
    Path(name): Path<String>,
    write: Write,
) -> Answer<Response> {
    Ok(admin.delete_provider(name, write).await?.into_response())
}
