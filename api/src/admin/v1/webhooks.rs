//! Webhooks: where events are posted to, signed.

use crate::admin::call::{Versioned, Write, WriteAnswer, Written};
use crate::admin::resource::Resource;
use crate::admin::{Admin, Answer, Hidden, Problem, told};
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Webhooks.
#[derive(Clone, Copy, Debug)]
pub enum Webhooks {}

impl Resource for Webhooks {
    const KIND: &'static str = "webhook";
    const PATH: &'static str = "webhooks";
    const LISTS: &'static str = "Lists webhooks.";
    const PUTS: &'static str =
        "Creates or replaces a webhook. A secret that is drawn is in the answer, once.";
    const DELETES: &'static str = "Deletes a webhook; events do not wait for it any more.";
    type Object = Webhook;
    type Settings = WebhookSettings;

    fn name(settings: &WebhookSettings) -> Option<&str> {
        settings.name.as_deref()
    }
}

/// What an operator says of a webhook. A PUT replaces all of it.
///
/// Events are posted as `{"id", "type", "created", "data"}`, signed by the Standard Webhooks scheme:
/// headers `webhook-id`, `webhook-timestamp`, `webhook-signature` (`v1,` and the base64 of HMAC-SHA256 over
/// id, timestamp and body, joined by dots). Each event happens once; it is posted until an answer is 2xx,
/// so one may come more than once, always with the same id.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// The name in the path, or absent.
    pub name: Option<String>,
    /// `https://` or `http://`.
    pub url: String,
    /// Key of the signature: `whsec_` and the base64 of 24 to 64 bytes. Stored sealed. Absent: the one set
    /// before stays; for a new webhook one is drawn.
    #[schema(write_only)]
    pub secret: Option<Hidden>,
    /// Whether it may resolve to loopback and private addresses.
    #[serde(default)]
    pub allow_private_network: bool,
    /// A disabled webhook is sent nothing, and what happens meanwhile does not wait for it.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// A webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Webhook {
    /// Unique.
    pub name: String,
    /// Where events are posted to.
    pub url: String,
    /// The key of the signature. Only in the answer that drew it: it cannot be shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Hidden>,
    /// Whether it may resolve to loopback and private addresses.
    pub allow_private_network: bool,
    /// A disabled webhook is sent nothing.
    pub enabled: bool,
    /// Events that wait for it.
    pub waiting: usize,
    /// Who owns it.
    pub managed_by: String,
    /// Log index of its last change; its `ETag`.
    pub changed_index: u64,
}

impl Versioned for Webhook {
    fn changed_index(&self) -> u64 {
        self.changed_index
    }
}

/// What came of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WebhookTest {
    /// The answer was 2xx.
    pub delivered: bool,
    /// HTTP status of the answer; absent where there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// From the first byte out to the answer's head, in milliseconds.
    pub took_ms: u64,
}

/// What else a node does with webhooks.
pub trait WebhookActions {
    /// Draws another secret.
    fn rotate_webhook(
        &self,
        name: String,
        write: Write,
    ) -> impl Future<Output = Answer<Written<Webhook>>> + Send;

    /// Posts an event `webhook.test`, once.
    fn test_webhook(&self, name: String) -> impl Future<Output = Answer<WebhookTest>> + Send;
}

pub(in crate::admin) fn router<A: Admin>() -> Router<Arc<A>> {
    Router::new().route("/webhooks/{name}", post(act::<A>))
}

/// Draws another secret, shown once. The next delivery is signed with it.
#[utoipa::path(post, path = "/admin/v1/webhooks/{name}:rotate", tag = "webhooks", operation_id = "rotate_webhook",
    params(("name" = String, Path,)), responses(
    (status = 200, body = WriteAnswer<Webhook>), (status = "default", body = Problem)))]
#[expect(dead_code, reason = "describes one action of `act`")]
pub(in crate::admin) fn rotate_described() {}

/// Posts an event `webhook.test` once, from the node that is asked, and says what came of it.
#[utoipa::path(post, path = "/admin/v1/webhooks/{name}:test", tag = "webhooks", operation_id = "test_webhook",
    params(("name" = String, Path,)), responses(
    (status = 200, body = WebhookTest), (status = "default", body = Problem)))]
#[expect(dead_code, reason = "describes one action of `act`")]
pub(in crate::admin) fn test_described() {}

async fn act<A: Admin>(
    State(admin): State<Arc<A>>,
    Path(name_and_action): Path<String>,
    write: Write,
) -> Answer<Response> {
    match name_and_action.rsplit_once(':') {
        Some((name, "rotate")) => {
            Ok(admin.rotate_webhook(name.to_owned(), write).await?.into_response())
        }
        Some((name, "test")) => {
            let came = admin.test_webhook(name.to_owned()).await?;
            Ok(told(came, admin.applied_index()))
        }
        Some(_) | None => {
            Err(Problem::method("POST", &format!("/admin/v1/webhooks/{name_and_action}"))
                .fix("PUT creates or replaces a webhook; POST takes {name}:rotate or {name}:test"))
        }
    }
}
