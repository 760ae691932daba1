//! Allowances and rates, through the log and the peers.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use crate::bed::{PATIENCE, budget, formed, ready, start_all, stop_all};
use cluster::Cluster;
use cluster::allowance::{Charge, Path, PurseTerms, Why};
use ledger::view::books;
use ledger::{AccountId, RateLimits, UnixMillis, UsageKey, UsageSums};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, timeout};

const WITHIN: Duration = Duration::from_secs(10);

fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    UnixMillis(u64::try_from(since.as_millis()).unwrap())
}

fn cost(nano_usd: i64) -> Charge {
    Charge { nano_usd, ..Charge::ZERO }
}

/// The path of a request that is charged to one account.
fn path(node: &Cluster, account: AccountId) -> Arc<Path> {
    let ledger = node.ledger();
    let budget = ledger.budgets.values().find(|budget| budget.handle == account.budget).unwrap();
    let purse = node.allowances().purse(&PurseTerms {
        account,
        period: ledger.accounts.get(&account).unwrap().period,
        unit: budget.unit,
        mode: budget.mode,
        limit: budget.windows[0].limit,
        ends_at: None,
        without_quorum: budget.without_quorum,
    });
    node.allowances().path(vec![purse], UsageKey::default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_spends_what_it_is_granted_and_gives_back_the_rest_when_it_leaves() {
    let (_seats, nodes) = formed(3).await;
    // One thousand in all.
    let index = nodes[0].propose(budget("b")).await.unwrap().index;
    let account = AccountId { budget: index, window: 0 };
    for node in &nodes {
        node.wait_applied(index, WITHIN).await.unwrap();
        let path = path(node, account);
        let hold = node.allowances().hold(&path, &cost(200), now(), WITHIN).await.unwrap();
        hold.settle(&cost(150), &UsageSums::default());
    }
    let path = path(&nodes[0], account);
    let short = node_short(&nodes[0], &path, 1_001).await;
    assert_eq!(short, Some(Why::NeverFits));
    for node in &nodes {
        node.leave_politely(WITHIN).await;
    }
    let index = nodes[0].read_index().await.unwrap();
    nodes[0].wait_applied(index, WITHIN).await.unwrap();
    let books = books(&nodes[0].ledger(), account).unwrap();
    assert_eq!((books.reported, books.outstanding, books.pool), (450, 0, 550), "{books:?}");
    stop_all(&nodes).await;
}

async fn node_short(node: &Cluster, path: &Arc<Path>, nano_usd: i64) -> Option<Why> {
    let wait = Duration::from_millis(250);
    node.allowances().hold(path, &cost(nano_usd), now(), wait).await.err().map(|short| short.why)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_restarted_without_its_journal_cannot_spend_what_its_life_before_was_granted() {
    let (seats, mut nodes) = formed(3).await;
    let index = nodes[0].propose(budget("b")).await.unwrap().index;
    let account = AccountId { budget: index, window: 0 };
    nodes[2].wait_applied(index, WITHIN).await.unwrap();
    let granted = path(&nodes[2], account);
    let hold = nodes[2].allowances().hold(&granted, &cost(400), now(), WITHIN).await.unwrap();
    let held_by_old_life = hold.charge().nano_usd;
    // Gone without a word: what it held counts as spent until somebody says otherwise.
    nodes[2].shutdown().await;
    std::mem::forget(hold);
    seats[2].lose_journal();
    nodes[2] = seats[2].start().await;
    ready(&nodes[2]).await;
    nodes[2].read_index().await.unwrap();
    let seen = books(&nodes[2].ledger(), account).unwrap();
    assert!(seen.suspense >= held_by_old_life, "{seen:?}");
    let again = path(&nodes[2], account);
    assert!(node_short(&nodes[2], &again, 601).await.is_some());
    let hold = nodes[2].allowances().hold(&again, &cost(300), now(), WITHIN).await.unwrap();
    hold.settle(&cost(300), &UsageSums::default());
    stop_all(&nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_node_tells_what_its_life_before_spent_and_frees_the_rest() {
    let (seats, mut nodes) = formed(3).await;
    let index = nodes[0].propose(budget("b")).await.unwrap().index;
    let account = AccountId { budget: index, window: 0 };
    nodes[2].wait_applied(index, WITHIN).await.unwrap();
    let granted = path(&nodes[2], account);
    let hold = async |nano_usd| {
        let held = nodes[2].allowances().hold(&granted, &cost(nano_usd), now(), WITHIN).await;
        held.unwrap()
    };
    let used = UsageSums { requests: 1, cost_nano_usd: 150, ..UsageSums::default() };
    hold(400).await.settle(&cost(150), &used);
    let in_flight = hold(200).await;
    nodes[2].shutdown().await;
    std::mem::forget(in_flight);
    nodes[2] = seats[2].start().await;
    ready(&nodes[2]).await;
    let mut applied = nodes[0].applied();
    let told = async {
        while books(&nodes[0].ledger(), account).unwrap().pool < 650 {
            applied.changed().await.unwrap();
        }
    };
    timeout(PATIENCE, told).await.unwrap();
    let ledger = nodes[0].ledger();
    let seen = books(&ledger, account).unwrap();
    assert_eq!((seen.closed_spend + seen.reported, seen.suspense), (350, 0), "{seen:?}");
    let used: i64 = ledger.usage.values().map(|sums| sums.cost_nano_usd).sum();
    assert_eq!(used, 350);
    stop_all(&nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_died_thrice_with_nobody_to_tell_strands_nothing() {
    let (seats, nodes) = formed(3).await;
    let index = nodes[0].propose(budget("b")).await.unwrap().index;
    let account = AccountId { budget: index, window: 0 };
    nodes[2].wait_applied(index, WITHIN).await.unwrap();
    let granted = path(&nodes[2], account);
    let hold = nodes[2].allowances().hold(&granted, &cost(400), now(), WITHIN).await.unwrap();
    stop_all(&nodes).await;
    std::mem::forget(hold);
    for _ in 0..3 {
        seats[2].start().await.shutdown().await;
    }
    let nodes = start_all(&seats).await;
    for node in &nodes {
        ready(node).await;
    }
    let mut applied = nodes[0].applied();
    let told = async {
        while books(&nodes[0].ledger(), account).unwrap().pool < 600 {
            applied.changed().await.unwrap();
        }
    };
    timeout(PATIENCE, told).await.unwrap();
    let seen = books(&nodes[0].ledger(), account).unwrap();
    assert_eq!((seen.closed_spend + seen.reported, seen.suspense), (400, 0), "{seen:?}");
    stop_all(&nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_node_holds_is_waited_for_until_nothing_is_heard_of_it() {
    let (_seats, nodes) = formed(3).await;
    let index = nodes[0].propose(budget("b")).await.unwrap().index;
    let account = AccountId { budget: index, window: 0 };
    nodes[2].wait_applied(index, WITHIN).await.unwrap();
    let theirs = path(&nodes[2], account);
    let hold = nodes[2].allowances().hold(&theirs, &cost(900), now(), WITHIN).await.unwrap();
    let index = nodes[0].read_index().await.unwrap();
    nodes[0].wait_applied(index, WITHIN).await.unwrap();
    let path = path(&nodes[0], account);
    assert_eq!(node_short(&nodes[0], &path, 200).await, Some(Why::InFlight));
    nodes[2].shutdown().await;
    std::mem::forget(hold);
    let deadline = Instant::now() + PATIENCE;
    // Each try waits a moment.
    while node_short(&nodes[0], &path, 200).await != Some(Why::Spent) {
        assert!(Instant::now() < deadline, "{:?}", nodes[0].allowances().snapshot());
    }
    stop_all(&nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_alone_hands_itself_the_whole_rate() {
    let (_seats, nodes) = formed(1).await;
    let limits = RateLimits { requests_per_minute: Some(10), ..RateLimits::default() };
    let rates = nodes[0].rates();
    let terms = rates.terms("key", limits);
    for _ in 0..10 {
        drop(rates.begin(&terms, now().0, 1, WITHIN).await.unwrap());
    }
    assert!(rates.begin(&terms, now().0, 1, Duration::from_millis(100)).await.is_err());
    stop_all(&nodes).await;
}
