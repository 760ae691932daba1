//! What goes on while the cluster cannot be asked.

use super::log::{Faults, Log, Node, START, WITHIN, assert_conserved, budget, usd, used};
use crate::allowance::{Path, Short, Why};
use ledger::{AccountId, Budget, WithoutQuorum};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const LIMIT: i64 = 10_000;
/// Longer than a refill is waited for.
const PATIENCE: Duration = Duration::from_secs(4);

fn policy(without_quorum: WithoutQuorum) -> (Arc<Log>, AccountId) {
    let log = Log::new(1, Faults::default());
    let account = log.budget(Budget { without_quorum, ..budget("b", LIMIT) });
    (log, account)
}

/// Spends in steps of a hundred until it is refused; how much, and why no more.
async fn spend(node: &Node, path: &Arc<Path>, most: i64) -> (i64, Option<Short>) {
    let mut spent = 0;
    while spent < most {
        match node.allowances.hold(path, &usd(100), START, PATIENCE).await {
            Ok(hold) => hold.settle(&usd(100), &used(100)),
            Err(short) => return (spent, Some(short)),
        };
        spent += 100;
    }
    (spent, None)
}

#[tokio::test(start_paused = true)]
async fn a_degraded_budget_lets_so_much_more_through_and_a_strict_one_nothing() {
    for (policy_of, more) in [(WithoutQuorum::Strict, 0), (WithoutQuorum::Degraded(450), 450)] {
        let (log, account) = policy(policy_of);
        let node = Node::start(&log, "a", 1);
        let path = node.path(&log, &[account]);
        spend(&node, &path, 300).await;
        log.is_cut.store(true, SeqCst);
        let left = path.purses()[0].books().available;
        let (spent, short) = spend(&node, &path, LIMIT).await;
        let in_all = (left + more) / 100 * 100;
        assert_eq!((spent, short.unwrap().why), (in_all, Why::NoQuorum));
        assert_eq!(path.purses()[0].books().overspend, (in_all - left).max(0));
        // Back again, the pool covers it.
        log.is_cut.store(false, SeqCst);
        sleep(Duration::from_secs(5)).await;
        let books = path.purses()[0].books();
        assert_eq!((books.overspend, books.owed), (0, 0));
        let ledger = log.ledger();
        let present = ledger.accounts[&account].present().unwrap();
        assert_eq!((present.spent(), present.debt), (300 + spent, 0));
        assert_conserved(&node);
    }
}

#[tokio::test(start_paused = true)]
async fn an_open_budget_goes_on_and_what_the_pool_does_not_cover_is_debt() {
    let (log, account) = policy(WithoutQuorum::Open);
    let node = Node::start(&log, "a", 1);
    let path = node.path(&log, &[account]);
    spend(&node, &path, 300).await;
    log.is_cut.store(true, SeqCst);
    assert_eq!(spend(&node, &path, 2 * LIMIT).await.1, None);
    log.is_cut.store(false, SeqCst);
    sleep(Duration::from_secs(5)).await;
    let ledger = log.ledger();
    let present = ledger.accounts[&account].present().unwrap();
    assert_eq!((present.spent(), present.debt), (LIMIT, LIMIT + 300));
    // The cluster answers again: the policy is over, and so is the budget.
    let short = node.allowances.hold(&path, &usd(100), START, PATIENCE).await.unwrap_err();
    assert_eq!(short.why, Why::Spent);
    assert_eq!(path.purses()[0].books().overspend, LIMIT + 300);
}

#[tokio::test(start_paused = true)]
async fn who_waits_when_the_refill_fails_is_let_through_then() {
    let (log, account) = policy(WithoutQuorum::Degraded(1_000));
    let node = Node::start(&log, "a", 1);
    let path = node.path(&log, &[account]);
    log.is_cut.store(true, SeqCst);
    let began = Instant::now();
    let hold = node.allowances.hold(&path, &usd(800), START, PATIENCE).await.unwrap();
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    // The next ones need not wait for another.
    let began = Instant::now();
    let second = node.allowances.hold(&path, &usd(200), START, WITHIN).await.unwrap();
    assert!(began.elapsed() < WITHIN);
    let short = node.allowances.hold(&path, &usd(1), START, WITHIN).await.unwrap_err();
    assert_eq!(short.why, Why::NoQuorum);
    // What was not used of it may be used again.
    hold.settle(&usd(100), &used(100));
    second.void();
    node.allowances.hold(&path, &usd(900), START, WITHIN).await.unwrap().void();
    assert_conserved(&node);
}

#[tokio::test(start_paused = true)]
async fn a_life_that_was_never_enrolled_serves_by_its_policy_too() {
    let (log, account) = policy(WithoutQuorum::Degraded(1_000));
    let node = Node::start_unenrolled(&log, "a", 1);
    let path = node.path(&log, &[account]);
    let short = node.allowances.hold(&path, &usd(10), START, WITHIN).await.unwrap_err();
    assert_eq!(short.why, Why::NoQuorum);
    node.allowances.hold(&path, &usd(10), START, PATIENCE).await.unwrap().void();
}
