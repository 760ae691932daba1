//! The short form of the live runs: each nemesis strikes once. `jepsen live` runs the long form.

use std::process::Command;

use jepsen::dice::Dice;

/// Has nemeses strike a cluster of so many nodes, each of them once.
fn holds_while_struck(nodes: u64, nemeses: &str) {
    let seed = Dice::seed();
    let mut run = Command::new(env!("CARGO_BIN_EXE_jepsen"));
    run.args(["live", "--nodes", &nodes.to_string(), "--seconds", "1", "--nemesis", nemeses]);
    run.args(["--seed", &seed.to_string(), "--rate", "300"]);
    let report = concat!(env!("CARGO_TARGET_TMPDIR"), "/live.jsonl");
    run.args(["--json", report]);
    let ended = run.status().unwrap();
    assert!(ended.success(), "{nemeses} with seed {seed}: said above");
}

#[test]
fn budgets_and_writes_hold_while_nodes_are_killed_and_paused() {
    holds_while_struck(3, "kill,pause");
}

#[test]
fn budgets_and_writes_hold_while_power_is_cut_and_disks_are_full() {
    holds_while_struck(3, "power,space");
}

#[test]
fn budgets_and_writes_hold_while_five_nodes_do_not_hear_each_other() {
    holds_while_struck(5, "partition");
}

#[test]
fn budgets_and_writes_hold_while_clocks_are_wrong_and_packets_are_lost() {
    holds_while_struck(3, "clock,loss");
}

#[test]
fn budgets_and_writes_hold_while_nodes_join_leave_and_lose_their_disks() {
    holds_while_struck(3, "churn,wipe");
}
