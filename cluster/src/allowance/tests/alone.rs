//! What goes on while the cluster cannot be asked.

use super::log::{Faults, Log, Node, START, WITHIN, assert_conserved, budget, usd, used};
use crate::allowance::journal::cut_power;
use crate::allowance::{Path, Short, Why};
use ledger::{AccountId, Budget, Mode, WithoutQuorum};
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
async fn what_is_billed_beyond_holds_and_paid_covers_nothing_that_was_let_through() {
    let (log, account) = policy(WithoutQuorum::Degraded(500));
    let node = Node::start(&log, "a", 1);
    let path = node.path(&log, &[account]);
    spend(&node, &path, 300).await;
    log.is_cut.store(true, SeqCst);
    let purse = &path.purses()[0];
    let all = purse.books().available;
    node.allowances
        .hold(&path, &usd(all), START, PATIENCE)
        .await
        .unwrap()
        .settle(&usd(all), &used(all));
    // One is let through and goes on, one costs more than its hold, one less.
    let on = node.allowances.hold(&path, &usd(400), START, PATIENCE).await.unwrap();
    let hold = node.allowances.hold(&path, &usd(50), START, PATIENCE).await.unwrap();
    hold.settle(&usd(90), &used(90));
    assert_eq!((purse.books().owed, purse.books().overspend), (90, 450));
    purse.grant(purse.books().granted + 60);
    assert_eq!((purse.books().owed, purse.books().overspend), (30, 430));
    on.void();
    assert_eq!((purse.books().owed, purse.books().overspend), (30, 30));
    purse.grant(purse.books().granted + 60);
    assert_eq!((purse.books().owed, purse.books().overspend), (0, 0));
    assert_conserved(&node);
}

#[tokio::test(start_paused = true)]
async fn what_lives_before_let_through_counts_until_the_ledger_knows_it() {
    let dir = tempfile::tempdir().unwrap();
    let (log, account) = policy(WithoutQuorum::Degraded(1_000));
    log.is_cut.store(true, SeqCst);
    let mut let_through = 0;
    for life in 1..=3 {
        let node = Node::start_mute(&log, dir.path(), life);
        let path = node.path(&log, &[account]);
        let (spent, _) = spend(&node, &path, 300).await;
        let_through += spent;
        sleep(Duration::from_millis(20)).await;
        node.crash();
    }
    assert!((300..=1_000).contains(&let_through), "{let_through} of 1000 were let through");
    let last = Node::start_mute(&log, dir.path(), 4);
    let (spent, short) = spend(&last, &last.path(&log, &[account]), LIMIT).await;
    assert_eq!(short.unwrap().why, Why::NoQuorum);
    assert!(let_through + spent <= 1_000, "{let_through} and {spent} of 1000 were let through");
    last.crash();
    log.is_cut.store(false, SeqCst);
    let next = Node::start_in(&log, dir.path(), 5);
    let ledger = log.ledger();
    let present = ledger.accounts[&account].present().unwrap();
    assert_eq!((present.spent(), present.debt), (let_through + spent, 0));
    // The ledger knows: all of it may be let through anew.
    let path = next.path(&log, &[account]);
    spend(&next, &path, 100).await;
    log.is_cut.store(true, SeqCst);
    assert!(spend(&next, &path, LIMIT).await.0 >= 1_000);
}

/// What a power cut leaves told is never less than what was let through, though nothing of it was granted.
#[tokio::test(start_paused = true)]
async fn what_was_let_through_is_charged_after_a_power_cut() {
    for soft in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let log = Log::new(1, Faults::default());
        let mode = if soft { Mode::Soft } else { Mode::Hard };
        let without_quorum = WithoutQuorum::Open;
        let account = log.budget(Budget { mode, without_quorum, ..budget("b", LIMIT) });
        log.is_cut.store(true, SeqCst);
        let node = Node::start_mute(&log, dir.path(), 1);
        let path = node.path(&log, &[account]);
        assert_eq!(spend(&node, &path, 2_000).await.1, None);
        node.crash();
        cut_power(dir.path());
        log.is_cut.store(false, SeqCst);
        let _next = Node::start_in(&log, dir.path(), 2);
        let ledger = log.ledger();
        let present = ledger.accounts[&account].present().unwrap();
        let told = present.spent() + present.debt;
        assert!((2_000..=2_500).contains(&told), "soft {soft}: {told} of 2000 are told");
    }
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
