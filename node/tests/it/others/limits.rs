//! What a limit lets through, where gateways let more or less through.

use crate::plane::client::{ask, chat, once};
use crate::plane::node::{PATIENCE, TestNode, USD, until};
use crate::plane::upstream::{Does, Upstream, answer, json};
use ledger::command::{PutBudget, PutKey, RotateKey};
use ledger::{Budget, BudgetWindow, Command, KeyHash, RateLimits, Unit, Window};
use std::time::Duration;

const COST: i64 = 19_000;

async fn house() -> (TestNode, Upstream) {
    let upstream = Upstream::start(Does::Sends(json("200 OK", &answer(7, 3)))).await;
    let node = TestNode::start().await;
    node.provider("up", &upstream.base_url()).await;
    (node, upstream)
}

/// A key on a budget of its own of so many requests.
async fn counted(node: &TestNode, name: &str, requests: i64) -> String {
    node.budget(name, Unit::Requests, requests).await;
    node.key_with(name, |key| key.budgets = vec![name.to_owned()]).await
}

/// Status and code of one call of this key.
async fn call(node: &TestNode, key: &str) -> (u16, String) {
    let told = once(node.addr, &chat(key, &ask("up/m", r#","max_tokens":5"#))).await;
    let code = if told.status == 200 { String::new() } else { told.code() };
    (told.status, code)
}

fn spent(code: &str) -> (u16, String) {
    (402, code.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_at_once_share_what_is_left_and_not_one_more_gets_through() {
    const CALLERS: usize = 40;
    let (node, upstream) = house().await;
    let key = counted(&node, "three", 3).await;
    let request = chat(&key, &ask("up/m", r#","max_tokens":5"#));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (addr, request) = (node.addr, request.clone());
            tokio::spawn(async move { once(addr, &request).await.status })
        })
        .collect();
    let mut answered = 0;
    for caller in callers {
        answered += u32::from(caller.await.unwrap() == 200);
    }
    assert_eq!((answered, upstream.requests().len()), (3, 3));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_cent_is_spent_once_however_many_ask_for_it() {
    let (node, upstream) = house().await;
    // Room for ten answers, and not quite for an eleventh.
    let limit = 11 * COST - 1;
    let key = node.key("k", limit).await;
    let request = chat(&key, &ask("up/m", r#","max_tokens":3"#));
    for _ in 0..4 {
        let callers: Vec<_> = (0..8)
            .map(|_| {
                let (addr, request) = (node.addr, request.clone());
                tokio::spawn(async move { once(addr, &request).await.status })
            })
            .collect();
        for caller in callers {
            let status = caller.await.unwrap();
            assert!([200, 402, 429].contains(&status), "{status}");
        }
    }
    let served = i64::try_from(upstream.requests().len()).unwrap();
    assert!(served * COST <= limit, "{served} answers of {COST} on {limit}");
    assert_eq!(node.spent().await, served * COST);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_of_nothing_lets_nothing_through() {
    let (node, upstream) = house().await;
    for (name, unit) in
        [("usd", Unit::NanoUsd), ("tokens", Unit::Tokens), ("requests", Unit::Requests)]
    {
        node.budget(name, unit, 0).await;
        let key = node.key_with(name, |key| key.budgets = vec![name.to_owned()]).await;
        assert_eq!(call(&node, &key).await.0, 402, "{name}");
    }
    let none = RateLimits::default();
    let rates = [
        RateLimits { requests_per_minute: Some(0), ..none },
        RateLimits { tokens_per_minute: Some(0), ..none },
        RateLimits { concurrent_requests: Some(0), ..none },
    ];
    for (number, limits) in rates.into_iter().enumerate() {
        let key = node.key_with(&format!("rate{number}"), |key| key.limits = limits).await;
        assert_eq!(call(&node, &key).await.0, 429, "{limits:?}");
    }
    assert!(upstream.requests().is_empty());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_that_is_over_starts_anew_by_itself_and_once() {
    let (node, upstream) = house().await;
    let windows = vec![BudgetWindow { window: Window::Fixed(1_000), limit: 1 }];
    let budget = Budget {
        name: "second".to_owned(),
        unit: Unit::Requests,
        windows,
        managed_by: "api:test".to_owned(),
        ..Budget::default()
    };
    let put = PutBudget { budget, if_index: None, periods: Vec::new() };
    node.propose(Command::PutBudget(put)).await;
    let key = node.key_with("k", |key| key.budgets = vec!["second".to_owned()]).await;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut looks = tokio::time::interval(Duration::from_millis(25));
    while upstream.requests().len() < 3 {
        assert!(tokio::time::Instant::now() < deadline, "the window never started anew");
        let (status, code) = call(&node, &key).await;
        assert!([200, 402, 429, 503].contains(&status), "{status} {code}");
        looks.tick().await;
    }
    let ledger = node.cluster.ledger();
    let (account, _) = ledger.budgets["second"].accounts().next().unwrap();
    let periods = ledger.accounts[&account].period;
    assert!(periods >= 3, "three answers of one a window in {periods} windows");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_lowered_below_what_is_spent_refuses_and_forgets_nothing() {
    let (node, upstream) = house().await;
    let key = node.key("k", USD).await;
    for _ in 0..20 {
        assert_eq!(call(&node, &key).await.0, 200);
    }
    // Above what is held for one call, so that it is not refused as one that can never fit.
    let lowered = node.spent().await - 1;
    node.budget("k-budget", Unit::NanoUsd, lowered).await;
    // What the node was granted before is out, and may be spent; the ledger says how much that is.
    let ceiling = {
        let ledger = node.cluster.ledger();
        let (account, _) = ledger.budgets["k-budget"].accounts().next().unwrap();
        ledger.accounts[&account].present().unwrap().ceiling
    };
    let mut refused = call(&node, &key).await;
    while refused.0 != 402 {
        assert!(node.spent().await <= ceiling);
        refused = call(&node, &key).await;
    }
    assert_eq!(refused, spent("budget_exceeded"));
    node.budget("k-budget", Unit::NanoUsd, 0).await;
    assert_eq!(call(&node, &key).await, spent("request_exceeds_budget"));
    node.budget("k-budget", Unit::NanoUsd, USD).await;
    assert_eq!(call(&node, &key).await.0, 200);
    let served = i64::try_from(upstream.requests().len()).unwrap();
    assert_eq!(node.spent().await, served * COST);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_edited_or_rotated_goes_on_where_it_was() {
    let (node, upstream) = house().await;
    let key = counted(&node, "k", 3).await;
    assert_eq!(call(&node, &key).await.0, 200);
    let mut edited = node.cluster.ledger().living_key("k").unwrap().clone();
    edited.limits = RateLimits { requests_per_minute: Some(1_000), ..RateLimits::default() };
    node.propose(Command::PutKey(PutKey { key: edited, if_index: None })).await;
    assert_eq!(call(&node, &key).await.0, 200);
    // The budget named again, and its limit raised by one.
    node.budget("k", Unit::Requests, 3).await;
    node.budget("k", Unit::Requests, 4).await;
    assert_eq!(call(&node, &key).await.0, 200);
    let id = node.cluster.ledger().living_key("k").unwrap().id.clone();
    let hash = KeyHash([5; 32]);
    let (name, managed_by) = ("k".to_owned(), "api:test".to_owned());
    let rotate = RotateKey { name, id, hash, managed_by, if_index: None };
    node.propose(Command::RotateKey(rotate)).await;
    assert_eq!(call(&node, &key).await.0, 401, "the old secret");
    let again = node.key_with("second", |key| key.budgets = vec!["k".to_owned()]).await;
    assert_eq!(call(&node, &again).await.0, 200);
    assert_eq!(call(&node, &again).await, spent("budget_exceeded"));
    assert_eq!(upstream.requests().len(), 4);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_counted_long_ago_is_not_forgotten_for_others() {
    let (node, upstream) = house().await;
    let first = counted(&node, "first", 2).await;
    assert_eq!(call(&node, &first).await.0, 200);
    for number in 0..200 {
        let key = counted(&node, &format!("other{number}"), 1).await;
        assert_eq!(call(&node, &key).await.0, 200);
    }
    // More names of models than are remembered.
    for number in 0..600 {
        let body = ask(&format!("up/nothing{number}"), "");
        assert_eq!(once(node.addr, &chat(&first, &body)).await.status, 404);
    }
    assert_eq!(call(&node, &first).await.0, 200);
    assert_eq!(call(&node, &first).await, spent("budget_exceeded"));
    assert_eq!(upstream.requests().len(), 202);
    until("nothing is in flight", || node.in_flight() == Default::default()).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_one_limit_refuses_is_counted_by_no_other() {
    let (node, upstream) = house().await;
    node.budget("many", Unit::Requests, 2).await;
    node.budget("few", Unit::NanoUsd, 1_000).await;
    let budgets = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let limits = RateLimits { requests_per_minute: Some(2), ..RateLimits::default() };
    let poor = node
        .key_with("poor", |key| {
            key.budgets = budgets(&["many", "few"]);
            key.limits = limits;
        })
        .await;
    for _ in 0..5 {
        assert_eq!(call(&node, &poor).await, spent("request_exceeds_budget"));
    }
    let rich = node.key_with("rich", |key| key.budgets = budgets(&["many"])).await;
    for _ in 0..2 {
        assert_eq!(call(&node, &rich).await.0, 200);
    }
    assert_eq!(call(&node, &rich).await, spent("budget_exceeded"));
    assert_eq!(upstream.requests().len(), 2);
    node.stop().await;
}
