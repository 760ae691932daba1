//! Many requests on few accounts, with and without faults.

use super::log::{
    Dice, Faults, Log, Node, Request, START, Truth, WITHIN, assert_conserved, budget, run, usd,
    used,
};
use crate::allowance::Why;
use ledger::AccountId;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

const COST: i64 = 1_000_000;

fn request(dice: &mut Dice) -> Request {
    let cost = dice.amount(COST / 4, COST * 2);
    let worst = cost * dice.amount(12, 30) / 10;
    let takes = Duration::from_millis(50 + dice.below(2_000));
    Request { worst, cost, takes }
}

/// Keeps `per_second` requests a second coming over the nodes for so long.
async fn storm(
    log: &Arc<Log>,
    nodes: &[Node],
    account: AccountId,
    truth: &Arc<Truth>,
    (per_second, seconds): (u64, u64),
) {
    let mut dice = Dice::new(per_second);
    let paths: Vec<_> = nodes.iter().map(|node| node.path(log, &[account])).collect();
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..per_second * seconds {
        // 60 %, 30 % and 10 % of the traffic.
        let at = [0, 0, 0, 0, 0, 0, 1, 1, 1, 2][usize::try_from(dice.below(10)).unwrap()];
        let allowances = Arc::clone(&nodes[at].allowances);
        let path = Arc::clone(&paths[at]);
        running.spawn(run(allowances, path, Arc::clone(truth), request(&mut dice)));
        sleep(Duration::from_micros(1_000_000 / per_second)).await;
        while let Some(ended) = running.try_join_next() {
            let _ = ended.unwrap();
        }
    }
    while let Some(ended) = running.join_next().await {
        let _ = ended.unwrap();
    }
}

fn three(log: &Arc<Log>) -> Vec<Node> {
    ["a", "b", "c"].map(|label| Node::start(log, label, 1)).into()
}

#[tokio::test(start_paused = true)]
async fn three_nodes_spend_a_budget_to_the_last_percent_and_never_more() {
    let log = Log::new(1, Faults::default());
    let limit = 2_000 * COST;
    let account = log.budget(budget("b", limit));
    let nodes = three(&log);
    let truth = Truth::new(limit);
    storm(&log, &nodes, account, &truth, (200, 25)).await;
    assert!(truth.billed() >= limit / 100 * 99, "{} of {limit}", truth.billed());
    nodes.iter().for_each(assert_conserved);
    sleep(Duration::from_secs(5)).await;
    let books = log.ledger().accounts[&account].clone();
    let present = books.present().unwrap();
    assert_eq!(present.spent(), truth.billed());
    assert_eq!(present.pool(), limit - truth.billed());
}

#[tokio::test(start_paused = true)]
async fn a_small_budget_is_usable_to_the_end_as_well() {
    let log = Log::new(2, Faults::default());
    let limit = 100 * COST;
    let account = log.budget(budget("b", limit));
    let nodes = three(&log);
    let truth = Truth::new(limit);
    storm(&log, &nodes, account, &truth, (20, 30)).await;
    assert!(truth.billed() >= limit / 100 * 95, "{} of {limit}", truth.billed());
    nodes.iter().for_each(assert_conserved);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_loses_doubles_and_reorders_never_lets_a_budget_be_overspent() {
    for seed in 0..4 {
        let log = Log::new(seed, Faults { lost: 15, late: 15, doubled: 20, forged: false });
        let limit = 500 * COST;
        let account = log.budget(budget("b", limit));
        let nodes = three(&log);
        let truth = Truth::new(limit);
        storm(&log, &nodes, account, &truth, (100, 15)).await;
        assert!(truth.billed() >= limit / 100 * 97, "seed {seed}: {} of {limit}", truth.billed());
        nodes.iter().for_each(assert_conserved);
        sleep(Duration::from_secs(10)).await;
        let spent = log.ledger().accounts[&account].present().unwrap().spent();
        assert_eq!(spent, truth.billed(), "seed {seed}");
    }
}

/// The control: if this one passed, the storms above would prove nothing.
#[tokio::test(start_paused = true)]
#[should_panic(expected = "of 500000000")]
async fn grants_believed_twice_are_caught_by_the_storm() {
    let log = Log::new(1, Faults { forged: true, ..Faults::default() });
    let limit = 500 * COST;
    let account = log.budget(budget("b", limit));
    let nodes = three(&log);
    storm(&log, &nodes, account, &Truth::new(limit), (100, 15)).await;
}

#[tokio::test(start_paused = true)]
async fn a_crashed_node_strands_little_and_its_next_life_cannot_spend_it() {
    for seed in 0..3 {
        let log = Log::new(seed, Faults { lost: 5, late: 5, doubled: 5, forged: false });
        let limit = 1_000 * COST;
        let account = log.budget(budget("b", limit));
        let mut nodes = three(&log);
        let truth = Truth::new(limit);
        storm(&log, &nodes, account, &truth, (100, 4)).await;
        let before_crash = truth.billed();
        let path = nodes[0].path(&log, &[account]);
        let mut dice = Dice::new(seed);
        let mut orphans = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let allowances = Arc::clone(&nodes[0].allowances);
            let orphan = run(allowances, Arc::clone(&path), Arc::clone(&truth), request(&mut dice));
            orphans.spawn(orphan);
        }
        sleep(Duration::from_millis(100)).await;
        nodes[0].crash();
        nodes[0] = Node::start(&log, "a", 2);
        storm(&log, &nodes, account, &truth, (100, 12)).await;
        while orphans.join_next().await.is_some() {}
        assert!(before_crash < limit / 2 && truth.in_flight() == 0);
        // 50 holds of the dead life are in suspense, about 70 costs, and its cushion.
        assert!(truth.billed() >= limit / 100 * 88, "seed {seed}: {} of {limit}", truth.billed());
        assert!(truth.billed() <= limit);
    }
}

/// So many at once over three nodes, on a budget for a thousand of them; returns those refused.
async fn burst(nodes: &[Node], log: &Arc<Log>, requests: usize, each: Request) -> (i64, Vec<Why>) {
    let limit = 1_000 * COST;
    let account = log.budget(budget("burst", limit));
    let truth = Truth::new(limit);
    let mut running = tokio::task::JoinSet::new();
    let paths: Vec<_> = nodes.iter().map(|node| node.path(log, &[account])).collect();
    for n in 0..requests {
        let at = n % nodes.len();
        let (allowances, path) = (Arc::clone(&nodes[at].allowances), Arc::clone(&paths[at]));
        running.spawn(run(allowances, path, Arc::clone(&truth), each));
    }
    let mut refused = Vec::new();
    while let Some(ended) = running.join_next().await {
        refused.extend(ended.unwrap().err().map(|short| short.why));
    }
    nodes.iter().for_each(assert_conserved);
    (truth.billed() / COST, refused)
}

#[tokio::test(start_paused = true)]
async fn two_thousand_at_once_use_up_a_budget_for_half_of_them_in_few_refills() {
    let log = Log::new(3, Faults::default());
    let nodes = three(&log);
    let each = Request { worst: COST, cost: COST, takes: Duration::from_millis(100) };
    let (billed, refused) = burst(&nodes, &log, 2_100, each).await;
    assert_eq!((billed, refused.len()), (1_000, 1_100));
    assert!(refused.iter().all(|why| matches!(why, Why::Spent | Why::InFlight)));
    let refills: u64 = nodes.iter().map(|node| node.allowances.counts().refills).sum();
    assert!(refills <= 30, "{refills} refills");
}

/// Holds of three times the cost: one node gets the whole pool, and what it settles must reach those who
/// wait at the others before their quarter of a second is over.
#[tokio::test(start_paused = true)]
async fn what_is_settled_on_one_node_serves_those_who_wait_on_others() {
    let log = Log::new(3, Faults::default());
    let nodes = three(&log);
    let each = Request { worst: 3 * COST, cost: COST, takes: Duration::from_millis(20) };
    let (billed, _) = burst(&nodes, &log, 2_000, each).await;
    assert!(billed >= 950, "{billed} of 1000");
}

#[tokio::test(start_paused = true)]
async fn an_idle_cushion_flows_back_to_whoever_is_short() {
    let log = Log::new(4, Faults::default());
    let limit = 100 * COST;
    let account = log.budget(budget("b", limit));
    let nodes = three(&log);
    let truth = Truth::new(limit);
    for node in &nodes[1..] {
        let path = node.path(&log, &[account]);
        let request = Request { worst: COST, cost: 1, takes: Duration::from_millis(1) };
        run(Arc::clone(&node.allowances), path, Arc::clone(&truth), request).await.unwrap();
    }
    // Each of the two still has almost all of a hold; the third now wants every cent.
    let path = nodes[0].path(&log, &[account]);
    let mut held = Vec::new();
    while let Ok(hold) = nodes[0].allowances.hold(&path, &usd(COST), START, WITHIN).await {
        held.push(hold);
    }
    assert!(held.len() >= 99, "{} of 99 holds", held.len());
}

#[tokio::test(start_paused = true)]
async fn an_exhausted_budget_is_refused_without_log_traffic() {
    let log = Log::new(5, Faults::default());
    let limit = 10 * COST;
    let account = log.budget(budget("b", limit));
    let nodes = three(&log);
    let path = nodes[0].path(&log, &[account]);
    let allowances = &nodes[0].allowances;
    for _ in 0..10 {
        allowances
            .hold(&path, &usd(COST), START, WITHIN)
            .await
            .unwrap()
            .settle(&usd(COST), &used(COST));
    }
    sleep(Duration::from_secs(3)).await;
    let before = allowances.counts().refills;
    for _ in 0..1_000 {
        let short = allowances.hold(&path, &usd(COST), START, WITHIN).await.unwrap_err();
        assert_eq!((short.why, short.remaining, short.limit), (Why::Spent, 0, limit));
    }
    assert_eq!(allowances.counts().refills, before);
}
