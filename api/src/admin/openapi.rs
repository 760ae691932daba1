//! The description of the API, made from the code.

use super::v1::{aliases, budgets, cluster, keys, models, nodes, providers};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Bursar admin API",
        version = "1",
        description = "Keys, budgets, providers, aliases and the cluster. Every path exists on every node and \
            answers alike. Errors are application/problem+json. Each write answers the log index it has; \
            ?min_index= of it, or ?consistency=linearizable, shows it on any node. An object's ETag is the log \
            index of its last change: If-Match with it refuses a write with 412 where somebody else was faster.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    paths(
        keys::list, keys::create, keys::read, keys::put, keys::revoke, keys::rotate_described,
        keys::revoke_described, budgets::list, budgets::read, budgets::put, budgets::delete,
        budgets::write_off_described,
        providers::list, providers::read, providers::put, providers::delete,
        aliases::list, aliases::read, aliases::put, aliases::delete, models::list,
        cluster::status, cluster::members, cluster::remove, cluster::transfer_leader,
        nodes::status, nodes::node, nodes::drain
    ),
    modifiers(&Token),
    security(("admin_token" = []))
)]
struct Description;

struct Token;

impl Modify for Token {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The admin token of the cluster."))
            .build();
        openapi
            .components
            .get_or_insert_default()
            .add_security_scheme("admin_token", SecurityScheme::Http(scheme));
    }
}

/// The OpenAPI document, as committed in `api/openapi/admin-v1.json`.
pub fn openapi() -> String {
    let mut text = Description::openapi()
        .to_pretty_json()
        .expect("a description is a tree of strings and lists");
    text.push('\n');
    text
}
