//! Health and metrics, which need no token.

use super::Surface;
use http::{Method, StatusCode};

#[tokio::test]
async fn probes_answer_without_a_token() {
    let surface = Surface::new();
    let probes = [
        "/livez",
        "/healthz",
        "/health/liveliness",
        "/readyz",
        "/health",
        "/health/readiness",
        "/startupz",
    ];
    for path in probes {
        let answer = surface.ask_bare(Method::GET, path, "", &[]).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "ok\n"), "{path}");
    }
    let metrics = surface.ask_bare(Method::GET, "/metrics", "", &[]).await;
    assert!(metrics.text.starts_with("# HELP"));
    assert!(metrics.header("content-type").starts_with("text/plain; version=0.0.4"));
}

#[tokio::test]
async fn a_verbose_probe_names_each_check() {
    let surface = Surface::new();
    for path in ["/readyz?verbose", "/readyz?verbose=true"] {
        let answer = surface.ask_bare(Method::GET, path, "", &[]).await;
        assert_eq!(answer.text, "[+]not_draining: so it is\nreadyz check passed\n");
    }
}

#[tokio::test]
async fn readiness_waits_for_a_log_index() {
    let surface = Surface::new();
    let behind = surface.ask_bare(Method::GET, "/readyz?min_index=5", "", &[]).await;
    assert_eq!(behind.status, StatusCode::SERVICE_UNAVAILABLE);
    surface.put("/admin/v1/keys/a", "{}").await;
    let reached = surface.ask_bare(Method::GET, "/readyz?min_index=1", "", &[]).await;
    assert_eq!(reached.status, StatusCode::OK);
}
