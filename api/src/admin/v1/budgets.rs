//! Budgets, with their books.

mod books;
mod write_off;

pub use books::{Books, Figure, Unit};
pub use write_off::{Amount, Released, WriteOff, WriteOffSettings};

use crate::admin::call::{
    List, Listed, Page, Read, Versioned, Write, WriteAnswer, Written, shown, told,
};
use crate::admin::read_body::{Body, Query};
use crate::admin::{Admin, Answer, Problem, Timestamp, Usd, Window, same_name};
use axum::Router;
use axum::extract::{FromRequest, Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// What happens at the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Nothing is admitted that could pass the limit.
    #[default]
    Hard,
    /// Requests go on; the excess is recorded as debt.
    Soft,
}

/// One window of a budget, with exactly one limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WindowSettings {
    /// When it starts anew.
    pub window: Window,
    /// Limit in dollars.
    pub limit_usd: Option<Usd>,
    /// Limit in billionths of a dollar.
    pub limit_nano_usd: Option<i64>,
    /// Limit in input and output tokens.
    pub limit_tokens: Option<i64>,
    /// Limit in requests that reach a provider.
    pub limit_requests: Option<i64>,
}

impl WindowSettings {
    /// What is counted, and how much of it there may be.
    ///
    /// # Errors
    ///
    /// None or several limits.
    pub fn limit(&self, field: &str) -> Answer<(Unit, i64)> {
        let given = [
            (Unit::NanoUsd, self.limit_usd.map(|usd| usd.0)),
            (Unit::NanoUsd, self.limit_nano_usd),
            (Unit::Tokens, self.limit_tokens),
            (Unit::Requests, self.limit_requests),
        ];
        let mut given =
            given.into_iter().filter_map(|(unit, limit)| limit.map(|limit| (unit, limit)));
        match (given.next(), given.next()) {
            (Some(limit), None) => Ok(limit),
            (None, _) => Err(Problem::invalid(
                field,
                "has no limit: give one of limit_usd, limit_nano_usd, limit_tokens, limit_requests",
            )),
            (Some(_), Some(_)) => Err(Problem::invalid(
                field,
                "has several limits: a budget counts one thing, make one budget for each",
            )),
        }
    }
}

/// What an operator says of a budget. Either `windows`, or `window` and one limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetSettings {
    /// The name in the path, or absent.
    pub name: Option<String>,
    /// One to three windows, all of one unit.
    pub windows: Vec<WindowSettings>,
    /// Short for one window: when it starts anew.
    pub window: Window,
    /// Short for one window: limit in dollars.
    pub limit_usd: Option<Usd>,
    /// Short for one window: limit in billionths of a dollar.
    pub limit_nano_usd: Option<i64>,
    /// Short for one window: limit in tokens.
    pub limit_tokens: Option<i64>,
    /// Short for one window: limit in requests.
    pub limit_requests: Option<i64>,
    /// What happens at the limit.
    pub mode: Mode,
}

impl BudgetSettings {
    /// Unit, and window and limit for each window.
    ///
    /// # Errors
    ///
    /// No limit, or limits of several units.
    pub fn resolve(&self) -> Answer<(Unit, Vec<(Window, i64)>)> {
        let short = WindowSettings {
            window: self.window,
            limit_usd: self.limit_usd,
            limit_nano_usd: self.limit_nano_usd,
            limit_tokens: self.limit_tokens,
            limit_requests: self.limit_requests,
        };
        if self.windows.is_empty() {
            let (unit, limit) = short.limit("budget")?;
            return Ok((unit, vec![(self.window, limit)]));
        }
        if short != WindowSettings::default() {
            let say = "cannot stand beside window or limit_...: put them all into windows";
            return Err(Problem::invalid("windows", say));
        }
        let mut resolved = Vec::new();
        let mut first = None;
        for (nth, window) in self.windows.iter().enumerate() {
            let field = format!("windows[{nth}]");
            let (unit, limit) = window.limit(&field)?;
            if *first.get_or_insert(unit) != unit {
                let say = "counts something else than the first window: make two budgets";
                return Err(Problem::invalid(field, say));
            }
            resolved.push((window.window, limit));
        }
        Ok((first.unwrap_or_default(), resolved))
    }
}

/// One window of a budget, with the books of its present period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BudgetWindow {
    /// When it starts anew.
    pub window: Window,
    /// Number of the present period.
    pub period: u64,
    /// When that began.
    pub starts_at: Timestamp,
    /// When the next one begins. Absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<Timestamp>,
    /// The figures.
    #[serde(flatten)]
    pub books: Books,
}

/// A budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Budget {
    /// Unique.
    pub name: String,
    /// What it counts.
    pub unit: Unit,
    /// What happens at the limit.
    pub mode: Mode,
    /// Its windows.
    pub windows: Vec<BudgetWindow>,
    /// Who owns it.
    pub managed_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Log index of its last change; its `ETag`. Spend does not change it.
    pub changed_index: u64,
}

impl Versioned for Budget {
    fn changed_index(&self) -> u64 {
        self.changed_index
    }
}

/// What a node does with budgets.
pub trait Budgets {
    /// Budgets by name.
    fn list_budgets(&self, page: &Page) -> Listed<Budget>;

    /// A budget by name.
    fn budget(&self, name: &str) -> Option<Budget>;

    /// Creates a budget or replaces its limits; what was spent stays spent.
    fn put_budget(
        &self,
        name: String,
        settings: BudgetSettings,
        write: Write,
    ) -> impl Future<Output = Answer<Written<Budget>>> + Send;

    /// Deletes a budget that no key names; answers the last state.
    fn delete_budget(
        &self,
        name: String,
        write: Write,
    ) -> impl Future<Output = Answer<Written<Budget>>> + Send;

    /// Releases what silent nodes were granted in the present period, or says what that would be.
    fn write_off(
        &self,
        name: String,
        settings: WriteOffSettings,
        write: Write,
    ) -> impl Future<Output = Answer<Written<WriteOff>>> + Send;
}

pub(in crate::admin) fn router<A: Admin>() -> Router<Arc<A>> {
    let one = get(read::<A>).put(put::<A>).delete(delete::<A>).post(act::<A>);
    Router::new().route("/budgets", get(list::<A>)).route("/budgets/{name}", one)
}

/// Lists budgets with their books.
#[utoipa::path(get, path = "/admin/v1/budgets", tag = "budgets", params(List), responses(
    (status = 200, body = Listed<Budget>), (status = "default", body = Problem)))]
pub(in crate::admin) async fn list<A: Admin>(
    State(admin): State<Arc<A>>,
    Query(list): Query<List>,
) -> Answer<Response> {
    let page = list.page()?;
    let index = admin.fresh(list.read()).await?;
    Ok(told(admin.list_budgets(&page), index))
}

/// Shows a budget with its books.
#[utoipa::path(get, path = "/admin/v1/budgets/{name}", tag = "budgets", params(("name" = String, Path,), Read),
    responses((status = 200, body = Budget), (status = "default", body = Problem)))]
pub(in crate::admin) async fn read<A: Admin>(
    State(admin): State<Arc<A>>,
    Path(name): Path<String>,
    Query(read): Query<Read>,
) -> Answer<Response> {
    let index = admin.fresh(read).await?;
    let budget = admin.budget(&name);
    Ok(shown(budget.ok_or_else(|| Problem::not_found("budget", &name))?, index))
}

/// Creates a budget or replaces its limits. What was spent stays spent.
#[utoipa::path(put, path = "/admin/v1/budgets/{name}", tag = "budgets", params(("name" = String, Path,)),
    request_body = BudgetSettings, responses(
    (status = 200, body = WriteAnswer<Budget>), (status = 201, body = WriteAnswer<Budget>),
    (status = "default", body = Problem)))]
pub(in crate::admin) async fn put<A: Admin>(
    State(admin): State<Arc<A>>,
    Path(name): Path<String>,
    write: Write,
    Body(settings): Body<BudgetSettings>,
) -> Answer<Response> {
    same_name(&name, settings.name.as_deref())?;
    settings.resolve()?;
    Ok(admin.put_budget(name, settings, write).await?.into_response())
}

/// Deletes a budget that no key names.
#[utoipa::path(delete, path = "/admin/v1/budgets/{name}", tag = "budgets", params(("name" = String, Path,)),
    responses((status = 200, body = WriteAnswer<Budget>), (status = "default", body = Problem)))]
pub(in crate::admin) async fn delete<A: Admin>(
    State(admin): State<Arc<A>>,
    Path(name): Path<String>,
    write: Write,
) -> Answer<Response> {
    Ok(admin.delete_budget(name, write).await?.into_response())
}

/// Releases what is in suspense: granted to nodes that went silent. They may have spent it, so the limit
/// may be exceeded by as much. Repeating a call releases the same amount again where that much is left.
#[utoipa::path(post, path = "/admin/v1/budgets/{name}:write-off", tag = "budgets",
    params(("name" = String, Path,)), request_body = WriteOffSettings, responses(
    (status = 200, body = WriteAnswer<WriteOff>), (status = "default", body = Problem)))]
#[expect(dead_code, reason = "describes the one action of `act`")]
fn write_off_described() {}

async fn act<A: Admin>(
    State(admin): State<Arc<A>>,
    Path(name_and_action): Path<String>,
    write: Write,
    request: Request,
) -> Answer<Response> {
    match name_and_action.rsplit_once(':') {
        Some((name, "write-off")) => {
            let Body(settings) = Body::from_request(request, &()).await?;
            Ok(admin.write_off(name.to_owned(), settings, write).await?.into_response())
        }
        Some(_) | None => {
            Err(Problem::method("POST", &format!("/admin/v1/budgets/{name_and_action}"))
                .fix("PUT creates or replaces a budget; POST takes {name}:write-off"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(json: &str) -> Result<(Unit, Vec<(Window, i64)>), String> {
        let settings: BudgetSettings = serde_json::from_str(json).unwrap();
        settings.resolve().map_err(|problem| problem.detail().to_owned())
    }

    #[test]
    fn one_window_may_be_written_short() {
        assert_eq!(
            resolve(r#"{"limit_usd":"1.00"}"#),
            Ok((Unit::NanoUsd, vec![(Window::Never, 1_000_000_000)]))
        );
        assert_eq!(
            resolve(r#"{"window":"day","limit_tokens":5}"#),
            Ok((Unit::Tokens, vec![(Window::Day, 5)]))
        );
    }

    #[test]
    fn windows_share_one_unit() {
        let two =
            r#"{"windows":[{"window":"day","limit_usd":1},{"window":"month","limit_nano_usd":7}]}"#;
        let windows = vec![(Window::Day, 1_000_000_000), (Window::Month, 7)];
        assert_eq!(resolve(two), Ok((Unit::NanoUsd, windows)));
        let mixed = r#"{"windows":[{"limit_usd":1},{"limit_tokens":7}]}"#;
        assert!(resolve(mixed).unwrap_err().starts_with("windows[1]: counts something else"));
    }

    #[test]
    fn no_limit_and_two_limits_are_refused() {
        assert!(resolve("{}").unwrap_err().starts_with("budget: has no limit"));
        assert!(
            resolve(r#"{"limit_usd":1,"limit_tokens":1}"#).unwrap_err().contains("several limits")
        );
        let both = r#"{"limit_usd":1,"windows":[{"limit_usd":1}]}"#;
        assert!(resolve(both).unwrap_err().contains("put them all into windows"));
    }
}
