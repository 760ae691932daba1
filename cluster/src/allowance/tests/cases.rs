//! One behaviour each.

use super::log::{
    Faults, Log, Node, START, WITHIN, assert_conserved, budget, put, row, terms, usd, used,
};
use crate::allowance::{Charge, GRACE_MS, Path, Short, Why};
use ledger::command::{ClosePeriod, DeleteBudget, EnrolNode, OpenPeriod};
use ledger::{AccountId, Budget, BudgetWindow, Command, Mode, Outcome, Unit, UnixMillis, Window};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use tokio::time::{sleep, timeout};

const HOUR_MS: u64 = 3_600_000;

async fn hold(node: &Node, path: &Arc<Path>, amount: i64) -> Result<super::super::Hold, Short> {
    node.allowances.hold(path, &usd(amount), START, WITHIN).await
}

fn single(limit: i64) -> (Arc<Log>, Node, AccountId) {
    let log = Log::new(1, Faults::default());
    let account = log.budget(budget("b", limit));
    let node = Node::start(&log, "a", 1);
    (log, node, account)
}

#[tokio::test(start_paused = true)]
async fn a_first_request_waits_for_its_refill_and_a_later_one_does_not() {
    let (log, node, account) = single(1_000_000);
    let path = node.path(&log, &[account]);
    assert!(node.allowances.try_hold(&path, &usd(10), START).is_err());
    hold(&node, &path, 10).await.unwrap().settle(&usd(4), &used(4));
    sleep(Duration::from_secs(2)).await;
    node.allowances.try_hold(&path, &usd(10), START).unwrap().void();
    assert_conserved(&node);
}

#[tokio::test(start_paused = true)]
async fn a_charge_above_the_limit_never_fits_and_a_zero_limit_lets_nothing_through() {
    let (log, node, account) = single(1_000);
    let path = node.path(&log, &[account]);
    let short = hold(&node, &path, 1_001).await.unwrap_err();
    assert_eq!((short.why, short.asked, short.limit), (Why::NeverFits, 1_001, 1_000));
    let nothing = log.budget(budget("zero", 0));
    let path = node.path(&log, &[nothing]);
    assert_eq!(hold(&node, &path, 0).await.unwrap_err().why, Why::NeverFits);
}

#[tokio::test(start_paused = true)]
async fn what_is_in_flight_is_told_from_what_is_spent() {
    let (log, node, account) = single(1_000);
    let path = node.path(&log, &[account]);
    let first = hold(&node, &path, 900).await.unwrap();
    assert_eq!(hold(&node, &path, 200).await.unwrap_err().why, Why::InFlight);
    first.settle(&usd(850), &used(850));
    let short = hold(&node, &path, 200).await.unwrap_err();
    assert_eq!((short.why, short.remaining), (Why::Spent, 150));
    hold(&node, &path, 150).await.unwrap().void();
}

#[tokio::test(start_paused = true)]
async fn a_settlement_wakes_who_waits_for_it() {
    let (log, node, account) = single(1_000);
    let path = node.path(&log, &[account]);
    let first = hold(&node, &path, 900).await.unwrap();
    let waiting = tokio::spawn({
        let (allowances, path) = (Arc::clone(&node.allowances), Arc::clone(&path));
        async move { allowances.hold(&path, &usd(800), START, Duration::from_secs(60)).await }
    });
    sleep(Duration::from_secs(1)).await;
    first.settle(&usd(100), &used(100));
    let second = timeout(Duration::from_millis(50), waiting).await.unwrap().unwrap().unwrap();
    second.settle(&usd(800), &used(800));
    assert_conserved(&node);
}

#[tokio::test(start_paused = true)]
async fn a_failure_further_up_the_path_leaves_nothing_held() {
    let log = Log::new(1, Faults::default());
    let wide = log.budget(budget("wide", 1_000_000));
    let tight = log.budget(budget("tight", 100));
    let node = Node::start(&log, "a", 1);
    let path = node.path(&log, &[wide, tight]);
    hold(&node, &path, 100).await.unwrap().settle(&usd(90), &used(90));
    let short = hold(&node, &path, 50).await.unwrap_err();
    assert_eq!((short.account, short.why), (tight, Why::Spent));
    assert!(node.allowances.snapshot().iter().all(|books| books.held == 0));
    assert_conserved(&node);
}

#[tokio::test(start_paused = true)]
async fn what_a_silent_node_or_an_ended_life_holds_is_not_waited_for() {
    let (log, node, account) = single(1_000);
    let other = Node::start(&log, "b", 1);
    let (path, theirs) = (node.path(&log, &[account]), other.path(&log, &[account]));
    let first = hold(&other, &theirs, 900).await.unwrap();
    assert_eq!(hold(&node, &path, 200).await.unwrap_err().why, Why::InFlight);
    node.allowances.set_heard([(other.id, 1)]);
    assert_eq!(hold(&node, &path, 200).await.unwrap_err().why, Why::InFlight);
    // Silence: no entry of the log tells of it.
    node.allowances.set_heard([]);
    assert_eq!(hold(&node, &path, 200).await.unwrap_err().why, Why::Spent);
    hold(&node, &path, 60).await.unwrap().void();
    // It is back in another life: what the first one holds is in suspense.
    other.crash();
    node.allowances.set_heard([(other.id, 2)]);
    assert_eq!(hold(&node, &path, 200).await.unwrap_err().why, Why::Spent);
    let _second = Node::start(&log, "b", 2);
    assert_eq!(hold(&node, &path, 200).await.unwrap_err().why, Why::Spent);
    drop(first);
}

#[tokio::test(start_paused = true)]
async fn suspense_is_not_waited_for_though_no_entry_tells_of_the_account() {
    let (log, node, account) = single(1_000);
    let other = Node::start(&log, "b", 1);
    let (path, theirs) = (node.path(&log, &[account]), other.path(&log, &[account]));
    let lost = hold(&other, &theirs, 900).await.unwrap();
    other.crash();
    assert_eq!(hold(&node, &path, 200).await.unwrap_err().why, Why::InFlight);
    // Long enough for the refill loop to have forgotten the purse.
    sleep(Duration::from_secs(10)).await;
    let _second = Node::start(&log, "b", 2);
    sleep(Duration::from_millis(100)).await;
    let short = node.allowances.try_hold(&path, &usd(200), START).unwrap_err();
    assert_eq!(short.why, Why::Spent);
    drop(lost);
}

#[tokio::test(start_paused = true)]
async fn each_purse_charges_its_own_unit() {
    let log = Log::new(1, Faults::default());
    let money = log.budget(budget("money", 1_000_000));
    let tokens = log.budget(Budget { unit: Unit::Tokens, ..budget("tokens", 50_000) });
    let requests = log.budget(Budget { unit: Unit::Requests, ..budget("requests", 3) });
    let node = Node::start(&log, "a", 1);
    let path = node.path(&log, &[money, tokens, requests]);
    let charge = Charge { nano_usd: 100, tokens: 2_000, requests: 1 };
    for _ in 0..3 {
        let hold = node.allowances.hold(&path, &charge, START, WITHIN).await.unwrap();
        hold.settle(&Charge { nano_usd: 40, tokens: 700, requests: 1 }, &used(40));
    }
    let short = node.allowances.hold(&path, &charge, START, WITHIN).await.unwrap_err();
    assert_eq!((short.account, short.why), (requests, Why::Spent));
    let spent: Vec<i64> = path.purses().iter().map(|purse| purse.books().settled).collect();
    assert_eq!(spent, [120, 2_100, 3]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_granted_before_this_life_is_enrolled() {
    let log = Log::new(1, Faults::default());
    let account = log.budget(budget("b", 1_000));
    let node = Node::start_unenrolled(&log, "a", 1);
    let path = node.path(&log, &[account]);
    assert!(!node.allowances.askable());
    assert_eq!(hold(&node, &path, 10).await.unwrap_err().why, Why::NoQuorum);
    log.apply(Command::EnrolNode(EnrolNode { id: node.id, incarnation: 1 }));
    hold(&node, &path, 10).await.unwrap().void();
}

#[tokio::test(start_paused = true)]
async fn a_life_that_was_replaced_asks_no_more_and_the_new_one_has_only_its_own() {
    let (log, old, account) = single(1_000);
    let path = old.path(&log, &[account]);
    let held = hold(&old, &path, 600).await.unwrap();
    let new = Node::start(&log, "a", 2);
    sleep(Duration::from_millis(100)).await;
    assert!(!old.allowances.askable() && new.allowances.askable());
    let new_path = new.path(&log, &[account]);
    let short = hold(&new, &new_path, 500).await.unwrap_err();
    // The old life keeps its hold, and had no cushion: it would not have served another one.
    assert_eq!((short.why, short.remaining), (Why::Spent, 400));
    hold(&new, &new_path, 400).await.unwrap().void();
    held.settle(&usd(600), &used(600));
    assert!(hold(&old, &path, 100).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn without_a_quorum_the_allowance_goes_on_serving_and_then_says_why_not() {
    let (log, node, account) = single(1_000_000);
    let path = node.path(&log, &[account]);
    hold(&node, &path, 100).await.unwrap().settle(&usd(100), &used(100));
    hold(&node, &path, 100).await.unwrap().settle(&usd(100), &used(100));
    sleep(Duration::from_millis(1_500)).await;
    log.is_cut.store(true, SeqCst);
    let mut served = 0;
    let last = loop {
        match hold(&node, &path, 100).await {
            Ok(hold) => hold.settle(&usd(100), &used(100)),
            Err(short) => break short,
        };
        served += 1;
    };
    assert!(served > 0, "nothing left to serve from");
    assert_eq!(last.why, Why::NoQuorum);
    log.is_cut.store(false, SeqCst);
    sleep(Duration::from_secs(2)).await;
    hold(&node, &path, 100).await.unwrap().void();
    assert_conserved(&node);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_costs_more_than_its_hold_is_charged_in_full() {
    let (log, node, account) = single(1_000);
    let path = node.path(&log, &[account]);
    hold(&node, &path, 100).await.unwrap().settle(&usd(300), &used(300));
    sleep(Duration::from_secs(2)).await;
    let ledger = log.ledger();
    assert_eq!(ledger.accounts[&account].present().unwrap().spent(), 300);
    assert_eq!(node.allowances.counts().exceeded_holds, 1);
    assert_eq!(hold(&node, &path, 701).await.unwrap_err().why, Why::Spent);
    hold(&node, &path, 700).await.unwrap().settle(&usd(900), &used(900));
    sleep(Duration::from_secs(2)).await;
    let ledger = log.ledger();
    let books = ledger.accounts[&account].present().unwrap();
    assert_eq!((books.spent(), books.debt), (1_000, 200));
}

#[tokio::test(start_paused = true)]
async fn a_soft_budget_is_never_refused_and_its_excess_is_debt() {
    let log = Log::new(1, Faults::default());
    let account = log.budget(Budget { mode: Mode::Soft, ..budget("b", 1_000) });
    let node = Node::start(&log, "a", 1);
    let path = node.path(&log, &[account]);
    for _ in 0..5 {
        node.allowances.try_hold(&path, &usd(400), START).unwrap().settle(&usd(300), &used(300));
        sleep(Duration::from_secs(1)).await;
    }
    sleep(Duration::from_secs(3)).await;
    let ledger = log.ledger();
    let books = ledger.accounts[&account].present().unwrap();
    assert_eq!((books.spent(), books.debt), (1_000, 500));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_hold_is_charged_in_full_and_counted() {
    let (log, node, account) = single(1_000);
    let path = node.path(&log, &[account]);
    drop(hold(&node, &path, 100).await.unwrap());
    assert_eq!(path.purses()[0].books().settled, 100);
    assert_eq!(node.allowances.counts().dropped_holds, 1);
}

#[tokio::test(start_paused = true)]
async fn a_period_ends_by_the_clock_or_by_the_log_and_spend_stays_with_its_hold() {
    let log = Log::new(1, Faults::default());
    let windows = vec![BudgetWindow { window: Window::Fixed(HOUR_MS), limit: 1_000 }];
    let account = log.budget(Budget { windows, ..budget("b", 0) });
    let node = Node::start(&log, "a", 1);
    let old = node.path(&log, &[account]);
    let late = hold(&node, &old, 700).await.unwrap();
    let ends_at = UnixMillis(START.0 + HOUR_MS);
    let at = |ms: u64| UnixMillis(ends_at.0 + ms);
    node.allowances.try_hold(&old, &usd(0), at(GRACE_MS)).unwrap().void();
    let short = node.allowances.try_hold(&old, &usd(0), at(GRACE_MS + 1)).unwrap_err();
    assert_eq!((short.why, short.resets_at), (Why::PeriodOver, Some(ends_at)));

    let next_end = Some(UnixMillis(ends_at.0 + HOUR_MS));
    let open = OpenPeriod { account, period: 2, starts_at: ends_at, ends_at: next_end };
    log.apply(Command::OpenPeriod(open));
    sleep(Duration::from_millis(50)).await;
    let short = hold(&node, &old, 1).await.unwrap_err();
    assert_eq!(short.why, Why::PeriodOver);
    let new = node.path(&log, &[account]);
    hold(&node, &new, 1_000).await.unwrap().settle(&usd(50), &used(50));
    late.settle(&usd(600), &used(600));
    sleep(Duration::from_secs(3)).await;
    let ledger = log.ledger();
    let periods = &ledger.accounts[&account].periods;
    assert_eq!((periods[&1].spent(), periods[&2].spent()), (600, 50));
    assert_eq!(periods[&1].pool(), 400);
    // A purse of the old period made anew would take its grants a second time.
    let stale = crate::allowance::PurseTerms { period: 1, ..terms(&ledger, account) };
    let stale = vec![node.allowances.purse(&stale)];
    let stale = node.allowances.path(stale, row(node.id));
    assert_eq!(hold(&node, &stale, 1).await.unwrap_err().why, Why::PeriodOver);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_budget_admits_no_more_and_a_raised_limit_is_felt() {
    let (log, node, account) = single(1_000);
    let path = node.path(&log, &[account]);
    hold(&node, &path, 1_000).await.unwrap().settle(&usd(1_000), &used(1_000));
    assert_eq!(hold(&node, &path, 10).await.unwrap_err().why, Why::Spent);
    let raised = put(budget("b", 2_000));
    assert_eq!(log.apply(Command::PutBudget(raised)), Outcome::Done);
    sleep(Duration::from_millis(10)).await;
    hold(&node, &path, 900).await.unwrap().void();
    let delete =
        DeleteBudget { name: "b".to_owned(), if_index: None, managed_by: "api:test".to_owned() };
    assert_eq!(log.apply(Command::DeleteBudget(delete)), Outcome::Done);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(hold(&node, &path, 10).await.unwrap_err().why, Why::PeriodOver);
    log.apply(Command::ClosePeriod(ClosePeriod { account, period: 1 }));
    assert!(!log.ledger().accounts.contains_key(&account));
    // The node forgets what the ledger has forgotten, once a minute.
    let other = log.budget(budget("other", 1_000));
    let other = node.path(&log, &[other]);
    hold(&node, &other, 10).await.unwrap().void();
    sleep(Duration::from_secs(90)).await;
    let accounts: Vec<_> = node.allowances.snapshot().iter().map(|books| books.account).collect();
    assert_eq!(accounts, [other.purses()[0].account()]);
}
