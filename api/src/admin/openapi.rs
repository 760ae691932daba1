//! The description of the API, made from the code.

use super::resource::describe;
use super::v1::scopes::{Customers, Teams, Users};
use super::v1::{
    aliases, audit, budgets, cluster, keys, models, nodes, profiles, providers, selectors, usage,
    webhooks,
};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Bursar admin API",
        version = "1",
        description = "Keys and who they belong to, budgets, providers, aliases, webhooks, usage and the cluster. \
            Every path exists on every node and answers alike. Errors are application/problem+json. Each write \
            answers the log index it has; ?min_index= of it, or ?consistency=linearizable, shows it on any node. \
            An object's ETag is the log index of its last change: If-Match with it refuses a write with 412 where \
            somebody else was faster. Idempotency-Key on an action that moves money by hand lets it be repeated \
            safely.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    paths(
        keys::create, keys::rotate_described, keys::revoke_described,
        budgets::instances, budgets::increase_described, budgets::reset_described, budgets::transfer_described,
        budgets::write_off_described, webhooks::rotate_described, webhooks::test_described,
        models::list, usage::report, audit::list,
        cluster::status, cluster::members, cluster::remove, cluster::transfer_leader,
        nodes::status, nodes::node, nodes::doors, nodes::drain
    ),
    modifiers(&Resources, &Token),
    security(("admin_token" = []))
)]
struct Description;

/// Every kind of named object.
struct Resources;

impl Modify for Resources {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        describe::<keys::Keys>(openapi);
        describe::<budgets::Budgets>(openapi);
        describe::<Customers>(openapi);
        describe::<Teams>(openapi);
        describe::<Users>(openapi);
        describe::<selectors::Selectors>(openapi);
        describe::<profiles::Profiles>(openapi);
        describe::<providers::Providers>(openapi);
        describe::<aliases::Aliases>(openapi);
        describe::<webhooks::Webhooks>(openapi);
    }
}

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
