//! What a request is charged to and held to beyond its key: scopes, single places, tags, sessions.

use super::client::{ask, chat, chat_with, once};
use super::node::{TestNode, USD, until};
use super::upstream::{Does, Upstream, answer, json};
use ledger::{Narrowed, Per, RateLimits, ScopeKind, UsageSums};

/// What the upstream's answer costs.
const COST: i64 = 7 * 1_000 + 3 * 4_000;

async fn house() -> (TestNode, Upstream) {
    let upstream = Upstream::start(Does::Sends(json("200 OK", &answer(7, 3)))).await;
    let node = TestNode::start().await;
    node.provider("up", &upstream.base_url()).await;
    (node, upstream)
}

fn cheap() -> String {
    ask("up/m", r#","max_tokens":1"#)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_teams_limits_are_shared_by_its_keys_and_a_refusal_names_the_team() {
    let (node, _upstream) = house().await;
    let per_minute = |limit| RateLimits { requests_per_minute: Some(limit), ..<_>::default() };
    let team = node.scope_with(ScopeKind::Team, "ml", |team| team.limits = per_minute(2)).await;
    let with_team = |key: &mut ledger::VirtualKey| {
        key.scope = Some(team.clone());
        key.limits = per_minute(5);
    };
    let one = node.key_with("one", with_team).await;
    let two = node.key_with("two", with_team).await;
    for key in [&one, &two] {
        assert_eq!(once(node.addr, &chat(key, &cheap())).await.status, 200);
    }
    let refused = once(node.addr, &chat(&two, &cheap())).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "request_limited"));
    assert!(refused.text().contains("team ml"), "{}", refused.text());
    assert!(refused.header("retry-after-ms").is_some());
    // What the team refused did not count against the key.
    let standing = once(node.addr, &super::client::get("/v1/key", &two)).await.json();
    assert_eq!(standing["limits"][0]["requests_per_minute"]["remaining"], 4, "{standing}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn budgets_of_all_scopes_are_charged_and_usage_names_them() {
    let (node, _upstream) = house().await;
    for name in ["of-customer", "of-team", "of-key"] {
        node.budget_of(name, USD, |_| ()).await;
    }
    let customer = node
        .scope_with(ScopeKind::Customer, "acme", |scope| scope.budgets = vec!["of-customer".into()])
        .await;
    let team = node
        .scope_with(ScopeKind::Team, "ml", |scope| {
            scope.budgets = vec!["of-team".into()];
            scope.parent = Some(customer);
        })
        .await;
    let key = node
        .key_with("k", |key| {
            key.scope = Some(team);
            key.budgets = vec!["of-key".to_owned()];
        })
        .await;
    let tagged = chat_with(&key, "x-litellm-tags: b, a\r\nx-bf-dim-env: dev\r\n", &cheap());
    assert_eq!(once(node.addr, &tagged).await.status, 200);
    until("all three are charged", || {
        ["of-customer", "of-team", "of-key"].iter().all(|name| node.reported(name) == COST)
    })
    .await;
    let ledger = node.cluster.ledger();
    let (row, sums) = ledger.usage.iter().next().unwrap();
    assert_eq!((row.customer.as_str(), row.team.as_str(), row.user.as_str()), ("acme", "ml", ""));
    assert_eq!((row.provider.as_str(), row.model.as_str()), ("up", "m"));
    assert_eq!((row.tags.join(" "), row.budgets.len()), ("a b env=dev".to_owned(), 3));
    let expected = UsageSums {
        requests: 1,
        input_tokens: 7,
        output_tokens: 3,
        cost_nano_usd: COST,
        ..UsageSums::default()
    };
    assert_eq!(*sums, expected);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_tag_has_accounts_of_its_own_which_open_on_first_use() {
    let (node, _upstream) = house().await;
    node.budget_of("per-tag", USD, |budget| budget.per = Per::Tag).await;
    let key = node.key_with("k", |key| key.budgets = vec!["per-tag".to_owned()]).await;
    // Many at once share one proposal for each tag.
    let request = chat_with(&key, "x-bursar-tags: red,blue\r\n", &cheap());
    let answers = (0..8).map(|_| once(node.addr, &request));
    for answer in futures_util::future::join_all(answers).await {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    assert_eq!(once(node.addr, &chat(&key, &cheap())).await.status, 200);
    until("both are charged", || node.reported("per-tag") == 2 * 8 * COST).await;
    let ledger = node.cluster.ledger();
    let subjects: Vec<_> = ledger.instances.keys().map(|(_, subject)| subject.as_str()).collect();
    assert_eq!(subjects, ["blue", "red"]);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_has_a_budget_of_its_own_for_keys_that_may_open_one() {
    let (node, upstream) = house().await;
    // Holds some $0.0006 and costs $0.0004: fits once.
    upstream.does(Does::Sends(json("200 OK", &answer(7, 100))));
    node.budget_of("run", 900_000, |budget| {
        budget.per = Per::Session { ttl_ms: 3_600_000 };
    })
    .await;
    let may = |key: &mut ledger::VirtualKey| {
        key.budgets = vec!["run".to_owned()];
        key.may_open_sessions = true;
    };
    let key = node.key_with("k", may).await;
    let other = node.key_with("other", |key| key.budgets = vec!["run".to_owned()]).await;
    let dear = ask("up/m", r#","max_tokens":100"#);
    let in_session = |key: &str, session: &str, body: &str| {
        chat_with(key, &format!("x-bf-session-id: {session}\r\n"), body)
    };
    assert_eq!(once(node.addr, &in_session(&key, "one", &dear)).await.status, 200);
    let refused = once(node.addr, &in_session(&key, "one", &dear)).await;
    assert_eq!((refused.status, refused.code().as_str()), (402, "budget_exceeded"));
    assert!(refused.text().contains("budget run of "), "{}", refused.text());
    // Another session, no session, and a key that may not open any are not touched by that.
    assert_eq!(once(node.addr, &in_session(&key, "two", &dear)).await.status, 200);
    assert_eq!(once(node.addr, &chat(&key, &dear)).await.status, 200);
    for _ in 0..2 {
        assert_eq!(once(node.addr, &in_session(&other, "one", &dear)).await.status, 200);
    }
    let standing = once(node.addr, &super::client::get("/v1/key", &key)).await.json();
    assert_eq!(standing["budgets"].as_array().unwrap().len(), 2, "{standing}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hints_that_cannot_be_taken_are_refused_before_anything_is_sent() {
    let (node, upstream) = house().await;
    let key = node.key("k", USD).await;
    let long = "x".repeat(200);
    for header in [format!("x-bursar-session: {long}"), format!("x-litellm-tags: {long}")] {
        let answer = once(node.addr, &chat_with(&key, &format!("{header}\r\n"), &cheap())).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "invalid_headers"));
    }
    assert!(upstream.requests().is_empty());
    assert_eq!(node.spent().await, 0);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_spent_for_one_provider_leaves_the_others() {
    let (node, _upstream) = house().await;
    let second = Upstream::start(Does::Sends(json("200 OK", &answer(7, 3)))).await;
    node.provider("second", &second.base_url()).await;
    node.alias("chat", &[("up", 1), ("second", 0)]).await;
    node.budget_of("at-up", 1, |_| ()).await;
    let key = node
        .key_with("k", |key| {
            key.narrowed = vec![Narrowed {
                provider: Some("up".to_owned()),
                budgets: vec!["at-up".to_owned()],
                ..Narrowed::default()
            }];
        })
        .await;
    let answer = once(node.addr, &chat(&key, &ask("chat", ""))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("x-bursar-provider"), Some("second"));
    let refused = once(node.addr, &chat(&key, &cheap())).await;
    assert_eq!((refused.status, refused.code().as_str()), (402, "request_exceeds_budget"));
    node.stop().await;
}
