//! `ETag`, `If-Match`, consistency and log indexes.

use super::Surface;
use http::{Method, StatusCode};

const ALIAS: &str = "/admin/v1/aliases/fast";
const BODY: &str = r#"{"targets":[{"provider":"p","model":"m"}]}"#;

#[tokio::test]
async fn the_etag_of_a_read_guards_the_next_write() {
    let surface = Surface::new();
    surface.put(ALIAS, BODY).await;
    let etag = surface.get(ALIAS).await.header("etag").to_owned();
    let first = surface.ask_with(Method::PUT, ALIAS, BODY, &[("if-match", &etag)]).await;
    assert_eq!(first.status, StatusCode::OK);
    let second = surface.ask_with(Method::PUT, ALIAS, BODY, &[("if-match", &etag)]).await;
    assert_eq!(second.problem(), (412, "precondition".to_owned()));
    assert_eq!(second.json()["present_index"], 2);
    let delete = surface.ask_with(Method::DELETE, ALIAS, "", &[("if-match", &etag)]).await;
    assert_eq!(delete.status, StatusCode::PRECONDITION_FAILED);
}

#[tokio::test]
async fn a_star_asks_whether_there_is_one() {
    let surface = Surface::new();
    let must_exist = surface.ask_with(Method::PUT, ALIAS, BODY, &[("if-match", "*")]).await;
    assert_eq!(must_exist.problem(), (412, "precondition".to_owned()));
    let absent = [("if-none-match", "*")];
    let fresh = surface.ask_with(Method::PUT, ALIAS, BODY, &absent).await;
    assert_eq!(fresh.status, StatusCode::CREATED);
    let again = surface.ask_with(Method::PUT, ALIAS, BODY, &absent).await;
    assert_eq!(again.status, StatusCode::PRECONDITION_FAILED);
    let odd = surface.ask_with(Method::PUT, ALIAS, BODY, &[("if-match", "W/x")]).await;
    assert_eq!(odd.problem(), (400, "malformed".to_owned()));
}

#[tokio::test]
async fn reads_are_as_fresh_as_they_are_asked_to_be() {
    let surface = Surface::new();
    surface.put(ALIAS, BODY).await;
    surface.get(ALIAS).await;
    assert_eq!(surface.twin.linearizable_reads(), 0);
    let read = surface.get(&format!("{ALIAS}?consistency=linearizable&min_index=1")).await;
    assert_eq!((read.status, read.header("x-bursar-log-index")), (StatusCode::OK, "1"));
    assert_eq!(surface.twin.linearizable_reads(), 1);
    let behind = surface.get(&format!("{ALIAS}?min_index=9")).await;
    assert_eq!(behind.problem(), (503, "unavailable".to_owned()));
    assert_eq!(behind.header("retry-after"), "1");
}

#[tokio::test]
async fn misspelt_parameters_are_refused() {
    let surface = Surface::new();
    let read = surface.get("/admin/v1/aliases?consistncy=local").await;
    assert_eq!(read.problem(), (422, "unknown_field".to_owned()));
    assert_eq!(read.json()["errors"][0]["did_you_mean"], "consistency");
    let wrong = surface.get("/admin/v1/aliases?consistency=strong").await;
    assert_eq!(wrong.problem(), (400, "malformed".to_owned()));
    let write = surface.put(&format!("{ALIAS}?dry_run=true"), BODY).await;
    assert_eq!(write.status, StatusCode::UNPROCESSABLE_ENTITY, "{write:?}");
}
