//! What all named objects have in common: they are listed, shown, put and deleted by name.

mod describe;

pub(super) use describe::describe;

use super::call::{List, Listed, Page, Read, Versioned, Write, Written, shown, told};
use super::read_body::{Body, Query};
use super::{Admin, Answer, Problem};
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use utoipa::ToSchema;

/// One kind of named object.
pub trait Resource: 'static {
    /// What one is called: `budget`.
    const KIND: &'static str;
    /// Path below `/admin/v1/`, and what several are called: `budgets`.
    const PATH: &'static str;
    /// What GET of all of them does.
    const LISTS: &'static str;
    /// What PUT does.
    const PUTS: &'static str;
    /// What DELETE does.
    const DELETES: &'static str;

    /// As it is shown.
    type Object: Serialize + Versioned + ToSchema + Send;
    /// As an operator sets it; a PUT replaces all of it.
    type Settings: DeserializeOwned + Clone + ToSchema + Send;

    /// The name in the settings, where there is one.
    fn name(settings: &Self::Settings) -> Option<&str>;

    /// What can be said of settings without looking at anything else.
    ///
    /// # Errors
    ///
    /// The field that is wrong.
    fn check(settings: &Self::Settings) -> Answer<()> {
        let _ = settings;
        Ok(())
    }
}

/// What a node does with the objects of one kind.
pub trait Objects<R: Resource> {
    /// Objects by name.
    fn list(&self, page: &Page) -> Listed<R::Object>;

    /// An object by name.
    fn find(&self, name: &str) -> Option<R::Object>;

    /// Creates or replaces an object.
    fn put(
        &self,
        name: String,
        settings: R::Settings,
        write: Write,
    ) -> impl Future<Output = Answer<Written<R::Object>>> + Send;

    /// Deletes an object; answers its last state.
    fn delete(
        &self,
        name: String,
        write: Write,
    ) -> impl Future<Output = Answer<Written<R::Object>>> + Send;
}

/// The four routes of one kind.
pub(super) fn router<A: Admin + Objects<R>, R: Resource>() -> Router<Arc<A>> {
    let one = get(read::<A, R>).put(put::<A, R>).delete(delete::<A, R>);
    Router::new()
        .route(&format!("/{}", R::PATH), get(list::<A, R>))
        .route(&format!("/{}/{{name}}", R::PATH), one)
}

async fn list<A: Admin + Objects<R>, R: Resource>(
    State(admin): State<Arc<A>>,
    Query(list): Query<List>,
) -> Answer<Response> {
    let page = list.page()?;
    let index = admin.fresh(list.read()).await?;
    Ok(told(Objects::<R>::list(&*admin, &page), index))
}

async fn read<A: Admin + Objects<R>, R: Resource>(
    State(admin): State<Arc<A>>,
    Path(name): Path<String>,
    Query(read): Query<Read>,
) -> Answer<Response> {
    let index = admin.fresh(read).await?;
    let found = Objects::<R>::find(&*admin, &name);
    Ok(shown(found.ok_or_else(|| Problem::not_found(R::KIND, &name))?, index))
}

async fn put<A: Admin + Objects<R>, R: Resource>(
    State(admin): State<Arc<A>>,
    Path(name): Path<String>,
    write: Write,
    Body(settings): Body<R::Settings>,
) -> Answer<Response> {
    same_name(&name, R::name(&settings))?;
    R::check(&settings)?;
    Ok(Objects::<R>::put(&*admin, name, settings, write).await?.into_response())
}

async fn delete<A: Admin + Objects<R>, R: Resource>(
    State(admin): State<Arc<A>>,
    Path(name): Path<String>,
    write: Write,
) -> Answer<Response> {
    Ok(Objects::<R>::delete(&*admin, name, write).await?.into_response())
}

/// The name in the body, where there is one, must be the one in the path.
fn same_name(path: &str, body: Option<&str>) -> Answer<()> {
    match body {
        Some(body) if body != path => {
            Err(Problem::invalid("name", format!("{body:?} is not the name in the path, {path:?}")))
        }
        Some(_) | None => Ok(()),
    }
}
