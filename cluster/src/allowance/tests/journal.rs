//! Lives that end without a word, and what the next one tells of them.

use super::log::{
    Dice, Faults, Log, Node, Request, START, Truth, WITHIN, assert_conserved, budget, run, usd,
    used,
};
use ledger::command::EnrolNode;
use ledger::view::books;
use ledger::{AccountId, Budget, Command, WithoutQuorum};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::sleep;

const LIMIT: i64 = 1_000_000;

fn spent_and_pool(log: &Log, account: AccountId) -> (i64, i64) {
    let ledger = log.ledger();
    let present = ledger.accounts[&account].present().unwrap();
    (present.spent(), present.pool())
}

fn used_in_all(log: &Log) -> i64 {
    log.ledger().usage.values().map(|sums| sums.cost_nano_usd).sum()
}

#[tokio::test(start_paused = true)]
async fn what_a_life_that_was_killed_spent_is_told_to_the_unit() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::new(1, Faults::default());
    let account = log.budget(budget("b", LIMIT));
    let first = Node::start_in(&log, dir.path(), 1);
    let path = first.path(&log, &[account]);
    let hold = async |amount| first.allowances.hold(&path, &usd(amount), START, WITHIN).await;
    for cost in [300, 200] {
        hold(900).await.unwrap().settle(&usd(cost), &used(cost));
    }
    // Two in flight: one whose end is in memory only, and one that goes on at the provider.
    let ended = hold(5_000).await.unwrap();
    let goes_on = hold(70).await.unwrap();
    ended.settle(&usd(40), &used(40));
    first.crash();
    std::mem::forget(goes_on);
    assert!(spent_and_pool(&log, account).1 < LIMIT - 5_000);
    let _second = Node::start_in(&log, dir.path(), 2);
    let told = 300 + 200 + 5_000 + 70;
    assert_eq!(spent_and_pool(&log, account), (told, LIMIT - told));
    assert_eq!(used_in_all(&log), told);
}

#[tokio::test(start_paused = true)]
async fn a_settlement_that_no_hold_follows_is_written_after_five_milliseconds() {
    for (waited_ms, told) in [(3, 5_000), (6, 40)] {
        let dir = tempfile::tempdir().unwrap();
        let log = Log::new(1, Faults::default());
        let account = log.budget(budget("b", LIMIT));
        let first = Node::start_in(&log, dir.path(), 1);
        let path = first.path(&log, &[account]);
        let hold = first.allowances.hold(&path, &usd(5_000), START, WITHIN).await.unwrap();
        // By then nothing that came before is on its way to the file.
        sleep(Duration::from_millis(20)).await;
        hold.settle(&usd(40), &used(40));
        sleep(Duration::from_millis(waited_ms)).await;
        first.crash();
        let _second = Node::start_in(&log, dir.path(), 2);
        assert_eq!(spent_and_pool(&log, account), (told, LIMIT - told), "{waited_ms} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn a_life_that_told_everything_leaves_nothing_to_tell() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::new(1, Faults::default());
    let account = log.budget(budget("b", LIMIT));
    let first = Node::start_in(&log, dir.path(), 1);
    let path = first.path(&log, &[account]);
    let hold = first.allowances.hold(&path, &usd(900), START, WITHIN).await.unwrap();
    hold.settle(&usd(300), &used(300));
    assert!(first.allowances.return_everything(Duration::from_secs(5)).await);
    first.allowances.end_journal();
    assert_eq!(std::fs::read_dir(dir.path().join("journal")).unwrap().count(), 0);
    assert_eq!((spent_and_pool(&log, account), used_in_all(&log)), ((300, LIMIT - 300), 300));
}

#[tokio::test(start_paused = true)]
async fn lives_that_died_before_they_could_tell_strand_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::new(1, Faults::default());
    let degraded = WithoutQuorum::Degraded(1_000);
    let account = log.budget(Budget { without_quorum: degraded, ..budget("b", LIMIT) });
    let mut told = 0;
    // Each serves, and leaves one request in flight. The third was enrolled with nobody to tell, and the
    // last two never were: they serve by the budget's policy.
    for life in 1..=5 {
        let node = Node::start_mute(&log, dir.path(), life);
        let is_cut = life > 3;
        log.is_cut.store(is_cut, SeqCst);
        if !is_cut {
            log.apply(Command::EnrolNode(EnrolNode { id: node.id, incarnation: life }));
        }
        let path = node.path(&log, &[account]);
        let patience = Duration::from_secs(4);
        let hold = async |amount| node.allowances.hold(&path, &usd(amount), START, patience).await;
        hold(90).await.unwrap().settle(&usd(30), &used(30));
        sleep(Duration::from_millis(20)).await;
        let goes_on = hold(70).await.unwrap();
        node.crash();
        std::mem::forget(goes_on);
        told += 30 + 70;
    }
    log.is_cut.store(false, SeqCst);
    let last = Node::start_in(&log, dir.path(), 6);
    assert_eq!(spent_and_pool(&log, account), (told, LIMIT - told));
    assert_eq!(used_in_all(&log), told);
    let ledger = log.ledger();
    assert_eq!(books(&ledger, account).unwrap().suspense, 0);
    assert_eq!(ledger.nodes[&last.id].past, []);
}

/// A node that serves, dies and lives again, many times, with a log that loses and doubles.
#[tokio::test(start_paused = true)]
async fn through_any_number_of_deaths_nothing_is_overspent_and_only_holds_in_flight_are_lost() {
    for seed in 0..3 {
        let dir = tempfile::tempdir().unwrap();
        let log = Log::new(seed, Faults { lost: 5, late: 10, doubled: 10, forged: false });
        let account = log.budget(budget("b", LIMIT));
        let truth = Truth::new(LIMIT);
        let mut dice = Dice::new(seed);
        let mut lost = 0;
        let mut lives = 1;
        for life in 1..=12 {
            lives = life;
            let node = Node::start_in(&log, dir.path(), life);
            let path = node.path(&log, &[account]);
            let mut running = JoinSet::new();
            for _ in 0..dice.below(60) {
                let cost = dice.amount(1, 900);
                let takes = Duration::from_millis(dice.below(800));
                let request = Request { worst: cost * 2, cost, takes };
                let allowances = Arc::clone(&node.allowances);
                running.spawn(run(allowances, Arc::clone(&path), Arc::clone(&truth), request));
                sleep(Duration::from_millis(dice.below(30))).await;
                while running.try_join_next().is_some() {}
            }
            let before = truth.in_flight();
            node.crash();
            // The provider ends what it began; the node does not hear of it.
            while running.join_next().await.is_some() {}
            lost += before;
        }
        let last = Node::start_in(&log, dir.path(), lives + 1);
        let (spent, pool) = spent_and_pool(&log, account);
        assert!(truth.billed() > 50_000, "seed {seed}");
        assert!(spent >= truth.billed() && spent <= truth.billed() + lost, "seed {seed}: {spent}");
        assert_eq!(spent + pool, LIMIT, "seed {seed}: nothing is in suspense");
        assert_eq!(used_in_all(&log), spent, "seed {seed}");
        assert_conserved(&last);
    }
}

#[tokio::test(start_paused = true)]
async fn a_grant_is_spent_only_as_far_as_it_was_opened_and_a_cushion_is_opened_ahead() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::new(1, Faults::default());
    let account = log.budget(budget("b", 1_000 * LIMIT));
    let node = Node::start_in(&log, dir.path(), 1);
    let path = node.path(&log, &[account]);
    for _ in 0..200 {
        let hold = node.allowances.hold(&path, &usd(1_000), START, WITHIN).await.unwrap();
        hold.settle(&usd(1_000), &used(1_000));
        sleep(Duration::from_millis(20)).await;
    }
    let books = path.purses()[0].books();
    assert!(books.sealed > 0 && books.available > books.sealed, "{books:?}");
    // At the present rate nobody waits any more.
    let waited = node.allowances.counts().waited;
    for _ in 0..100 {
        let hold = node.allowances.hold(&path, &usd(1_000), START, WITHIN).await.unwrap();
        hold.settle(&usd(1_000), &used(1_000));
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(node.allowances.counts().waited, waited);
    assert_conserved(&node);
}
