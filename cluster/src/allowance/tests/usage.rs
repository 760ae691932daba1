//! What was used, on its way to the ledger.

use super::log::{Faults, Log, Node, START, WITHIN, budget, row, usd, used};
use ledger::{UsageKey, UsageSums};
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use tokio::time::sleep;

#[tokio::test(start_paused = true)]
async fn a_settlement_names_the_batch_and_the_batch_its_entry() {
    let log = Log::new(1, Faults::default());
    let account = log.budget(budget("b", 1_000_000));
    let node = Node::start(&log, "a", 1);
    let path = node.path(&log, &[account]);
    let hold = async || node.allowances.hold(&path, &usd(900), START, WITHIN).await.unwrap();
    let first = hold().await.settle(&usd(300), &used(300));
    assert_eq!(node.allowances.batch_index(first), None);
    sleep(Duration::from_secs(2)).await;
    let index = node.allowances.batch_index(first).unwrap();
    assert!(index <= log.ledger().applied_index);
    let key = UsageKey { day: u32::try_from(START.0 / 86_400_000).unwrap(), ..row(node.id) };
    assert_eq!(log.ledger().usage[&key], used(300));
    // Nothing used, no batch.
    assert_eq!(hold().await.settle(&usd(0), &UsageSums::default()), 0);
    let second = hold().await.settle(&usd(1), &used(1));
    assert!(second > first);
    sleep(Duration::from_secs(2)).await;
    assert!(node.allowances.batch_index(second).unwrap() > index);
    assert_eq!(log.ledger().usage[&key].cost_nano_usd, 301);
}

#[tokio::test(start_paused = true)]
async fn usage_that_meets_no_leader_waits_and_is_counted_once() {
    let log = Log::new(3, Faults { lost: 20, late: 20, doubled: 30, forged: false });
    let account = log.budget(budget("b", 1_000_000));
    let node = Node::start(&log, "a", 1);
    let path = node.path(&log, &[account]);
    let bare = node.allowances.path(Vec::new(), UsageKey::default());
    let mut cost = 0;
    for round in 0..60 {
        log.is_cut.store(round % 20 > 14, SeqCst);
        if let Ok(hold) = node.allowances.hold(&path, &usd(900), START, WITHIN).await {
            hold.settle(&usd(7), &used(7));
            cost += 7;
        }
        // Without any budget it counts as well.
        let hold = node.allowances.try_hold(&bare, &usd(900), START).unwrap();
        hold.settle(&usd(2), &used(2));
        cost += 2;
        sleep(Duration::from_millis(300)).await;
    }
    log.is_cut.store(false, SeqCst);
    sleep(Duration::from_secs(20)).await;
    let counted: i64 = log.ledger().usage.values().map(|sums| sums.cost_nano_usd).sum();
    assert_eq!(counted, cost);
    assert!(node.allowances.return_everything(Duration::from_secs(20)).await);
}
