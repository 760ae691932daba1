//! Killed with SIGKILL at any moment, again and again: nothing acknowledged is lost and every start opens.

pub(crate) mod checker;
pub(crate) mod child;

use crate::support::Dice;
use checker::Checker;
use child::{Child, Lines};
use std::path::Path;
use std::time::Duration;

const KILLS: u64 = 110;
const SIGABRT: i32 = 6;

/// One life: start, let it write for a while, kill, compare. The error is what was found wrong.
fn live_and_die(
    dir: &Path,
    mode: &str,
    checker: &mut Checker,
    run: Duration,
) -> Result<(), String> {
    let mut child = Child::start(dir, mode, checker.acked_entries());
    let lines: Lines = child.run_then(run, |child| child.kill());
    for line in lines {
        checker.hear(&line)?;
    }
    checker.life_ended()
}

#[test]
fn no_acknowledged_write_is_lost_to_a_hundred_kills() {
    let seed = Dice::from_clock().0;
    println!("seed {seed}");
    // Two stores at a time: most of a life is waiting for the disk.
    std::thread::scope(|scope| {
        for half in 0..2 {
            scope.spawn(move || outlive(Dice(seed.rotate_left(half)), KILLS / 2));
        }
    });
}

fn outlive(mut dice: Dice, kills: u64) {
    let dir = tempfile::tempdir().unwrap();
    let mut checker = Checker::default();
    for kill in 0..kills {
        let run = Duration::from_millis(5 + dice.below(60));
        if let Err(found) = live_and_die(dir.path(), "honest", &mut checker, run) {
            panic!("after {kill} kills: {found}");
        }
    }
    println!("{kills} kills, {}", checker.summary());
    assert!(checker.acked > 10 * kills, "too few writes to prove anything: {}", checker.summary());
}

/// The checker must be able to fail: a store that acknowledges before it writes is caught.
#[test]
fn a_store_that_acknowledges_early_is_caught() {
    let mut dice = Dice::from_clock();
    println!("seed {}", dice.0);
    let dir = tempfile::tempdir().unwrap();
    let mut checker = Checker::default();
    for kill in 1..=KILLS {
        let run = Duration::from_millis(5 + dice.below(40));
        if let Err(found) = live_and_die(dir.path(), "early", &mut checker, run) {
            println!("caught after {kill} kills: {found}");
            return;
        }
    }
    panic!("a store that acknowledges early passed: {}", checker.summary());
}

#[test]
fn a_disk_that_fails_ends_the_process_before_it_acknowledges() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Child::start(dir.path(), "broken", 1);
    let lines = child.run_then(Duration::from_secs(20), |_| {});
    assert!(lines.iter().any(|line| line.starts_with("open ")), "{lines:?}");
    assert!(!lines.iter().any(|line| line.starts_with("voted")), "{lines:?}");
    assert_eq!(child.signal(), Some(SIGABRT));
}
