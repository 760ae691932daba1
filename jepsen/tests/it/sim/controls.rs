//! Each mistake that the checks exist for, put in on purpose, must be found within a few runs.

use jepsen::sim::{Break, run};

/// Most runs until a mistake must have been found.
const RUNS_MAX: u64 = 60;

/// Plays runs with a mistake in until somebody objects; says who.
#[track_caller]
fn is_caught(mistake: Break) -> &'static str {
    for seed in 1..=RUNS_MAX {
        if let Some(failure) = run(seed, Some(mistake)).failure {
            println!("{mistake:?} was caught in run {seed} by: {}", failure.check);
            println!("  {} ms: {}", failure.at_ms, failure.what);
            return failure.check;
        }
    }
    panic!("{mistake:?} was not caught in {RUNS_MAX} runs");
}

#[test]
fn a_disk_that_lies_about_its_sync_is_caught() {
    is_caught(Break::FlushOff);
}

#[test]
fn a_leader_that_takes_its_term_up_again_is_caught() {
    is_caught(Break::LeaderRestore);
}

#[test]
fn a_node_that_lives_its_old_life_again_is_caught() {
    is_caught(Break::FenceOff);
}

#[test]
fn a_grant_counted_twice_is_caught() {
    is_caught(Break::GrantDoubled);
}

#[test]
fn a_settlement_counted_twice_is_caught() {
    is_caught(Break::SettledTwice);
}

#[test]
fn a_settlement_that_is_lost_is_caught() {
    is_caught(Break::SettlementLost);
}

#[test]
fn money_taken_back_from_a_silent_node_is_caught() {
    is_caught(Break::ReclaimByTtl);
}

#[test]
fn periods_opened_by_one_clock_are_caught() {
    is_caught(Break::OneClock);
}
