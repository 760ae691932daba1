//! The operators' side: `/admin/v1/...`, health and metrics.
//!
//! [`router`] is the whole surface over anything that implements [`Admin`]. Every path below `/admin`
//! needs the admin token; health and metrics do not.
//!
//! It will never show a secret that was set, and never take a field it does not know.

mod call;
mod day;
mod money;
mod openapi;
mod probes;
mod problem;
mod read_body;
pub mod resource;
mod suggest;
mod timestamp;
pub mod v1;
mod window;

pub use call::{
    Actor, Condition, Consistency, Hidden, LOG_INDEX, List, Listed, Page, Read, Versioned, Write,
    WriteAnswer, Written,
};
pub use day::Day;
pub use money::Usd;
pub use openapi::openapi;
pub use probes::{Check, Probes};
pub use problem::{FieldError, Problem};
pub use resource::{Objects, Resource};
pub use suggest::suggest;
pub use timestamp::Timestamp;
pub use window::Window;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use call::told;
use http::{Method, Uri, header};
use std::sync::Arc;

/// What a call comes to.
pub type Answer<T> = Result<T, Problem>;

/// Who may ask, and how fresh answers are.
pub trait Access: Send + Sync + 'static {
    /// Whose token this is. Compares in constant time.
    fn actor(&self, token: &str) -> Option<Actor>;

    /// Waits until reads here are as fresh as asked; answers the log index they show at least.
    fn fresh(&self, read: Read) -> impl Future<Output = Answer<u64>> + Send;

    /// Log index applied here.
    fn applied_index(&self) -> u64;
}

/// What a node must be able to do for operators.
pub trait Admin:
    Access
    + Probes
    + Objects<v1::keys::Keys>
    + Objects<v1::budgets::Budgets>
    + Objects<v1::scopes::Customers>
    + Objects<v1::scopes::Teams>
    + Objects<v1::scopes::Users>
    + Objects<v1::selectors::Selectors>
    + Objects<v1::profiles::Profiles>
    + Objects<v1::providers::Providers>
    + Objects<v1::aliases::Aliases>
    + Objects<v1::webhooks::Webhooks>
    + v1::keys::KeyActions
    + v1::budgets::BudgetActions
    + v1::webhooks::WebhookActions
    + v1::models::Models
    + v1::usage::Usage
    + v1::audit::Audits
    + v1::cluster::ClusterAdmin
    + v1::nodes::Nodes
{
}

impl<T> Admin for T where
    T: Access
        + Probes
        + Objects<v1::keys::Keys>
        + Objects<v1::budgets::Budgets>
        + Objects<v1::scopes::Customers>
        + Objects<v1::scopes::Teams>
        + Objects<v1::scopes::Users>
        + Objects<v1::selectors::Selectors>
        + Objects<v1::profiles::Profiles>
        + Objects<v1::providers::Providers>
        + Objects<v1::aliases::Aliases>
        + Objects<v1::webhooks::Webhooks>
        + v1::keys::KeyActions
        + v1::budgets::BudgetActions
        + v1::webhooks::WebhookActions
        + v1::models::Models
        + v1::usage::Usage
        + v1::audit::Audits
        + v1::cluster::ClusterAdmin
        + v1::nodes::Nodes
{
}

/// Everything on the operators' listener.
pub fn router<A: Admin>(admin: Arc<A>) -> Router {
    let v1 = resource::router::<A, v1::keys::Keys>()
        .merge(resource::router::<A, v1::budgets::Budgets>())
        .merge(resource::router::<A, v1::scopes::Customers>())
        .merge(resource::router::<A, v1::scopes::Teams>())
        .merge(resource::router::<A, v1::scopes::Users>())
        .merge(resource::router::<A, v1::selectors::Selectors>())
        .merge(resource::router::<A, v1::profiles::Profiles>())
        .merge(resource::router::<A, v1::providers::Providers>())
        .merge(resource::router::<A, v1::aliases::Aliases>())
        .merge(resource::router::<A, v1::webhooks::Webhooks>())
        .merge(v1::keys::router())
        .merge(v1::budgets::router())
        .merge(v1::webhooks::router())
        .merge(v1::models::router())
        .merge(v1::usage::router())
        .merge(v1::audit::router())
        .merge(v1::cluster::router())
        .merge(v1::nodes::router())
        .route("/openapi.json", get(describe));
    let below_admin = Router::new()
        .nest("/v1", v1)
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(DefaultBodyLimit::max(read_body::BODY_BYTES_MAX));
    let guarded = Router::new()
        .nest("/admin", below_admin)
        // What is nested below `/admin` does not include this one.
        .route("/admin/", any(no_route))
        .layer(from_fn_with_state(Arc::clone(&admin), admit::<A>));
    Router::new()
        .merge(probes::router::<A>())
        .merge(guarded)
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .with_state(admin)
}

/// Lets a request in whose bearer token is right, and tells the handler whose it is.
async fn admit<A: Admin>(
    State(admin): State<Arc<A>>,
    mut request: Request,
    next: Next,
) -> Response {
    let token = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    match token.and_then(|token| admin.actor(token)) {
        Some(actor) => {
            request.extensions_mut().insert(actor);
            next.run(request).await
        }
        None => Problem::unauthorised().into_response(),
    }
}

async fn describe() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], openapi()).into_response()
}

async fn no_route(uri: Uri) -> Problem {
    Problem::no_route(uri.path())
}

async fn no_method(method: Method, uri: Uri) -> Problem {
    Problem::method(method.as_str(), uri.path())
}
