//! Damage is refused with a sentence that says what to do, and never repaired by cutting.

use crate::support::{append, apply, entry, log_id, open, refusal, vote};
use std::fs;
use std::path::{Path, PathBuf};
use storage::openraft::storage::{RaftLogStorage, RaftSnapshotBuilder, RaftStateMachine};

const SENTENCE: &str = "this node lost its log: wipe and rejoin as a new node";

/// A directory with a vote, 200 entries and a snapshot of the first half.
async fn lived_in() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let storage = open(dir.path()).unwrap();
    let (mut log, mut machine) = (storage.log, storage.machine);
    log.save_vote(&vote(1)).await.unwrap();
    append(&mut log, (0..200).map(|index| entry(1, index)).collect()).await.unwrap();
    apply(&mut machine, (0..100).map(|index| entry(1, index)).collect()).await.unwrap();
    machine.get_snapshot_builder().await.build_snapshot().await.unwrap();
    dir
}

fn snapshot_of(dir: &Path) -> PathBuf {
    let mut files = fs::read_dir(dir.join("snapshots")).unwrap();
    files.next().unwrap().unwrap().path()
}

fn refused(dir: &Path, because: &str) {
    let sentence = refusal(dir);
    assert!(sentence.contains(SENTENCE) && sentence.contains(because), "{sentence}");
    // Nothing was repaired on the way: it is refused again.
    assert_eq!(refusal(dir), sentence);
}

#[tokio::test]
async fn a_log_that_is_gone_is_refused() {
    let dir = lived_in().await;
    fs::remove_dir_all(dir.path().join("log")).unwrap();
    refused(dir.path(), "entry 199 was on disk, the log is empty");
}

#[tokio::test]
async fn a_log_whose_file_was_cut_is_refused() {
    let dir = lived_in().await;
    for item in fs::read_dir(dir.path().join("log")).unwrap() {
        let path = item.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("snap.") {
            fs::remove_file(path).unwrap();
        }
    }
    let file = fs::OpenOptions::new().write(true).open(dir.path().join("log/db")).unwrap();
    file.set_len(1 << 10).unwrap();
    refused(dir.path(), "was on disk");
}

#[tokio::test]
async fn a_bit_flipped_anywhere_in_the_log_never_goes_unnoticed() {
    let dir = lived_in().await;
    let path = dir.path().join("log/db");
    let whole = fs::read(&path).unwrap();
    // Somewhere in the first and the last of the entries, by their keys.
    for name in ["key-1", "key-199"] {
        let copy = tempfile::tempdir().unwrap();
        copy_dir(dir.path(), copy.path());
        let mut bytes = whole.clone();
        let at = bytes.windows(name.len()).rposition(|window| window == name.as_bytes()).unwrap();
        bytes[at] ^= 0x10;
        fs::write(copy.path().join("log/db"), bytes).unwrap();
        let result = std::panic::catch_unwind(|| open(copy.path()).map(drop));
        let sentence = match result {
            Ok(Ok(())) => panic!("a flipped bit in {name} was not noticed"),
            Ok(Err(error)) => error.to_string(),
            Err(_) => continue,
        };
        assert!(!sentence.is_empty());
    }
}

#[tokio::test]
async fn a_watermark_that_is_gone_or_unreadable_is_refused() {
    let dir = lived_in().await;
    let path = dir.path().join("watermark");
    fs::write(&path, vec![0; 8_192]).unwrap();
    refused(dir.path(), "neither slot of the watermark reads back");
    fs::remove_file(path).unwrap();
    refused(dir.path(), "its watermark is gone");
}

#[tokio::test]
async fn an_identity_that_is_gone_is_refused() {
    let dir = lived_in().await;
    fs::remove_file(dir.path().join("node.json")).unwrap();
    refused(dir.path(), "its identity is gone");
}

#[tokio::test]
async fn a_snapshot_damaged_at_any_place_is_refused() {
    let dir = lived_in().await;
    let path = snapshot_of(dir.path());
    let whole = fs::read(&path).unwrap();
    let step = (whole.len() / 12).max(1);
    for at in (0..whole.len()).step_by(step) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&path, bytes).unwrap();
        refused(dir.path(), "snapshot");
    }
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    refused(dir.path(), "snapshot");
    fs::write(&path, &whole).unwrap();
    open(dir.path()).unwrap();
}

#[tokio::test]
async fn a_snapshot_that_is_gone_is_refused_once_the_log_before_it_is_purged() {
    let dir = lived_in().await;
    let mut log = open(dir.path()).unwrap().log;
    log.purge(log_id(1, 99)).await.unwrap();
    drop(log);
    fs::remove_file(snapshot_of(dir.path())).unwrap();
    refused(dir.path(), "the snapshot does not reach it");
}

#[tokio::test]
async fn an_older_copy_of_the_log_is_refused() {
    let dir = lived_in().await;
    let older = tempfile::tempdir().unwrap();
    copy_dir(&dir.path().join("log"), older.path());
    let mut log = open(dir.path()).unwrap().log;
    append(&mut log, vec![entry(1, 200)]).await.unwrap();
    drop(log);
    fs::remove_dir_all(dir.path().join("log")).unwrap();
    copy_dir(older.path(), &dir.path().join("log"));
    refused(dir.path(), "entry 200 was on disk, the log ends at");
}

#[tokio::test]
async fn an_older_vote_is_refused() {
    let dir = lived_in().await;
    let older = tempfile::tempdir().unwrap();
    copy_dir(&dir.path().join("log"), older.path());
    let mut log = open(dir.path()).unwrap().log;
    log.save_vote(&vote(2)).await.unwrap();
    drop(log);
    fs::remove_dir_all(dir.path().join("log")).unwrap();
    copy_dir(older.path(), &dir.path().join("log"));
    refused(dir.path(), "was on disk");
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for item in fs::read_dir(from).unwrap() {
        let item = item.unwrap();
        let target = to.join(item.file_name());
        if item.file_type().unwrap().is_dir() {
            copy_dir(&item.path(), &target);
        } else {
            fs::copy(item.path(), target).unwrap();
        }
    }
}
