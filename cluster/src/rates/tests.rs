//! Three nodes share limits through a leader that runs in the same process.

use super::*;
use futures_util::future::BoxFuture;

const NOW: u64 = 1_800_000_000_000;

struct Leader {
    desk: Arc<RateDesk>,
    started: Instant,
}

impl AskShares for Leader {
    fn ask(&self, report: RateReport) -> BoxFuture<'_, Option<RateShares>> {
        let now_ms = millis(self.started.elapsed());
        Box::pin(async move { handle_rate_report(&self.desk, report, now_ms).await })
    }
}

fn limits(requests: Option<u64>, tokens: Option<u64>, concurrent: Option<u64>) -> RateLimits {
    RateLimits {
        requests_per_minute: requests,
        tokens_per_minute: tokens,
        concurrent_requests: concurrent,
    }
}

/// Nodes with running report loops and one leader.
fn cluster(nodes: u64) -> Vec<Arc<Rates>> {
    let desk = Arc::new(RateDesk::default());
    desk.lead(0, true);
    let start = |node| {
        let rates = Rates::new();
        rates.set_nodes(nodes, nodes);
        let leader = Leader { desk: Arc::clone(&desk), started: Instant::now() };
        tokio::spawn(Arc::clone(&rates).run(node, Arc::new(leader)));
        rates
    };
    (1..=nodes).map(start).collect()
}

#[test]
fn a_cluster_of_one_has_the_whole_limit_at_once() {
    let rates = Rates::new();
    let terms = rates.terms("key", limits(Some(3), None, None));
    let begun: Vec<_> = (0..3).map(|_| rates.try_begin(&terms, NOW, 1).unwrap()).collect();
    let limited = rates.try_begin(&terms, NOW, 1).unwrap_err();
    assert_eq!((limited.which, limited.limit, limited.remaining), (Dimension::Requests, 3, 0));
    assert!(limited.retry_after_ms > 55_000 && limited.retry_after_ms <= 65_000);
    assert!(!limited.may_grow);
    drop(begun);
    assert!(rates.try_begin(&terms, NOW + limited.retry_after_ms, 1).is_ok());
}

#[test]
fn a_key_without_limits_is_never_refused_and_zero_lets_nothing_through() {
    let rates = Rates::new();
    let free = rates.terms("free", RateLimits::default());
    assert!((0..10_000).all(|_| rates.try_begin(&free, NOW, u64::MAX).is_ok()));
    for none in
        [limits(Some(0), None, None), limits(None, Some(0), None), limits(None, None, Some(0))]
    {
        let terms = rates.terms("none", none);
        assert!(rates.try_begin(&terms, NOW, 0).is_err());
    }
}

#[test]
fn places_in_flight_are_freed_when_requests_end() {
    let rates = Rates::new();
    let terms = rates.terms("key", limits(None, None, Some(2)));
    let first = rates.try_begin(&terms, NOW, 1).unwrap();
    let _second = rates.try_begin(&terms, NOW, 1).unwrap();
    let limited = rates.try_begin(&terms, NOW, 1).unwrap_err();
    assert_eq!(limited.which, Dimension::Concurrency);
    drop(first);
    assert!(rates.try_begin(&terms, NOW, 1).is_ok());
}

#[test]
fn a_refused_or_cancelled_request_burns_nothing() {
    let rates = Rates::new();
    let terms = rates.terms("key", limits(Some(10), Some(100), Some(1)));
    let running = rates.try_begin(&terms, NOW, 60).unwrap();
    for _ in 0..5 {
        assert!(rates.try_begin(&terms, NOW, 10).is_err());
    }
    let standing = rates.standing(&terms, Dimension::Requests, NOW);
    assert_eq!((standing.limit, standing.remaining), (Some(10), 9));
    assert_eq!(rates.standing(&terms, Dimension::Tokens, NOW).remaining, 40);
    running.cancel();
    assert_eq!(rates.standing(&terms, Dimension::Requests, NOW).remaining, 10);
    assert_eq!(rates.standing(&terms, Dimension::Tokens, NOW).remaining, 100);
    assert_eq!(rates.standing(&terms, Dimension::Tokens, NOW).reset_ms, 0);
}

#[test]
fn tokens_are_corrected_to_what_was_used() {
    let rates = Rates::new();
    let terms = rates.terms("key", limits(None, Some(100), None));
    let mut request = rates.try_begin(&terms, NOW, 90).unwrap();
    request.used_tokens(30, NOW + 100);
    assert_eq!(rates.standing(&terms, Dimension::Tokens, NOW + 100).remaining, 70);
    request.used_tokens(45, NOW + 200);
    drop(request);
    assert_eq!(rates.standing(&terms, Dimension::Tokens, NOW + 200).remaining, 55);
}

#[test]
fn a_request_larger_than_the_limit_needs_the_minute_for_itself() {
    let rates = Rates::new();
    let terms = rates.terms("key", limits(None, Some(100), None));
    let mut huge = rates.try_begin(&terms, NOW, 5_000).unwrap();
    assert!(rates.try_begin(&terms, NOW, 1).is_err());
    huge.used_tokens(20, NOW);
    assert!(rates.try_begin(&terms, NOW, 5_000).is_err());
    assert!(rates.try_begin(&terms, NOW, 80).is_ok());
}

#[tokio::test(start_paused = true)]
async fn one_busy_node_comes_to_use_almost_the_whole_limit() {
    let nodes = cluster(3);
    let terms = nodes[0].terms("key", limits(Some(90), None, None));
    let mut begun = 0;
    for _ in 0..200 {
        let within = Duration::from_millis(250);
        if nodes[0].begin(&terms, NOW, 1, within).await.is_ok() {
            begun += 1;
        }
    }
    assert_eq!(begun, 90);
}

#[tokio::test(start_paused = true)]
async fn all_nodes_together_stay_within_the_limit_once_they_have_shares() {
    let nodes = cluster(3);
    let all: Vec<_> = nodes.iter().map(|n| n.terms("key", limits(Some(90), None, None))).collect();
    let mut begun = [0_u64; 3];
    for round in 0..300_u64 {
        for (at, node) in nodes.iter().enumerate() {
            let now_ms = NOW + round * 100;
            begun[at] += u64::from(node.try_begin(&all[at], now_ms, 1).is_ok());
        }
        tokio::time::advance(Duration::from_millis(100)).await;
        tokio::task::yield_now().await;
    }
    let sum: u64 = begun.iter().sum();
    assert!((85..=90).contains(&sum), "{begun:?}");
}

#[tokio::test(start_paused = true)]
async fn a_first_request_on_each_node_is_not_refused_for_want_of_a_share() {
    let nodes = cluster(3);
    for node in &nodes {
        let terms = node.terms("key", limits(Some(60), Some(600), Some(30)));
        assert!(node.try_begin(&terms, NOW, 100).is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_waits_for_one_answer_of_the_leader_and_no_longer() {
    let nodes = cluster(2);
    let terms: Vec<_> =
        nodes.iter().map(|node| node.terms("key", limits(Some(2), None, None))).collect();
    let within = Duration::from_secs(30);
    let _one = nodes[0].begin(&terms[0], NOW, 1, within).await.unwrap();
    let _two = nodes[1].begin(&terms[1], NOW, 1, within).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let started = Instant::now();
    let limited = nodes[0].begin(&terms[0], NOW + 3_000, 1, within).await.unwrap_err();
    assert_eq!((limited.which, limited.remaining), (Dimension::Requests, 0));
    assert!(started.elapsed() < Duration::from_millis(1_100));
}

#[tokio::test(start_paused = true)]
async fn without_a_leader_a_node_goes_on_with_half_an_even_part() {
    let rates = Rates::new();
    rates.set_nodes(3, 3);
    let desk = RateDesk::default();
    desk.lead(0, true);
    let terms = rates.terms("key", limits(Some(60), None, None));
    let _one = rates.try_begin(&terms, NOW, 1).unwrap();
    let reported = rates.compose(1, 1, &rates.in_use());
    let shares = desk.answer(&reported.report, 0).unwrap();
    rates.take_over(&reported, &shares);
    assert_eq!(rates.standing(&terms, Dimension::Requests, NOW).remaining, 59);
    tokio::time::advance(Duration::from_millis(SHARE_MS)).await;
    assert_eq!(rates.standing(&terms, Dimension::Requests, NOW).remaining, 9);
}

#[tokio::test(start_paused = true)]
async fn meters_of_what_is_over_are_forgotten_within_a_little_more_than_a_minute() {
    let rates = cluster(1).remove(0);
    let kept = rates.terms("kept", limits(Some(60), None, None));
    for number in 0..1_000 {
        let terms = rates.terms(&format!("session {number}"), limits(Some(60), None, None));
        drop(rates.try_begin(&terms, NOW, 1).unwrap());
    }
    assert_eq!(lock(&rates.meters).len(), 1_001);
    tokio::time::sleep(Duration::from_secs(75)).await;
    assert_eq!(lock(&rates.meters).len(), 1);
    assert!(rates.try_begin(&kept, NOW, 1).is_ok());
}
