//! Models: which there are, and what each costs.

use super::providers::Price;
use crate::admin::call::{List, Listed, Page, told};
use crate::admin::read_body::Query;
use crate::admin::{Admin, Answer, Problem};
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Where a price comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PriceSource {
    /// The operator set it on the provider's model.
    Operator,
    /// The catalog this version came with.
    Catalog,
    /// The provider's `unpriced` policy charges a flat price.
    Flat,
    /// None: the policy counts tokens and charges nothing.
    Track,
    /// None: the model is refused where a budget in money is on the path.
    Deny,
}

/// A model that callers can ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ListedModel {
    /// `provider/model`, or the name of an alias.
    pub name: String,
    /// For an alias: the models it stands for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stands_for: Vec<String>,
    /// What is charged. Absent for aliases and for models without a price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// Where that comes from. Absent for aliases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_source: Option<PriceSource>,
    /// Most input tokens, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens_max: Option<u64>,
    /// Most output tokens, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens_max: Option<u64>,
}

/// What a node says of models.
pub trait Models {
    /// Models of enabled providers, and aliases, by name.
    fn list_models(&self, page: &Page) -> Listed<ListedModel>;
}

pub(in crate::admin) fn router<A: Admin>() -> Router<Arc<A>> {
    Router::new().route("/models", get(list::<A>))
}

/// Lists models with their prices, and aliases.
#[utoipa::path(get, path = "/admin/v1/models", tag = "models", operation_id = "list_models", params(List), responses(
    (status = 200, body = Listed<ListedModel>), (status = "default", body = Problem)))]
pub(in crate::admin) async fn list<A: Admin>(
    State(admin): State<Arc<A>>,
    Query(list): Query<List>,
) -> Answer<Response> {
    let page = list.page()?;
    let index = admin.fresh(list.read()).await?;
    Ok(told(admin.list_models(&page), index))
}
