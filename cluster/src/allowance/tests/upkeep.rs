//! What becomes of purses over time: many at once, idle ones, those whose budget or node goes.

use super::log::{
    Faults, Log, Node, START, WITHIN, assert_conserved, budget, put, terms, usd, used,
};
use crate::allowance::{Path, Short};
use ledger::command::{CloseInstance, OpenInstance};
use ledger::{AccountId, Budget, Command, Outcome};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

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
async fn purses_of_instances_that_are_closed_are_forgotten() {
    let log = Log::new(1, Faults::default());
    let shared = Budget { per: ledger::Per::Tag, ..budget("b", 1_000) };
    log.apply(Command::PutBudget(put(shared)));
    let budget = log.ledger().budgets["b"].handle;
    let node = Node::start(&log, "a", 1);
    for nth in 0..50 {
        let subject = format!("tag-{nth}");
        let periods = vec![(START, None)];
        let open = OpenInstance { budget: "b".to_owned(), subject: subject.clone(), periods };
        assert_eq!(log.apply(Command::OpenInstance(open)), Outcome::Done);
        let handle = log.ledger().instances[&(budget, subject.clone())].handle;
        sleep(Duration::from_millis(50)).await;
        let path = node.path(&log, &[AccountId { budget: handle, window: 0 }]);
        hold(&node, &path, 100).await.unwrap().settle(&usd(40), &used(40));
        let close = CloseInstance { budget, subject, handle };
        assert_eq!(log.apply(Command::CloseInstance(close)), Outcome::Done);
    }
    sleep(Duration::from_secs(90)).await;
    assert_eq!(node.allowances.snapshot(), []);
    let used: i64 = log.ledger().usage.values().map(|sums| sums.cost_nano_usd).sum();
    assert_eq!(used, 50 * 40);
}

#[tokio::test(start_paused = true)]
async fn more_purses_than_a_refill_has_lines_are_all_served_and_all_reported() {
    let log = Log::new(1, Faults::default());
    let names: Vec<String> = (0..650).map(|n| format!("b{n}")).collect();
    let accounts: Vec<_> = names.iter().map(|name| log.budget(budget(name, 1_000))).collect();
    let node = Node::start(&log, "a", 1);
    let mut running = tokio::task::JoinSet::new();
    for account in &accounts {
        let (allowances, path) = (Arc::clone(&node.allowances), node.path(&log, &[*account]));
        running.spawn(async move {
            let hold = allowances.hold(&path, &usd(10), START, WITHIN).await;
            hold.unwrap().settle(&usd(7), &used(7));
        });
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
    sleep(Duration::from_secs(3)).await;
    let ledger = log.ledger();
    let spent = |account| ledger.accounts[account].present().unwrap().spent();
    assert!(accounts.iter().all(|account| spent(account) == 7));
    let refills = node.allowances.counts().refills;
    assert!(refills < 20, "{refills} refills");
}

#[tokio::test(start_paused = true)]
async fn draining_gives_everything_back_once_the_last_hold_has_ended() {
    let (log, node, account) = single(1_000_000);
    let path = node.path(&log, &[account]);
    let last = hold(&node, &path, 1_000).await.unwrap();
    assert!(!node.allowances.return_everything(Duration::from_millis(500)).await);
    last.settle(&usd(400), &used(400));
    assert!(node.allowances.return_everything(Duration::from_secs(2)).await);
    let ledger = log.ledger();
    let books = ledger.accounts[&account].present().unwrap();
    assert_eq!((books.spent(), books.pool()), (400, 999_600));
    assert_conserved(&node);
}

#[tokio::test(start_paused = true)]
async fn a_report_that_is_asked_for_comes_within_a_tick() {
    let (log, node, account) = single(1_000_000);
    let path = node.path(&log, &[account]);
    sleep(Duration::from_millis(1_100)).await;
    hold(&node, &path, 1_000).await.unwrap().settle(&usd(400), &used(400));
    node.allowances.report();
    sleep(Duration::from_millis(60)).await;
    assert_eq!(log.ledger().accounts[&account].present().unwrap().spent(), 400);
}

#[tokio::test(start_paused = true)]
async fn an_installed_ledger_brings_the_grants_whose_entries_were_not_seen() {
    let (log, node, account) = single(1_000);
    let path = node.path(&log, &[account]);
    hold(&node, &path, 500).await.unwrap().settle(&usd(1), &used(1));
    node.crash();
    let granted = path.purses()[0].books().granted;
    let twin = crate::allowance::Allowances::new();
    twin.identify(node.id, 1);
    let purse = twin.purse(&terms(&log.ledger(), account));
    twin.installed(&log.ledger());
    twin.installed(&log.ledger());
    assert_eq!(purse.books().granted, granted);
    assert_eq!(purse.books().available, granted);
}

#[tokio::test(start_paused = true)]
async fn an_idle_purse_is_emptied_after_a_minute() {
    let (log, node, account) = single(1_000_000_000);
    let path = node.path(&log, &[account]);
    for _ in 0..20 {
        hold(&node, &path, 1_000).await.unwrap().settle(&usd(1_000), &used(1_000));
        sleep(Duration::from_millis(100)).await;
    }
    assert!(path.purses()[0].books().available > 0);
    sleep(Duration::from_secs(70)).await;
    assert_eq!(path.purses()[0].books().available, 0);
    let ledger = log.ledger();
    assert_eq!(ledger.accounts[&account].present().unwrap().pool(), 1_000_000_000 - 20_000);
}
