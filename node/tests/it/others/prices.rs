//! What a request costs, where gateways get it wrong.

use crate::plane::client::{Answer, ask, chat, once};
use crate::plane::node::{PRICE, TestNode, USD, until};
use crate::plane::streams::{END, house, sends, stream};
use crate::plane::upstream::{DONE, Does, FINISH, Upstream, answer, event, json, usage};
use cluster::allowance::{Charge, PurseTerms};
use ledger::{Price, Unit, UnixMillis, UsageSums, view};
use std::time::{Duration, UNIX_EPOCH};

/// An answer that used so much, in the words of the provider.
fn answer_with(usage: &str) -> Vec<u8> {
    let told = answer(7, 3);
    let (before, _) = told.split_once(r#""usage":"#).unwrap();
    json("200 OK", &format!(r#"{before}"usage":{usage}}}"#))
}

/// A question long enough for a thousand tokens of input.
fn long_question(model: &str) -> String {
    let words = "word ".repeat(1_000);
    format!(
        r#"{{"model":"{model}","messages":[{{"role":"user","content":"{words}"}}],"max_tokens":20}}"#
    )
}

fn request_with_id(key: &str, id: &str) -> Vec<u8> {
    let request = String::from_utf8(chat(key, &ask("up/m", r#","max_tokens":5"#))).unwrap();
    request.replacen("host: test\r\n", &format!("host: test\r\nx-request-id: {id}\r\n"), 1).into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_requests_with_one_request_id_are_two_requests() {
    let (node, upstream, key) = house(Does::Sends(json("200 OK", &answer(7, 3)))).await;
    for _ in 0..2 {
        let told = once(node.addr, &request_with_id(&key, "the-same")).await;
        assert_eq!((told.status, told.header("x-request-id")), (200, Some("the-same")));
    }
    assert_eq!(upstream.requests().len(), 2);
    assert_eq!(node.spent().await, 2 * 19_000);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_from_the_cache_cost_what_such_tokens_cost_and_each_token_once() {
    let (node, upstream, key) = house(Does::Hangs(Vec::new())).await;
    node.provider_with("up", &upstream.base_url(), |provider| {
        provider.models[0].price = Some(Price {
            cache_read_nano_usd_per_mtok: Some(100_000_000),
            cache_write_nano_usd_per_mtok: Some(1_250_000_000),
            ..PRICE
        });
    })
    .await;
    let read = r#"{"prompt_tokens":1000,"completion_tokens":10,"total_tokens":1010,"prompt_tokens_details":{"cached_tokens":900}}"#;
    // Said twice, and part of the prompt all the same.
    let written = r#"{"prompt_tokens":1000,"completion_tokens":10,"total_tokens":1010,"cache_creation_input_tokens":400,"prompt_tokens_details":{"cached_tokens":500,"cache_write_tokens":400}}"#;
    let cases = [
        (read, 100 * 1_000 + 900 * 100 + 10 * 4_000),
        (written, 100 * 1_000 + 500 * 100 + 400 * 1_250 + 10 * 4_000),
    ];
    for (usage, cost) in cases {
        upstream.does(Does::Sends(answer_with(usage)));
        let before = node.spent().await;
        let told = once(node.addr, &chat(&key, &long_question("up/m"))).await;
        assert_eq!(told.status, 200, "{told:?}");
        assert_eq!(node.spent().await - before, cost, "{usage}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn usage_told_in_every_chunk_is_counted_so_far_and_not_summed() {
    let so_far = |output: u64| {
        let told = format!(
            r#"}}],"usage":{{"prompt_tokens":7,"completion_tokens":{output},"total_tokens":{}}}}}"#,
            7 + output
        );
        event("a").replace("}]}", &told)
    };
    let events = [so_far(1), so_far(2), so_far(3)];
    let bytes = sends(&[&events[0], &events[1], &events[2], FINISH, &usage(7, 3), DONE], END);
    let (node, _upstream, key) = house(Does::Sends(bytes)).await;
    let told = once(node.addr, &stream(&key, r#","stream_options":{"include_usage":true}"#)).await;
    assert!(told.text().ends_with(DONE), "{told:?}");
    assert_eq!(node.spent().await, 19_000);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fallback_costs_what_its_own_model_costs() {
    let bad = Upstream::start(Does::Sends(json("503 Service Unavailable", "{}"))).await;
    let good = Upstream::start(Does::Sends(json("200 OK", &answer(7, 3)))).await;
    let node = TestNode::start().await;
    let times = |factor: i64| Price {
        input_nano_usd_per_mtok: PRICE.input_nano_usd_per_mtok * factor,
        output_nano_usd_per_mtok: PRICE.output_nano_usd_per_mtok * factor,
        ..PRICE
    };
    let key = node.key("k", USD).await;
    for (asked, serves, factor) in [("dear", "cheap", 1), ("cheap", "dear", 50)] {
        for (name, factor) in [("dear", 50), ("cheap", 1)] {
            let upstream = if name == asked { &bad } else { &good };
            node.provider_with(name, &upstream.base_url(), |provider| {
                provider.models[0].price = Some(times(factor));
            })
            .await;
        }
        let before = node.spent().await;
        let more = format!(r#","max_tokens":5,"fallbacks":["{serves}/m"]"#);
        let told: Answer = once(node.addr, &chat(&key, &ask(&format!("{asked}/m"), &more))).await;
        assert_eq!((told.status, told.header("x-bursar-provider")), (200, Some(serves)));
        assert_eq!(node.spent().await - before, factor * 19_000, "{asked} -> {serves}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_attempt_that_a_provider_billed_is_paid_for() {
    // An answer of 200 that is none: the provider has done its work. Then another one serves.
    let odd = Upstream::start(Does::Sends(json("200 OK", "no json"))).await;
    let good = Upstream::start(Does::Sends(json("200 OK", &answer(7, 3)))).await;
    let node = TestNode::start().await;
    node.provider("odd", &odd.base_url()).await;
    node.provider("good", &good.base_url()).await;
    let key = node.key("k", USD).await;
    let more = r#","max_tokens":5,"fallbacks":["good/m"]"#;
    let told = once(node.addr, &chat(&key, &ask("odd/m", more))).await;
    assert_eq!((told.status, told.header("x-bursar-attempts")), (200, Some("2")));
    let spent = node.spent().await;
    // The first attempt's usage is not known: it is charged what was held for it, five tokens of output
    // and the input as bounded.
    assert!(spent > 19_000 + 5 * 4_000, "{spent}");
    assert_eq!((odd.requests().len(), good.requests().len()), (1, 1));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_charges_of_a_fraction_of_a_cent_sum_to_the_nano_dollar_on_every_book() {
    // A token at 0.10 dollars per million, and one nano-dollar: not one of them is a binary fraction.
    const COST: i64 = 101;
    // A tenth of it where nothing is optimised.
    const TIMES: i64 = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };
    let node = TestNode::start().await;
    node.budget("b", Unit::NanoUsd, 2 * COST * TIMES).await;
    node.key_with("k", |key| key.budgets = vec!["b".to_owned()]).await;
    let ledger = node.cluster.ledger();
    let key = ledger.living_key("k").unwrap();
    let account = view::accounts_of(&ledger, key).remove(0);
    let allowances = node.cluster.allowances();
    let purse = allowances.purse(&PurseTerms {
        account: account.account,
        period: account.period,
        unit: account.unit,
        mode: account.mode,
        limit: account.limit,
        ends_at: account.ends_at,
        without_quorum: account.without_quorum,
    });
    let path = allowances.path(vec![purse], ledger::UsageKey::default());
    // Usage of long past days is forgotten.
    let today = UNIX_EPOCH.elapsed().unwrap().as_millis();
    let now = UnixMillis(u64::try_from(today).unwrap());
    let within = Duration::from_secs(10);
    let charge = |nano_usd| Charge { nano_usd, ..Charge::ZERO };
    for _ in 0..TIMES {
        let hold = allowances.hold(&path, &charge(COST), now, within).await.unwrap();
        let usage = UsageSums { requests: 1, cost_nano_usd: COST, ..UsageSums::default() };
        hold.settle(&charge(COST), &usage);
    }
    assert_eq!(node.spent().await, COST * TIMES);
    until("the ledger knows of all of it", || {
        let ledger = node.cluster.ledger();
        let rows: i64 = ledger.usage.values().map(|sums| sums.cost_nano_usd).sum();
        rows == COST * TIMES && ledger.accounts[&account.account].spent() == COST * TIMES
    })
    .await;
    node.stop().await;
}
