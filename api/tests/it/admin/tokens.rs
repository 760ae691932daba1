//! Who gets in: every operation against every way to get the token wrong.

use super::twin::TOKEN;
use super::{Surface, documented::operations};
use http::{Method, StatusCode};

#[tokio::test]
async fn no_operation_works_without_the_token() {
    let wrong = [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "Bearer wrong".to_owned(),
        format!("Basic {TOKEN}"),
        format!("Bearer {TOKEN}x"),
        format!("Bearer {}", &TOKEN[1..]),
        TOKEN.to_owned(),
    ];
    for (method, path) in operations() {
        let surface = Surface::new();
        let bare = surface.ask_bare(method.clone(), &path, "{}", &[]).await;
        assert_eq!(bare.problem(), (401, "unauthorised".to_owned()), "{method} {path}");
        assert_eq!(bare.header("www-authenticate"), "Bearer");
        for header in &wrong {
            let headers = [("authorization", header.as_str())];
            let answer = surface.ask_bare(method.clone(), &path, "{}", &headers).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path} {header:?}");
        }
        assert_eq!(surface.get("/admin/v1/status").await.json()["counts"]["keys"], 0);
    }
}

#[tokio::test]
async fn what_does_not_exist_is_not_told_to_strangers() {
    let surface = Surface::new();
    for path in ["/admin", "/admin/", "/admin/v1", "/admin/v1/nowhere", "/admin/v1/openapi.json"] {
        let answer = surface.ask_bare(Method::GET, path, "", &[]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
    }
}

#[tokio::test]
async fn the_scheme_is_read_in_any_case() {
    let surface = Surface::new();
    let token = format!("bearer {TOKEN}");
    let headers = [("authorization", token.as_str())];
    let answer = surface.ask_bare(Method::GET, "/admin/v1/status", "", &headers).await;
    assert_eq!(answer.status, StatusCode::OK);
}
