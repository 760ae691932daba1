//! On the way to a limit: a cheaper model, fewer requests.

use super::client::{ask, chat, once};
use super::node::{TestNode, until};
use super::upstream::{Does, Upstream, answer, json};
use ledger::{Action, Mode, Step};

async fn house(mode: Mode, action: Action) -> (TestNode, Upstream, String) {
    let upstream = Upstream::start(Does::Sends(json("200 OK", &answer(7, 3)))).await;
    let node = TestNode::start().await;
    node.provider("up", &upstream.base_url()).await;
    node.provider("small", &upstream.base_url()).await;
    node.alias("cheap", &[("small", 1)]).await;
    // One answer costs 19 % of a soft limit, and 1 % of a hard one that lets several through.
    let (limit, at_percent) = match mode {
        Mode::Soft => (100_000, 15),
        Mode::Hard => (1_900_000, 1),
    };
    node.budget_of("b", limit, |budget| {
        budget.mode = mode;
        budget.steps = vec![Step { at_percent, action }];
    })
    .await;
    let key = node.key_with("k", |key| key.budgets = vec!["b".to_owned()]).await;
    (node, upstream, key)
}

fn cheap() -> String {
    ask("up/m", r#","max_tokens":1,"fallbacks":["up/m"]"#)
}

async fn spend_some(node: &TestNode, key: &str) {
    let first = once(node.addr, &chat(key, &cheap())).await;
    assert_eq!((first.status, first.header("x-bursar-provider")), (200, Some("up")), "{first:?}");
    until("the ledger knows", || node.reported("b") > 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_near_its_limit_has_a_cheaper_model_serve_and_says_so() {
    for mode in [Mode::Soft, Mode::Hard] {
        let (node, _upstream, key) = house(mode, Action::Downgrade("cheap".to_owned())).await;
        spend_some(&node, &key).await;
        let second = once(node.addr, &chat(&key, &cheap())).await;
        assert_eq!(second.header("x-bursar-provider"), Some("small"), "{second:?}");
        assert_eq!(second.header("x-bursar-route"), Some("cheap"));
        assert_eq!(second.header("x-bursar-downgraded-from"), Some("up/m"));
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_to_fall_back_to_that_is_not_there_is_passed_over() {
    let (node, _upstream, key) = house(Mode::Soft, Action::Downgrade("gone".to_owned())).await;
    spend_some(&node, &key).await;
    let second = once(node.addr, &chat(&key, &cheap())).await;
    assert_eq!(second.header("x-bursar-provider"), Some("up"), "{second:?}");
    assert_eq!(second.header("x-bursar-downgraded-from"), None);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_near_its_limit_slows_down_and_names_itself() {
    let (node, _upstream, key) = house(Mode::Soft, Action::Throttle(1)).await;
    spend_some(&node, &key).await;
    assert_eq!(once(node.addr, &chat(&key, &cheap())).await.status, 200);
    let refused = once(node.addr, &chat(&key, &cheap())).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "request_limited"));
    assert!(refused.text().contains("budget b"), "{}", refused.text());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_soft_budget_goes_on_beyond_its_limit() {
    let (node, _upstream, key) = house(Mode::Soft, Action::Throttle(1_000)).await;
    // 152 % of the limit.
    for _ in 0..8 {
        assert_eq!(once(node.addr, &chat(&key, &cheap())).await.status, 200);
    }
    assert_eq!(node.spent().await, 8 * 19_000);
    node.stop().await;
}
