//! What a restart finds.

use crate::support::{append, apply, entry, log_id, normal, open, refusal, revoke, tuning, vote};
use ledger::{Change, Entry, Ledger};
use std::sync::Arc;
use storage::format::RECORD_BYTES_MAX;
use storage::openraft::storage::{
    RaftLogReader, RaftLogStorage, RaftSnapshotBuilder, RaftStateMachine,
};
use storage::{Observer, Silent, Storage, Tuning};

#[tokio::test]
async fn entries_and_vote_are_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path()).unwrap().log;
    log.save_vote(&vote(3)).await.unwrap();
    let written: Vec<_> = (0..100).map(|index| entry(3, index)).collect();
    append(&mut log, written.clone()).await.unwrap();
    log.save_committed(Some(log_id(3, 60))).await.unwrap();
    drop(log);
    let storage = open(dir.path()).unwrap();
    assert!(storage.has_raft_state());
    let mut log = storage.log;
    assert_eq!(log.read_vote().await.unwrap(), Some(vote(3)));
    assert_eq!(log.read_committed().await.unwrap(), Some(log_id(3, 60)));
    assert_eq!(log.try_get_log_entries(0..200).await.unwrap(), written);
}

#[tokio::test]
async fn a_fresh_directory_has_no_raft_state_and_an_incarnation_per_start() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path()).unwrap();
    assert!(!first.has_raft_state());
    assert_eq!(first.identity.incarnation(), 1);
    drop(first);
    assert_eq!(open(dir.path()).unwrap().identity.incarnation(), 2);
}

#[tokio::test]
async fn a_truncated_tail_stays_gone_and_its_places_are_taken_by_another_term() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path()).unwrap().log;
    append(&mut log, (0..10).map(|index| entry(1, index)).collect()).await.unwrap();
    log.truncate_after(Some(log_id(1, 4))).await.unwrap();
    append(&mut log, vec![entry(2, 5)]).await.unwrap();
    drop(log);
    let mut log = open(dir.path()).unwrap().log;
    let state = log.get_log_state().await.unwrap();
    assert_eq!(state.last_log_id, Some(log_id(2, 5)));
    assert_eq!(log.try_get_log_entries(4..).await.unwrap(), vec![entry(1, 4), entry(2, 5)]);
}

#[tokio::test]
async fn a_log_cut_down_to_nothing_opens_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path()).unwrap().log;
    append(&mut log, (0..10).map(|index| entry(1, index)).collect()).await.unwrap();
    log.truncate_after(None).await.unwrap();
    drop(log);
    let mut log = open(dir.path()).unwrap().log;
    assert_eq!(log.get_log_state().await.unwrap().last_log_id, None);
}

#[tokio::test]
async fn an_entry_that_would_leave_a_hole_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path()).unwrap().log;
    append(&mut log, vec![entry(1, 0)]).await.unwrap();
    let refused = append(&mut log, vec![entry(1, 2)]).await.unwrap_err();
    assert!(refused.to_string().contains("would leave a hole"), "{refused}");
    append(&mut log, vec![entry(1, 1)]).await.unwrap();
}

#[tokio::test]
async fn the_ledger_comes_back_from_its_snapshot_and_the_log_goes_on_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let storage = open(dir.path()).unwrap();
    let (mut log, mut machine, view) = (storage.log, storage.machine, storage.view);
    let entries = crate::samples::story();
    let last = entries.last().unwrap().log_id;
    append(&mut log, entries.clone()).await.unwrap();
    apply(&mut machine, entries).await.unwrap();
    machine.get_snapshot_builder().await.build_snapshot().await.unwrap();
    log.purge(last).await.unwrap();
    append(&mut log, vec![entry(2, last.index + 1)]).await.unwrap();
    let before = view.load();
    drop((log, machine));
    let mut storage = open(dir.path()).unwrap();
    assert_eq!(*storage.view.load(), *before);
    assert_eq!(storage.view.applied_index(), last.index);
    assert_eq!(storage.machine.applied_state().await.unwrap().0, Some(last));
    let state = storage.log.get_log_state().await.unwrap();
    assert_eq!(state.last_purged_log_id, Some(last));
    assert_eq!(state.last_log_id, Some(log_id(2, last.index + 1)));
}

#[tokio::test]
async fn purging_past_the_end_leaves_a_log_that_begins_there() {
    let dir = tempfile::tempdir().unwrap();
    let storage = open(dir.path()).unwrap();
    let (mut log, mut machine) = (storage.log, storage.machine);
    append(&mut log, (0..5).map(|index| entry(1, index)).collect()).await.unwrap();
    apply(&mut machine, vec![entry(4, 900)]).await.unwrap();
    machine.get_snapshot_builder().await.build_snapshot().await.unwrap();
    log.purge(log_id(4, 900)).await.unwrap();
    append(&mut log, vec![entry(4, 901)]).await.unwrap();
    drop((log, machine));
    let mut log = open(dir.path()).unwrap().log;
    assert_eq!(log.get_log_state().await.unwrap().last_log_id, Some(log_id(4, 901)));
}

/// Opening asks the engine whether it put a record outside its log.
#[tokio::test]
async fn the_largest_records_stay_inside_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let product = Tuning { ballast_bytes: 1 << 16, ..Tuning::default() };
    let open = || Storage::open_on(dir.path(), Arc::new(Silent), &product, |disk| disk).unwrap();
    let mut log = open().log;
    let name = "x".repeat(RECORD_BYTES_MAX - 200);
    for from in (0..160).step_by(16) {
        let some = (from..from + 16).map(|index| normal(1, index, revoke(&name)));
        append(&mut log, some.collect()).await.unwrap();
    }
    log.truncate_after(Some(log_id(1, 99))).await.unwrap();
    drop(log);
    let mut log = open().log;
    assert_eq!(log.try_get_log_entries(..).await.unwrap().len(), 100);
}

#[tokio::test]
async fn a_second_process_is_refused_while_the_log_is_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path()).unwrap().log;
    assert!(refusal(dir.path()).contains("in use by another process"));
    drop(log);
    open(dir.path()).unwrap();
}

#[test]
fn the_observer_hears_of_a_restored_ledger_at_the_start() {
    struct Restored(std::sync::Mutex<Vec<u64>>);
    impl Observer for Restored {
        fn applied(&self, _: &Arc<Ledger>, _: &Entry, _: &[Change]) {}
        fn installed(&self, ledger: &Arc<Ledger>) {
            self.0.lock().unwrap().push(ledger.applied_index);
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut machine = open(dir.path()).unwrap().machine;
        apply(&mut machine, vec![entry(1, 0), entry(1, 1)]).await.unwrap();
        machine.get_snapshot_builder().await.build_snapshot().await.unwrap();
    });
    let heard = Arc::new(Restored(std::sync::Mutex::default()));
    let observer = Arc::clone(&heard);
    drop(Storage::open_on(dir.path(), observer, &tuning(), |disk| disk).unwrap());
    assert_eq!(*heard.0.lock().unwrap(), [1]);
}
