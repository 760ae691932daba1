//! Receipts: what was flushed outlives a kill, the oldest go first, and damage is no reason to stop.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use storage::receipts::{Keep, RECEIPT_BYTES_MAX, Receipts};

const DIR: &str = "BURSAR_TEST_RECEIPTS_DIR";
const MARK: &str = "receipts: ";
const HOUR_MS: u64 = 3_600_000;
const BATCH: u64 = 20;

fn key(at_ms: u64, counter: u64) -> Vec<u8> {
    [at_ms.to_be_bytes(), counter.to_be_bytes()].concat()
}

/// A receipt that says whose it is, 416 bytes with its key.
fn receipt(counter: u64) -> Vec<u8> {
    counter.to_be_bytes().repeat(50)
}

fn put(receipts: &Receipts, at_ms: u64, counter: u64) {
    receipts.put_batch(vec![(key(at_ms, counter), receipt(counter))]).unwrap();
}

fn has(receipts: &Receipts, at_ms: u64, counter: u64) -> bool {
    match receipts.get(&key(at_ms, counter)).unwrap() {
        Some(found) => {
            assert_eq!(found, receipt(counter));
            true
        }
        None => false,
    }
}

#[test]
fn a_receipt_is_found_by_its_key_at_once_and_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let receipts = Receipts::open(dir.path()).unwrap();
    put(&receipts, 5, 1);
    put(&receipts, 5, 2);
    receipts.put_batch(vec![(key(5, 2), b"another".to_vec())]).unwrap();
    assert!(has(&receipts, 5, 1) && !has(&receipts, 5, 3));
    let bytes = receipts.kept_bytes();
    assert_eq!(bytes, 416 + 16 + 7);
    drop(receipts);
    let receipts = Receipts::open(dir.path()).unwrap();
    assert_eq!(receipts.get(&key(5, 2)).unwrap().unwrap(), b"another");
    assert_eq!(receipts.kept_bytes(), bytes);
}

#[test]
fn a_key_without_a_time_and_a_receipt_without_measure_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let receipts = Receipts::open(dir.path()).unwrap();
    let large = vec![0; RECEIPT_BYTES_MAX + 1];
    for (key, value) in [(vec![1; 7], vec![]), (vec![1; 65], vec![]), (vec![1; 16], large)] {
        let batch = vec![(self::key(1, 1), receipt(1)), (key, value)];
        let refused = receipts.put_batch(batch).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{refused}");
    }
    // All or none, and it goes on.
    assert_eq!(receipts.kept_bytes(), 0);
    receipts.put_batch(vec![(key(1, 1), vec![7; RECEIPT_BYTES_MAX])]).unwrap();
    assert_eq!(receipts.get(&key(1, 1)).unwrap().unwrap().len(), RECEIPT_BYTES_MAX);
}

#[test]
fn receipts_of_an_earlier_time_are_removed() {
    let dir = tempfile::tempdir().unwrap();
    let receipts = Receipts::open(dir.path()).unwrap();
    let many = |hour: u64| (0..700).map(move |n| (key(hour * HOUR_MS + n, n), receipt(n)));
    receipts.put_batch(many(1).chain(many(2)).collect()).unwrap();
    assert_eq!(receipts.prune_before(2 * HOUR_MS + 1).unwrap(), 701);
    assert!(!has(&receipts, HOUR_MS + 699, 699) && !has(&receipts, 2 * HOUR_MS, 0));
    assert!(has(&receipts, 2 * HOUR_MS + 1, 1));
    assert_eq!(receipts.kept_bytes(), 699 * 416);
    assert_eq!(receipts.prune_before(u64::MAX).unwrap(), 699);
    assert_eq!(receipts.kept_bytes(), 0);
}

#[test]
fn the_oldest_go_when_there_are_too_many_or_they_are_too_old() {
    let dir = tempfile::tempdir().unwrap();
    let keep = Keep { age_ms: 10 * HOUR_MS, bytes_max: 10 * 416 };
    let receipts = Receipts::open_keeping(dir.path(), keep).unwrap();
    for n in 0..25 {
        put(&receipts, HOUR_MS + n, n);
    }
    // What makes room comes with any pruning.
    receipts.prune_before(0).unwrap();
    assert!(!has(&receipts, HOUR_MS + 14, 14) && has(&receipts, HOUR_MS + 15, 15));
    assert_eq!(receipts.kept_bytes(), keep.bytes_max);
    put(&receipts, 12 * HOUR_MS, 100);
    // The end does what every second does.
    drop(receipts);
    let receipts = Receipts::open_keeping(dir.path(), keep).unwrap();
    assert!(has(&receipts, 12 * HOUR_MS, 100) && !has(&receipts, HOUR_MS + 24, 24));
    assert_eq!(receipts.kept_bytes(), 416);
}

/// What the killed process does: batches for ever, each flushed before it is said.
#[test]
fn writes_until_killed() {
    let Some(dir) = std::env::var_os(DIR) else {
        return;
    };
    let receipts = Receipts::open(Path::new(&dir)).unwrap();
    for batch in 0.. {
        let counters = batch * BATCH..(batch + 1) * BATCH;
        receipts.put_batch(counters.map(|n| (key(n, n), receipt(n))).collect()).unwrap();
        receipts.flush().unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "{MARK}{batch}").unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn what_was_flushed_outlives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    for batches in [3, 11, 40] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["receipts::writes_until_killed", "--exact", "--nocapture"])
            .env(DIR, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        let flushed = said
            .filter_map(|line| line.unwrap().split_once(MARK)?.1.parse::<u64>().ok())
            .take(batches)
            .last()
            .unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let receipts = Receipts::open(dir.path()).unwrap();
        assert!((0..(flushed + 1) * BATCH).all(|n| has(&receipts, n, n)), "{flushed} batches");
        assert!(!dir.path().join("receipts.damaged").exists());
    }
}

#[test]
fn a_store_that_does_not_open_is_set_aside_and_a_new_one_begins() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        put(&Receipts::open(dir.path()).unwrap(), 7, 7);
        let conf = dir.path().join("receipts/conf");
        fs::write(&conf, b"what is this").unwrap();
        let receipts = Receipts::open(dir.path()).unwrap();
        assert!(!has(&receipts, 7, 7));
        put(&receipts, 7, 7);
        assert!(has(&receipts, 7, 7));
        let aside = dir.path().join("receipts.damaged");
        assert_eq!(fs::read(aside.join("conf")).unwrap(), b"what is this");
    }
}

#[test]
fn damage_ends_the_store_and_not_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let receipts = Receipts::open(dir.path()).unwrap();
    // More than the engine looks at as it opens.
    let large = |n: u64| n.to_be_bytes().repeat(RECEIPT_BYTES_MAX / 8);
    for n in 0..160 {
        receipts.put_batch(vec![(key(n, n), large(n))]).unwrap();
    }
    drop(receipts);
    let path = dir.path().join("receipts/db");
    let mut bytes = fs::read(&path).unwrap();
    let needle = receipt(20);
    let mut from = 0;
    // Every copy there is, wherever the engine has moved it.
    while let Some(at) = bytes[from..].windows(needle.len()).position(|window| window == needle) {
        bytes[from + at] ^= 0x10;
        from += at + needle.len();
    }
    fs::write(&path, bytes).unwrap();
    let receipts = Receipts::open(dir.path()).unwrap();
    // The engine may have come upon it already, and set it aside or cut it off.
    match receipts.get(&key(20, 20)) {
        Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}"),
        Ok(found) => assert_eq!(found, None, "damage was read back"),
    }
    put(&receipts, 7, 7);
    assert!(has(&receipts, 7, 7));
    receipts.flush().unwrap();
}
