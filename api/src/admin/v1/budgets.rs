//! Budgets, with their books.

mod amount;
mod books;
mod moves;
mod per;
mod settings;
mod write_off;

pub use amount::Amount;
pub use books::{Because, Books, Figure, Unit, Why};
pub use moves::{IncreaseSettings, Moved, ResetSettings, TransferSettings};
pub use per::Per;
pub use settings::{BudgetSettings, Mode, Step, WindowSettings, WithoutQuorum};
pub use write_off::{Released, WriteOff, WriteOffSettings};

use crate::admin::call::{List, Listed, Page, Versioned, Write, WriteAnswer, Written, told};
use crate::admin::read_body::{Body, Query};
use crate::admin::resource::Resource;
use crate::admin::{Admin, Answer, Problem, Timestamp, Window};
use axum::Router;
use axum::extract::{FromRequest, Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Budgets.
#[derive(Clone, Copy, Debug)]
pub enum Budgets {}

impl Resource for Budgets {
    const KIND: &'static str = "budget";
    const PATH: &'static str = "budgets";
    const LISTS: &'static str = "Lists budgets with their books.";
    const PUTS: &'static str =
        "Creates a budget or replaces its limits. What was spent stays spent.";
    const DELETES: &'static str = "Deletes a budget that nothing names.";
    type Object = Budget;
    type Settings = BudgetSettings;

    fn name(settings: &BudgetSettings) -> Option<&str> {
        settings.name.as_deref()
    }

    fn check(settings: &BudgetSettings) -> Answer<()> {
        settings.check()
    }
}

/// An increase that has not expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Increase {
    /// So much more.
    pub amount: Amount,
    /// Until then.
    pub until: Timestamp,
}

/// One window of a budget, with the books of its present period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BudgetWindow {
    /// When it starts anew.
    pub window: Window,
    /// Number of the present period. Absent where each subject has its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<u64>,
    /// When that began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// When the next one begins. Absent: never, or each subject has its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<Timestamp>,
    /// What each subject may spend. Absent: all share one limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub each: Option<Amount>,
    /// The figures; summed over the subjects where each has its own.
    #[serde(flatten)]
    pub books: Books,
    /// Increases that have not expired.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub increases: Vec<Increase>,
    /// What the overspend bound is made of. Empty: the limit cannot be exceeded.
    pub overspend_because: Vec<Because>,
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
    /// IANA name of the time zone of calendar windows.
    pub time_zone: String,
    /// Who shares the limit.
    pub per: Per,
    /// Subjects with accounts of their own. Absent: all share one limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instances: Option<usize>,
    /// What a node may let through that cannot ask the cluster.
    pub without_quorum: WithoutQuorum,
    /// Percentages of the limit that are told to the webhooks.
    pub thresholds: Vec<u8>,
    /// What happens before the limit.
    pub steps: Vec<Step>,
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

/// The accounts of one subject, of a budget that is not shared by all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Instance {
    /// Whose: a key's public id, `user:<name>`, `key:<id>`, a tag, or `<key id>/<session>`.
    pub subject: String,
    /// When it was opened: at the first request.
    pub opened_at: Timestamp,
    /// When it closes by itself. Absent: it lives as long as the budget and its subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<Timestamp>,
    /// Its windows.
    pub windows: Vec<BudgetWindow>,
}

/// What else a node does with budgets. Everything here that changes something leaves an entry in the audit,
/// and does nothing where the caller's name of the operation was used before.
pub trait BudgetActions {
    /// The instances of a budget, by subject; `None`: there is no such budget.
    fn list_instances(&self, name: &str, page: &Page) -> Option<Listed<Instance>>;

    /// Raises a limit for a while.
    fn increase(
        &self,
        name: String,
        settings: IncreaseSettings,
        write: Write,
    ) -> impl Future<Output = Answer<Written<Moved>>> + Send;

    /// Begins the present period anew.
    fn reset(
        &self,
        name: String,
        settings: ResetSettings,
        write: Write,
    ) -> impl Future<Output = Answer<Written<Moved>>> + Send;

    /// Moves limit to another budget, for the present periods.
    fn transfer(
        &self,
        name: String,
        settings: TransferSettings,
        write: Write,
    ) -> impl Future<Output = Answer<Written<Moved>>> + Send;

    /// Releases what silent nodes were granted in the present period, or says what that would be.
    fn write_off(
        &self,
        name: String,
        settings: WriteOffSettings,
        write: Write,
    ) -> impl Future<Output = Answer<Written<WriteOff>>> + Send;
}

pub(in crate::admin) fn router<A: Admin>() -> Router<Arc<A>> {
    Router::new()
        .route("/budgets/{name}", post(act::<A>))
        .route("/budgets/{name}/instances", get(instances::<A>))
}

/// Lists whose accounts a budget has that is not shared by all, with their books.
#[utoipa::path(get, path = "/admin/v1/budgets/{name}/instances", tag = "budgets", operation_id = "list_instances",
    params(("name" = String, Path,), List), responses(
    (status = 200, body = Listed<Instance>), (status = "default", body = Problem)))]
pub(in crate::admin) async fn instances<A: Admin>(
    State(admin): State<Arc<A>>,
    Path(name): Path<String>,
    Query(list): Query<List>,
) -> Answer<Response> {
    let page = list.page()?;
    let index = admin.fresh(list.read()).await?;
    let listed = admin.list_instances(&name, &page);
    Ok(told(listed.ok_or_else(|| Problem::not_found("budget", &name))?, index))
}

/// Raises a limit until a moment. With `Idempotency-Key` a repeated call changes nothing.
#[utoipa::path(post, path = "/admin/v1/budgets/{name}:increase", tag = "budgets", operation_id = "increase_budget",
    params(("name" = String, Path,)), request_body = IncreaseSettings, responses(
    (status = 200, body = WriteAnswer<Moved>), (status = "default", body = Problem)))]
#[expect(dead_code, reason = "describes one action of `act`")]
pub(in crate::admin) fn increase_described() {}

/// Begins the present period anew: nothing spent, the end as before. With `Idempotency-Key` a repeated call
/// changes nothing.
#[utoipa::path(post, path = "/admin/v1/budgets/{name}:reset", tag = "budgets", operation_id = "reset_budget",
    params(("name" = String, Path,)), request_body = ResetSettings, responses(
    (status = 200, body = WriteAnswer<Moved>), (status = "default", body = Problem)))]
#[expect(dead_code, reason = "describes one action of `act`")]
pub(in crate::admin) fn reset_described() {}

/// Moves limit that remains to another budget, for the present periods. With `Idempotency-Key` a repeated
/// call changes nothing.
#[utoipa::path(post, path = "/admin/v1/budgets/{name}:transfer", tag = "budgets", operation_id = "transfer_budget",
    params(("name" = String, Path,)), request_body = TransferSettings, responses(
    (status = 200, body = WriteAnswer<Moved>), (status = "default", body = Problem)))]
#[expect(dead_code, reason = "describes one action of `act`")]
pub(in crate::admin) fn transfer_described() {}

/// Releases what is in suspense: granted to nodes that went silent. They may have spent it, so the limit
/// may be exceeded by as much. Repeating a call releases the same amount again where that much is left.
#[utoipa::path(post, path = "/admin/v1/budgets/{name}:write-off", tag = "budgets", operation_id = "write_off_budget",
    params(("name" = String, Path,)), request_body = WriteOffSettings, responses(
    (status = 200, body = WriteAnswer<WriteOff>), (status = "default", body = Problem)))]
#[expect(dead_code, reason = "describes one action of `act`")]
pub(in crate::admin) fn write_off_described() {}

async fn act<A: Admin>(
    State(admin): State<Arc<A>>,
    Path(name_and_action): Path<String>,
    write: Write,
    request: Request,
) -> Answer<Response> {
    let Some((name, action)) = name_and_action.rsplit_once(':') else {
        return Err(no_action(&name_and_action));
    };
    let name = name.to_owned();
    match action {
        "increase" => {
            let Body(settings) = Body::from_request(request, &()).await?;
            Ok(admin.increase(name, settings, write).await?.into_response())
        }
        "reset" => {
            let Body::<ResetSettings>(settings) = Body::from_request(request, &()).await?;
            settings.check()?;
            Ok(admin.reset(name, settings, write).await?.into_response())
        }
        "transfer" => {
            let Body(settings) = Body::from_request(request, &()).await?;
            Ok(admin.transfer(name, settings, write).await?.into_response())
        }
        "write-off" => {
            let Body(settings) = Body::from_request(request, &()).await?;
            Ok(admin.write_off(name, settings, write).await?.into_response())
        }
        _ => Err(no_action(&name_and_action)),
    }
}

fn no_action(name_and_action: &str) -> Problem {
    Problem::method("POST", &format!("/admin/v1/budgets/{name_and_action}")).fix(
        "PUT creates or replaces a budget; POST takes {name}:increase, {name}:reset, {name}:transfer or {name}:write-off",
    )
}
