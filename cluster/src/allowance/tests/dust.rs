//! The last of a budget, spread over nodes in parts too small for anybody.

use super::log::{Faults, Log, Node, START, WITHIN, assert_conserved, budget, usd, used};
use crate::allowance::Why;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

const LIMIT: i64 = 20_000;
const WORST: i64 = 230;
const COST: i64 = 145;

#[tokio::test(start_paused = true)]
async fn nodes_that_all_keep_some_bring_the_last_of_it_together_and_then_say_that_it_is_spent() {
    let log = Log::new(7, Faults::default());
    let account = log.budget(budget("b", LIMIT));
    let nodes = ["a", "b", "c"].map(|label| Node::start(&log, label, 1));
    let mut callers = JoinSet::new();
    for nth in 0..12_u64 {
        let node = &nodes[usize::try_from(nth % 3).unwrap()];
        let (allowances, path) = (Arc::clone(&node.allowances), node.path(&log, &[account]));
        callers.spawn(async move {
            // Each goes on calling, so that somebody waits at every node all the time.
            let mut spent = 0;
            while spent < 20 {
                match allowances.hold(&path, &usd(WORST), START, WITHIN).await {
                    Ok(hold) => {
                        sleep(Duration::from_millis(20)).await;
                        hold.settle(&usd(COST), &used(COST));
                    }
                    Err(short) => {
                        spent += u32::from(short.why == Why::Spent);
                        sleep(Duration::from_millis(20 + 5 * nth)).await;
                    }
                }
            }
        });
    }
    let all_told = async { while callers.join_next().await.is_some() {} };
    timeout(Duration::from_secs(20), all_told).await.unwrap();
    sleep(Duration::from_secs(5)).await;
    let ledger = log.ledger();
    let books = ledger.accounts[&account].present().unwrap();
    assert!(LIMIT - books.spent() < WORST, "{} of {LIMIT} spent", books.spent());
    nodes.iter().for_each(assert_conserved);
    let refills: u64 = nodes.iter().map(|node| node.allowances.counts().refills).sum();
    assert!(refills < 500, "{refills} refills");
}
