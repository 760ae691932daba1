//! Real threads on one purse: sums are conserved whatever interleaves.

use super::log::{Dice, START, row, usd, used};
use crate::allowance::{Allowances, Path, Purse, PurseTerms};
use ledger::{AccountId, Mode, NodeId, Unit, WithoutQuorum};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::Duration;

const THREADS: u64 = 6;
const ROUNDS: u64 = 20_000;

fn purse(allowances: &Allowances, budget: u64) -> Arc<Purse> {
    allowances.purse(&PurseTerms {
        account: AccountId { budget, window: 0 },
        period: 1,
        unit: Unit::NanoUsd,
        mode: Mode::Hard,
        limit: 1_000_000,
        ends_at: None,
        without_quorum: WithoutQuorum::Strict,
    })
}

fn path(allowances: &Allowances, budgets: std::ops::RangeInclusive<u64>) -> Arc<Path> {
    let purses = budgets.map(|n| purse(allowances, n)).collect();
    allowances.path(purses, row(NodeId(1)))
}

#[test]
fn holds_settlements_grants_and_returns_of_many_threads_conserve_the_sum() {
    let allowances = Allowances::new();
    let path = path(&allowances, 1..=4);
    let spent = AtomicI64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (path, spent, allowances) = (&path, &spent, &allowances);
            scope.spawn(move || {
                let mut dice = Dice::new(thread + 1);
                for round in 0..ROUNDS {
                    for (at, purse) in path.purses().iter().enumerate() {
                        // Cumulative, sent twice and out of order between threads.
                        let round = i64::try_from(round).unwrap();
                        let step = 20 + i64::try_from(at).unwrap();
                        purse.grant(round * step);
                        purse.grant((round - 3) * step);
                    }
                    path.purses()[0].give_back(dice.amount(0, 3));
                    let worst = dice.amount(1, 60);
                    let Ok(hold) = allowances.try_hold(path, &usd(worst), START) else {
                        continue;
                    };
                    let cost = dice.amount(0, worst);
                    hold.settle(&usd(cost), &used(cost));
                    spent.fetch_add(cost, SeqCst);
                }
            });
        }
    });
    for (at, purse) in path.purses().iter().enumerate() {
        let books = purse.books();
        assert_eq!(books.settled, spent.load(SeqCst));
        assert_eq!(books.held, 0);
        assert_eq!(books.available + books.settled + books.returned, books.granted, "{books:?}");
        let rounds = i64::try_from(ROUNDS - 1).unwrap();
        assert_eq!(books.granted, rounds * (20 + i64::try_from(at).unwrap()));
        assert!(books.available >= 0);
    }
}

#[test]
fn no_interleaving_holds_more_than_was_granted() {
    let allowances = Allowances::new();
    let path = path(&allowances, 1..=1);
    path.purses()[0].grant(100);
    let out = AtomicI64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    if let Ok(hold) = allowances.try_hold(&path, &usd(30), START) {
                        let now_out = out.fetch_add(30, SeqCst) + 30;
                        assert!(now_out <= 100);
                        out.fetch_sub(30, SeqCst);
                        hold.void();
                    }
                }
            });
        }
    });
    assert_eq!(path.purses()[0].books().available, 100);
}

#[test]
fn no_wake_up_is_lost_between_runtimes() {
    let allowances = Allowances::new();
    let path = path(&allowances, 1..=2);
    path.purses().iter().for_each(|purse| purse.grant(100));
    let patience = Duration::from_secs(20);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (path, allowances) = (&path, &allowances);
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
                runtime.unwrap().block_on(async {
                    let one = |task: u64| async move {
                        let mut dice = Dice::new(thread * 100 + task);
                        for _ in 0..300 {
                            let charge = usd(dice.amount(20, 60));
                            let hold = allowances.hold(path, &charge, START, patience).await;
                            let hold = hold.unwrap();
                            tokio::task::yield_now().await;
                            hold.void();
                        }
                    };
                    futures_util::future::join_all((0..8).map(one)).await;
                });
            });
        }
    });
    for purse in path.purses().iter() {
        let books = purse.books();
        assert_eq!((books.available, books.held, books.waiting), (100, 0, 0));
    }
}
