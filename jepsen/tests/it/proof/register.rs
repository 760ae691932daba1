//! What an operator writes is linearizable, and stays, while nodes are killed and paused.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jepsen::cluster::{Cluster, looks};
use jepsen::dice::Dice;
use jepsen::history::{Action, Answer, Outcome, Record};
use jepsen::linear::{self, Objection};
use jepsen::{nemesis, spoil};
use tokio::time::Instant;

use super::registers::{Registers, save_history, state_of};
use super::storm;

const CLIENTS: usize = 5;
/// How long it storms, at least; each nemesis strikes once in any case.
const STORM: Duration = Duration::from_secs(25);
/// Longest wait for nodes at rest to show the same log index.
const EQUAL_WITHIN: Duration = Duration::from_secs(20);

#[tokio::test]
async fn limits_of_budgets_are_linearizable_while_nodes_are_killed_and_paused() {
    let seed = Dice::seed();
    println!("register proof, seed {seed}");
    let mut dice = Dice::of(seed);
    let mut cluster = Cluster::start(3).await.unwrap();
    let registers = Registers::of(&cluster);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| tokio::spawn(registers.clone().client(client, dice.split())))
        .collect();
    let strokes = storm::rage(&mut cluster, &nemesis::ALL, &mut dice, STORM).await;
    cluster.heal().await.unwrap();
    registers.over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    registers.read_everywhere(CLIENTS).await;
    let records = registers.history.records();
    let counts = counts(&records);
    println!("  {} strokes; {counts:?}", strokes.len());

    let history = save_history(&cluster, &records);
    let began = Instant::now();
    linear::check(&records).unwrap_or_else(|objection| panic!("{objection:?}: {history:?}"));
    println!("  linearizable, checked in {:.1?}", began.elapsed());
    let surprises = registers.surprises.lock().unwrap().clone();
    assert!(surprises.is_empty(), "{surprises:#?}");
    every_last_read_was_answered(&records, cluster.size());
    // A run in which nothing happened would prove nothing.
    for (what, least) in [("read", 40), ("done", 30), ("mismatch", 1), ("indeterminate", 1)] {
        let count = counts.get(what).copied().unwrap_or_default();
        assert!(count >= least, "{count} times {what}, at least {least} are expected");
    }
    the_checker_objects_to_this_history_spoilt(&records);
    all_nodes_are_equal(&cluster).await;
}

fn counts(records: &[Record]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for record in records {
        let what = match record.outcome {
            Outcome::Ok(Answer::Value(_)) => "read",
            Outcome::Ok(Answer::Done) => "done",
            Outcome::Ok(Answer::Mismatch) => "mismatch",
            Outcome::Failed => "failed",
            Outcome::Indeterminate => "indeterminate",
        };
        *counts.entry(what).or_default() += 1;
    }
    counts
}

/// After the storm each node must answer for each register: only then does linearizability say that
/// nothing acknowledged was lost.
fn every_last_read_was_answered(records: &[Record], nodes: usize) {
    let last: Vec<&Record> = records.iter().filter(|record| record.client == CLIENTS).collect();
    assert_eq!(last.len(), nodes * Registers::keys().count());
    for read in last {
        let answered = matches!(read.outcome, Outcome::Ok(Answer::Value(Some(_))));
        assert!(answered && read.action == Action::Read, "{read:?}");
    }
}

/// The very checker and the very history: with one answer changed it must object. To be sure that no
/// order explains a history takes longer than to find one: some searches may be given up, not all.
fn the_checker_objects_to_this_history_spoilt(records: &[Record]) {
    let mut objections = 0;
    for (name, spoil) in spoil::ALL {
        let spoilt = spoil(records).unwrap_or_else(|| panic!("no occasion for a {name}"));
        match linear::check(&spoilt) {
            Err(Objection::NotLinearizable { .. }) => objections += 1,
            Err(Objection::Undecided { key }) => println!("  {name} at {key}: search given up"),
            Ok(()) => panic!("{name} was accepted"),
        }
    }
    assert!(objections > 0, "every search was given up");
}

/// Where nodes show the same log index, they show the same of everything.
async fn all_nodes_are_equal(cluster: &Cluster) {
    let deadline = Instant::now() + EQUAL_WITHIN;
    let mut looks = looks();
    loop {
        looks.tick().await;
        let mut states = Vec::new();
        for node in 0..cluster.size() {
            states.extend(state_of(cluster, node).await);
        }
        let still =
            states.len() == cluster.size() && states.iter().all(|(index, _)| *index == states[0].0);
        if still {
            let (index, first) = &states[0];
            assert!(states.iter().all(|(_, state)| state == first), "{states:#?}");
            println!("  all nodes equal at log index {index}");
            return;
        }
        assert!(Instant::now() < deadline, "the log does not rest within {EQUAL_WITHIN:?}");
    }
}
