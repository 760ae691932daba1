//! Money that crosses its own way back: asked for and not wanted any more, given back and spent.

use super::log::{Faults, Log, Node, START, WITHIN, assert_conserved, budget, usd, used};
use crate::allowance::Why;
use ledger::{AccountId, Lane};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use tokio::time::sleep;

const LIMIT: i64 = 1_000;

fn single(faults: Faults) -> (Arc<Log>, Node, AccountId) {
    let log = Log::new(1, faults);
    let account = log.budget(budget("b", LIMIT));
    let node = Node::start(&log, "a", 1);
    (log, node, account)
}

fn lane(log: &Log, node: &Node, account: AccountId) -> Lane {
    log.ledger().accounts[&account].present().unwrap().lane(node.id, 1)
}

fn pool(log: &Log, account: AccountId) -> i64 {
    log.ledger().accounts[&account].pool()
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_comes_after_its_request_has_left_goes_back_once_it_is_idle() {
    // Every refill is applied up to half a second after its proposer was told that nobody knows.
    let (log, node, account) = single(Faults { late: 100, ..Faults::default() });
    let path = node.path(&log, &[account]);
    sleep(Duration::from_millis(990)).await;
    let soon = Duration::from_millis(4);
    node.allowances.hold(&path, &usd(100), START, soon).await.unwrap_err();
    // In between comes the round that forgets purses with nothing in them and nothing to say.
    sleep(Duration::from_millis(600)).await;
    assert!(pool(&log, account) <= LIMIT - 100);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(pool(&log, account), LIMIT);
    assert_conserved(&node);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_drains_waits_for_what_it_asked_for_before_and_gives_that_back_too() {
    for late in [0, 100] {
        let (log, node, account) = single(Faults { late, ..Faults::default() });
        let path = node.path(&log, &[account]);
        sleep(Duration::from_millis(1_100)).await;
        log.gate.send_replace(late == 0);
        let soon = Duration::from_millis(10);
        node.allowances.hold(&path, &usd(100), START, soon).await.unwrap_err();
        assert_eq!(pool(&log, account), LIMIT, "the refill is on its way");
        let drain = node.allowances.return_everything(Duration::from_secs(20));
        let open = async {
            sleep(Duration::from_millis(50)).await;
            log.gate.send_replace(false);
        };
        let (drained, ()) = tokio::join!(drain, open);
        assert!(drained);
        assert_eq!(pool(&log, account), LIMIT);
        // For good: what is still underway is not applied any more, and nobody asks.
        node.allowances.hold(&path, &usd(100), START, WITHIN).await.unwrap_err();
        sleep(Duration::from_secs(5)).await;
        assert_eq!(pool(&log, account), LIMIT);
        assert_conserved(&node);
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_never_asked_has_nothing_to_wait_for() {
    let log = Log::new(1, Faults::default());
    let node = Node::start_unenrolled(&log, "a", 1);
    assert!(node.allowances.return_everything(Duration::from_millis(1)).await);
}

#[tokio::test(start_paused = true)]
async fn a_bill_that_a_return_on_its_way_covers_is_not_owed_twice() {
    let (log, node, account) = single(Faults::default());
    let path = node.path(&log, &[account]);
    let small = node.allowances.hold(&path, &usd(60), START, WITHIN).await.unwrap();
    let large = node.allowances.hold(&path, &usd(400), START, WITHIN).await.unwrap();
    sleep(Duration::from_secs(2)).await;
    // What the large one held goes back, and the refill that says so is lost.
    log.is_cut.store(true, SeqCst);
    large.void();
    sleep(Duration::from_secs(2)).await;
    let returned = path.purses()[0].books().returned;
    small.settle(&usd(300), &used(300));
    let owed = path.purses()[0].books().owed;
    assert!(owed > 100 && owed < returned, "{owed} of {returned}");
    log.is_cut.store(false, SeqCst);
    sleep(Duration::from_secs(4)).await;
    let (books, lane) = (path.purses()[0].books(), lane(&log, &node, account));
    assert_eq!((books.owed, books.returned), (0, lane.returned));
    assert_eq!((lane.reported, lane.debt, lane.outstanding()), (300, 0, books.available));
    assert_conserved(&node);
    // All that is left can be spent, and at once.
    node.allowances.hold(&path, &usd(700), START, WITHIN).await.unwrap().void();
    assert!(node.allowances.return_everything(Duration::from_secs(5)).await);
    assert_eq!(pool(&log, account), 700);
}

#[tokio::test(start_paused = true)]
async fn a_bill_beyond_its_hold_is_paid_from_the_pool_and_what_that_lacks_is_debt() {
    let (log, node, account) = single(Faults::default());
    let other = Node::start(&log, "b", 1);
    let (path, theirs) = (node.path(&log, &[account]), other.path(&log, &[account]));
    let small = node.allowances.hold(&path, &usd(100), START, WITHIN).await.unwrap();
    let large = other.allowances.hold(&theirs, &usd(850), START, WITHIN).await.unwrap();
    small.settle(&usd(200), &used(200));
    sleep(Duration::from_secs(3)).await;
    let lane = lane(&log, &node, account);
    assert_eq!((lane.reported, lane.debt, path.purses()[0].books().owed), (150, 50, 50));
    // What comes back pays for it before anybody is let through.
    large.void();
    sleep(Duration::from_secs(5)).await;
    node.allowances.hold(&path, &usd(800), START, WITHIN).await.unwrap().void();
    assert!(node.allowances.return_everything(Duration::from_secs(5)).await);
    let ledger = log.ledger();
    let present = ledger.accounts[&account].present().unwrap();
    assert_eq!((present.spent(), present.pool()), (200, 800));
    assert_eq!(path.purses()[0].books().owed, 0);
    assert_conserved(&node);
}

#[tokio::test(start_paused = true)]
async fn who_is_woken_when_its_time_is_over_looks_once_more_and_goes() {
    let log = Log::new(1, Faults::default());
    let (one, two) = (log.budget(budget("one", LIMIT)), log.budget(budget("two", LIMIT)));
    let node = Node::start(&log, "a", 1);
    let path = |accounts: &[AccountId]| node.path(&log, accounts);
    let first = node.allowances.hold(&path(&[one]), &usd(900), START, WITHIN).await.unwrap();
    let second = node.allowances.hold(&path(&[two]), &usd(900), START, WITHIN).await.unwrap();
    let both = path(&[one, two]);
    let charge = usd(800);
    let waiting = node.allowances.hold(&both, &charge, START, Duration::from_secs(1));
    tokio::pin!(waiting);
    assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    sleep(Duration::from_secs(1)).await;
    // What comes now suffices where it stands, and not further up: what it takes it puts back there.
    first.settle(&usd(0), &used(0));
    let short = waiting.await.unwrap_err();
    assert_eq!((short.account, short.why), (two, Why::InFlight));
    second.settle(&usd(0), &used(0));
    assert_conserved(&node);
}
