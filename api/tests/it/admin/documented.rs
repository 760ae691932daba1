//! What the description says and what is there are the same.

use super::Surface;
use http::Method;
use serde_json::Value;

/// Every method and path of the description, with names filled in.
pub(super) fn operations() -> Vec<(Method, String)> {
    let document: Value = serde_json::from_str(&api::admin::openapi()).unwrap();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let path = path.replace("{name}", "x").replace("{member}", "x");
        for method in methods.as_object().unwrap().keys() {
            let method = method.to_uppercase().parse().unwrap();
            operations.push((method, path.clone()));
        }
    }
    assert!(operations.len() > 50, "{operations:?}");
    operations
}

#[test]
fn the_committed_description_is_the_one_the_code_makes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/admin-v1.json");
    if std::env::var_os("BURSAR_BLESS").is_some() {
        std::fs::write(path, api::admin::openapi()).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == api::admin::openapi(),
        "api/openapi/admin-v1.json is out of date: run `cargo run -- openapi > api/openapi/admin-v1.json`"
    );
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let document: Value = serde_json::from_str(&api::admin::openapi()).unwrap();
    let methods = document["paths"].as_object().unwrap().values();
    let operations = methods.flat_map(|path| path.as_object().unwrap().values());
    let mut names: Vec<_> = operations.map(|o| o["operationId"].as_str().unwrap()).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all, "{names:?}");
}

#[tokio::test]
async fn every_described_operation_exists() {
    for (method, path) in operations() {
        let answer = Surface::new().ask(method.clone(), &path, "{}").await;
        let code = answer.json()["code"].as_str().unwrap_or_default().to_owned();
        assert!(
            !["no_route", "method_not_allowed"].contains(&code.as_str()),
            "{method} {path}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn every_reference_in_the_description_leads_somewhere() {
    let text = api::admin::openapi();
    let document: Value = serde_json::from_str(&text).unwrap();
    for reference in text.split("\"$ref\": \"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

#[tokio::test]
async fn what_does_not_exist_says_where_to_look() {
    let surface = Surface::new();
    assert_eq!(surface.get("/admin/v1/kyes").await.problem(), (404, "no_route".to_owned()));
    assert_eq!(surface.get("/nowhere").await.problem(), (404, "no_route".to_owned()));
    let patch = surface.ask(Method::PATCH, "/admin/v1/keys/x", "{}").await;
    assert_eq!(patch.problem(), (405, "method_not_allowed".to_owned()));
    let action = surface.ask(Method::POST, "/admin/v1/keys/x:frobnicate", "").await;
    assert_eq!(action.problem(), (405, "method_not_allowed".to_owned()));
    assert!(action.json()["fix"].as_str().unwrap().contains("{name}:rotate"));
}
