//! Periods of short windows, while a voter says nothing.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use crate::bed::{PATIENCE, Way, leader, ready, seats, start_all, stop_all};
use cluster::Cluster;
use cluster::allowance::{Charge, Path, PurseTerms, Why};
use ledger::command::PutBudget;
use ledger::{
    AccountId, Budget, BudgetWindow, Command, Mode, Unit, UnixMillis, UsageKey, UsageSums, Window,
    WithoutQuorum,
};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, sleep};

const WINDOW_MS: u64 = 1_000;

fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    UnixMillis(u64::try_from(since.as_millis()).unwrap())
}

fn put() -> Command {
    let window = BudgetWindow { window: Window::Fixed(WINDOW_MS), limit: 1_000 };
    let budget = Budget {
        name: "short".to_owned(),
        windows: vec![window],
        managed_by: "api:test".to_owned(),
        ..Budget::default()
    };
    let periods = vec![(now(), Some(UnixMillis(now().0 + WINDOW_MS)))];
    Command::PutBudget(PutBudget { budget, if_index: None, periods })
}

/// A path over the period that admits, as this node has it.
fn path(node: &Cluster, account: AccountId) -> Arc<Path> {
    let ledger = node.ledger();
    let books = ledger.accounts.get(&account).unwrap();
    let purse = node.allowances().purse(&PurseTerms {
        account,
        period: books.period,
        unit: Unit::NanoUsd,
        mode: Mode::Hard,
        limit: books.limit(),
        ends_at: books.present().unwrap().ends_at,
        without_quorum: WithoutQuorum::Strict,
    });
    node.allowances().path(vec![purse], UsageKey::default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_voter_that_says_nothing_keeps_no_short_window_shut() {
    let mut seats = seats(3, Some(3));
    let mut ways = Vec::new();
    for seat in &mut seats {
        let way = Way::open().await;
        seat.way = Some(way.clone());
        ways.push(way);
    }
    let nodes = start_all(&seats).await;
    for node in &nodes {
        ready(node).await;
    }
    let leading = leader(&nodes).await;
    let asked = &nodes[leading];
    ways[(leading + 1) % 3].hush();
    let index = asked.propose(put()).await.unwrap().index;
    let account = AccountId { budget: index, window: 0 };
    asked.wait_applied(index, PATIENCE).await.unwrap();
    let (began, mut served_at) = (Instant::now(), Instant::now());
    let (mut served, mut refused, mut longest) = (0_u32, 0_u32, Duration::ZERO);
    let (within, one) = (Duration::from_secs(1), Charge { nano_usd: 1, ..Charge::ZERO });
    while began.elapsed() < Duration::from_secs(6) {
        match asked.allowances().hold(&path(asked, account), &one, now(), within).await {
            Ok(hold) => {
                hold.settle(&one, &UsageSums::default());
                served += 1;
                longest = longest.max(served_at.elapsed());
                served_at = Instant::now();
            }
            // The caller makes its terms anew.
            Err(short) if short.why == Why::PeriodOver => {}
            Err(_) => refused += 1,
        }
        // Requests come about so often.
        sleep(Duration::from_millis(20)).await;
    }
    let periods = asked.ledger().accounts.get(&account).unwrap().period;
    let measured = format!("{served} served, {refused} refused, {periods} periods, {longest:?}");
    println!("{measured}");
    // One of a second opens up to a second late: no more often does the leader look.
    assert!(periods >= 3 && served > 20 && refused == 0, "{measured}");
    stop_all(&nodes).await;
}
