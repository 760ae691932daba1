//! Virtual keys.

use super::terms::{Labels, Limits, Narrowed, Owner, check_narrowed};
use crate::admin::call::{Versioned, Write, WriteAnswer, Written};
use crate::admin::read_body::Body;
use crate::admin::resource::{Objects, Resource};
use crate::admin::{Admin, Answer, Hidden, Problem, Timestamp, Usd, Window};
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Virtual keys.
#[derive(Clone, Copy, Debug)]
pub enum Keys {}

impl Resource for Keys {
    const KIND: &'static str = "key";
    const PATH: &'static str = "keys";
    const LISTS: &'static str = "Lists keys that are not revoked.";
    const PUTS: &'static str =
        "Creates a key (201, with the key itself, once) or replaces its settings (200).";
    const DELETES: &'static str =
        "Revokes a key for ever: it has stopped on every node not named in `not_confirmed_by`.";
    type Object = Key;
    type Settings = KeySettings;

    fn name(settings: &KeySettings) -> Option<&str> {
        settings.name.as_deref()
    }

    fn check(settings: &KeySettings) -> Answer<()> {
        if settings.budget_window.is_some() && settings.budget_usd.is_none() {
            let say = "says when a budget starts anew, and there is no budget_usd";
            return Err(Problem::invalid("budget_window", say));
        }
        settings.owner()?;
        check_narrowed(&settings.narrowed)
    }
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
    /// The customer it belongs to, by name. At most one of customer, team and user is given: the nearest.
    pub customer: Option<String>,
    /// The team it belongs to.
    pub team: Option<String>,
    /// The user it belongs to.
    pub user: Option<String>,
    /// What selectors look at.
    pub labels: Labels,
    /// Terms of single providers and models.
    pub narrowed: Vec<Narrowed>,
    /// The access profile it has. Fields that the profile owns are left out, or as the profile has them.
    pub profile: Option<String>,
    /// Whether its requests may open sessions, which budgets per session have limits for.
    pub may_open_sessions: bool,
    /// Tags each of its requests carries.
    pub tags: Vec<String>,
    /// Whether streams whose caller left are read to their end, to learn what they cost.
    pub drain_on_disconnect: bool,
    /// Whether its requests may reach what a provider keeps for whoever has its credential: files, uploads,
    /// batches and lists of stored answers. Other keys' are among them.
    pub may_use_files: bool,
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
            customer: None,
            team: None,
            user: None,
            labels: Labels::new(),
            narrowed: Vec::new(),
            profile: None,
            may_open_sessions: false,
            tags: Vec::new(),
            drain_on_disconnect: false,
            may_use_files: false,
        }
    }
}

impl KeySettings {
    /// Name of the budget that `budget_usd` makes.
    pub fn own_budget(key: &str) -> String {
        format!("key:{key}")
    }

    /// To whom it belongs.
    ///
    /// # Errors
    ///
    /// Several are named.
    pub fn owner(&self) -> Answer<Option<Owner<'_>>> {
        Owner::one_of(self.customer.as_deref(), self.team.as_deref(), self.user.as_deref())
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
    /// The customer it belongs to directly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// The team it belongs to directly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The user it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What selectors look at.
    pub labels: Labels,
    /// Terms of single providers and models.
    pub narrowed: Vec<Narrowed>,
    /// The access profile it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Fields that the profile owns: they change with it and cannot be set here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub profile_owns: Vec<&'static str>,
    /// Whether its requests may open sessions.
    pub may_open_sessions: bool,
    /// Tags each of its requests carries.
    pub tags: Vec<String>,
    /// Whether streams whose caller left are read to their end.
    pub drain_on_disconnect: bool,
    /// Whether its requests may reach what a provider keeps for whoever has its credential: files, uploads,
    /// batches and lists of stored answers. Other keys' are among them.
    pub may_use_files: bool,
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

/// What else a node does with keys.
pub trait KeyActions {
    /// Creates a key; with `name` `None` one is made up.
    fn create_key(
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
}

pub(in crate::admin) fn router<A: Admin>() -> Router<Arc<A>> {
    Router::new().route("/keys", post(create::<A>)).route("/keys/{name}", post(act::<A>))
}

/// Creates a key. The answer holds the key itself, once.
#[utoipa::path(post, path = "/admin/v1/keys", tag = "keys", operation_id = "create_key", request_body = KeySettings, responses(
    (status = 201, body = WriteAnswer<Key>), (status = "default", body = Problem)))]
pub(in crate::admin) async fn create<A: Admin>(
    State(admin): State<Arc<A>>,
    mut write: Write,
    Body(settings): Body<KeySettings>,
) -> Answer<Response> {
    Keys::check(&settings)?;
    write.condition = crate::admin::Condition::Absent;
    let name = settings.name.clone();
    let made = admin.create_key(name.clone(), settings, write).await;
    let made = made.map_err(|problem| match (problem.status(), name) {
        (412, Some(name)) => Problem::conflict(format!("there is a key {name:?} already")).fix(
            "PUT replaces its settings; POST /admin/v1/keys/{name}:rotate gives it a new secret",
        ),
        (_, _) => problem,
    })?;
    Ok(made.into_response())
}

/// Gives a key another secret, shown once; its `id` stays, and so do its usage and receipts. The old secret
/// has stopped on every node not named.
#[utoipa::path(post, path = "/admin/v1/keys/{name}:rotate", tag = "keys", operation_id = "rotate_key", params(("name" = String, Path,)), responses(
    (status = 200, body = WriteAnswer<Key>), (status = "default", body = Problem)))]
#[expect(dead_code, reason = "describes one action of `act`")]
pub(in crate::admin) fn rotate_described() {}

/// Revokes a key for ever, like DELETE.
#[utoipa::path(post, path = "/admin/v1/keys/{name}:revoke", tag = "keys", operation_id = "revoke_key", params(("name" = String, Path,)), responses(
    (status = 200, body = WriteAnswer<Key>), (status = "default", body = Problem)))]
#[expect(dead_code, reason = "describes one action of `act`")]
pub(in crate::admin) fn revoke_described() {}

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
            let revoked = Objects::<Keys>::delete(&*admin, name.to_owned(), write).await?;
            Ok(revoked.into_response())
        }
        Some(_) | None => {
            Err(Problem::method("POST", &format!("/admin/v1/keys/{name_and_action}"))
                .fix("PUT creates or replaces a key; POST takes {name}:rotate or {name}:revoke"))
        }
    }
}
