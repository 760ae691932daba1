//! Lists, page by page.

use super::Surface;
use http::StatusCode;

#[tokio::test]
async fn cursors_lead_through_every_list_without_gap_or_repetition() {
    let surface = Surface::new();
    let lists = [
        ("keys", "{}"),
        ("budgets", r#"{"limit_requests":1}"#),
        ("providers", r#"{"base_url":"https://u/v1"}"#),
        ("aliases", r#"{"targets":[]}"#),
    ];
    for (list, body) in lists {
        for nth in 0..7 {
            let put = surface.put(&format!("/admin/v1/{list}/n{nth}"), body).await;
            assert_eq!(put.status, StatusCode::CREATED, "{put:?}");
        }
        let mut names = Vec::new();
        let mut path = format!("/admin/v1/{list}?limit=3");
        loop {
            let page = surface.get(&path).await.json();
            for item in page["items"].as_array().unwrap() {
                names.push(item["name"].as_str().unwrap().to_owned());
            }
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/admin/v1/{list}?limit=3&cursor={cursor}");
        }
        assert_eq!(names, ["n0", "n1", "n2", "n3", "n4", "n5", "n6"], "{list}");
    }
}

#[tokio::test]
async fn a_page_has_a_sensible_size() {
    let surface = Surface::new();
    for limit in ["0", "1001", "99999999999"] {
        let answer = surface.get(&format!("/admin/v1/keys?limit={limit}")).await;
        assert_eq!(answer.problem().0, 422, "{answer:?}");
        assert_eq!(answer.json()["errors"][0]["field"], "limit");
    }
}
