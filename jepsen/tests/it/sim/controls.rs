//! Each mistake that the checks exist for, put in on purpose, must be found within a few runs, and by a
//! check that is about it.

use jepsen::sim::{Break, run};
use std::collections::BTreeMap;

/// Most runs until a mistake must have been found.
const RUNS_MAX: u64 = 100;

/// Checks of what consensus promises.
const CONSENSUS: &[&str] = &[
    "one payload per log id",
    "one entry per index",
    "one ledger per index",
    "what was acknowledged stays",
    "consensus goes on",
    "no task panics",
];
/// Checks of what was billed and what may be.
const BUDGET: &[&str] =
    &["the budget holds", "the books cover every bill", "suspense covers the bills"];
/// Checks of every single settlement.
const SETTLEMENT: &[&str] = &["settled exactly once"];

/// Plays runs with a mistake in until one of these checks objects; says which and when.
#[track_caller]
fn is_caught(mistake: Break, by: &[&str]) {
    let mut others: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in 1..=RUNS_MAX {
        let Some(failure) = run(seed, Some(mistake)).failure else { continue };
        if by.contains(&failure.check) {
            println!("{mistake:?} is caught in run {seed} by: {}", failure.check);
            println!("  at {} ms: {}", failure.at_ms, failure.what);
            println!("  in runs before by: {others:?}");
            return;
        }
        *others.entry(failure.check).or_default() += 1;
    }
    panic!("{mistake:?} was not caught in {RUNS_MAX} runs by any of {by:?}, only by {others:?}");
}

#[test]
fn a_disk_that_lies_about_its_sync_is_caught() {
    is_caught(Break::FlushOff, CONSENSUS);
}

#[test]
fn a_leader_that_takes_its_term_up_again_is_caught() {
    is_caught(Break::LeaderRestore, CONSENSUS);
}

#[test]
fn a_node_that_lives_its_old_life_again_is_caught() {
    is_caught(Break::FenceOff, BUDGET);
}

#[test]
fn a_grant_counted_twice_is_caught() {
    is_caught(Break::GrantDoubled, &["a node holds what it was granted"]);
}

#[test]
fn a_settlement_counted_twice_is_caught() {
    is_caught(Break::SettledTwice, SETTLEMENT);
}

#[test]
fn a_settlement_that_is_lost_is_caught() {
    is_caught(Break::SettlementLost, &[BUDGET, SETTLEMENT].concat());
}

#[test]
fn an_answer_broken_off_and_settled_as_told_is_caught() {
    is_caught(Break::SettledAsTold, &[BUDGET, SETTLEMENT].concat());
}

#[test]
fn money_taken_back_from_a_silent_node_is_caught() {
    is_caught(Break::ReclaimByTtl, BUDGET);
}

#[test]
fn periods_opened_by_one_clock_are_caught() {
    is_caught(Break::OneClock, &["periods open in time"]);
}

#[test]
fn money_spent_before_the_journal_has_it_is_caught() {
    is_caught(Break::JournalUnsynced, BUDGET);
}
