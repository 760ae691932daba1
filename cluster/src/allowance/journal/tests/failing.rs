//! Journals that cannot be written.

use super::{Life, owner};
use crate::allowance::journal::{Testament, files, folder};
use crate::allowance::tests::log::{START, usd};
use crate::allowance::{Allowances, Why};
use std::fs::OpenOptions;

#[test]
fn a_journal_that_can_neither_be_begun_nor_removed_keeps_the_life_from_spending() {
    let dir = tempfile::tempdir().unwrap();
    let in_the_way = files::log_path(&folder(dir.path()), 3, 1);
    std::fs::create_dir_all(&in_the_way).unwrap();
    let allowances = Allowances::new();
    for _ in 0..2 {
        allowances.begin_journal(dir.path(), owner()).unwrap_err();
        assert!(!allowances.has_journal());
    }
    std::fs::remove_dir(&in_the_way).unwrap();
    // What a first try left behind is no journal: nothing was spent by then.
    std::fs::write(&in_the_way, b"").unwrap();
    allowances.begin_journal(dir.path(), owner()).unwrap();
    assert!(allowances.has_journal());
    assert!(Testament::read(dir.path(), &owner()).unwrap().is_some());
}

#[test]
fn nothing_is_held_while_a_journal_that_failed_is_still_there() {
    let life = Life::new(3);
    let journal = life.allowances.desk.journal().unwrap();
    journal.fail(&std::io::Error::other("full"));
    let short = life.allowances.try_hold(&life.paths[0], &usd(1), START).unwrap_err();
    assert_eq!(short.why, Why::NoJournal);
    // Usage alone is let through: no money is at stake.
    life.allowances.try_hold(&life.paths[1], &usd(1), START).unwrap().void();
    life.allowances.tend_files();
    assert!(files::list(&life.folder()).unwrap().is_empty());
    life.allowances.try_hold(&life.paths[0], &usd(1), START).unwrap().void();
    // What is granted from now on needs no opening.
    life.grant(2_000_000);
    assert_eq!(life.paths[0].purses()[0].books().sealed, 0);
}

#[test]
fn a_life_whose_journal_was_never_begun_is_not_told_of() {
    let life = Life::new(2);
    let path = files::log_path(&life.folder(), 3, 1);
    OpenOptions::new().write(true).open(path).unwrap().set_len(0).unwrap();
    assert!(life.read().is_none());
}
