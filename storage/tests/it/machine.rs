//! The state machine: what is shown, told and kept.

use crate::samples::story;
use crate::support::{append, apply, entry, log_id, open, tuning};
use ledger::{Change, Entry, Ledger};
use std::path::Path;
use std::sync::{Arc, Mutex};
use storage::format::v1::{Bytes, RevokeKeyV1, WirePropose};
use storage::format::{self, FormatError};
use storage::openraft::storage::{RaftSnapshotBuilder, RaftStateMachine};
use storage::{Observer, Peer, RaftEntry, SnapshotFile, Storage, View};

fn bytes_of(file: &SnapshotFile) -> Vec<u8> {
    file.read_at(0, usize::MAX).unwrap()
}

/// Snapshot files of a data directory, finished or not.
fn files_in(data_dir: &Path) -> usize {
    std::fs::read_dir(data_dir.join("snapshots")).unwrap().count()
}

#[derive(Default)]
struct Heard {
    told: Mutex<Vec<(u64, u64)>>,
    view: Mutex<Option<View>>,
}

impl Observer for Heard {
    fn applied(&self, ledger: &Arc<Ledger>, entry: &Entry, _: &[Change]) {
        let view = self.view.lock().unwrap();
        let shown = view.as_ref().unwrap().load();
        assert!(shown.applied_index >= entry.index && ledger.applied_index >= entry.index);
        let announced = view.as_ref().unwrap().applied_index();
        self.told.lock().unwrap().push((entry.index, announced));
    }

    fn installed(&self, _: &Arc<Ledger>) {}
}

#[tokio::test]
async fn the_observer_hears_each_entry_once_in_order_before_it_is_announced() {
    let dir = tempfile::tempdir().unwrap();
    let heard = Arc::new(Heard::default());
    let observer = Arc::clone(&heard);
    let storage = Storage::open_on(dir.path(), observer, &tuning(), |disk| disk).unwrap();
    *heard.view.lock().unwrap() = Some(storage.view.clone());
    let mut machine = storage.machine;
    let entries: Vec<RaftEntry> = (1..2_000).map(|index| entry(1, index)).collect();
    apply(&mut machine, entries).await.unwrap();
    let told = heard.told.lock().unwrap();
    assert!(told.iter().map(|(index, _)| *index).eq(1..2_000));
    assert!(told.iter().all(|(index, announced)| announced < index));
    assert_eq!(storage.view.applied_index(), 1_999);
}

#[tokio::test]
async fn waiting_for_an_index_ends_with_it_or_with_the_storage() {
    let dir = tempfile::tempdir().unwrap();
    let storage = open(dir.path()).unwrap();
    let (view, mut machine) = (storage.view.clone(), storage.machine);
    let waiting = tokio::spawn(async move { view.wait_applied(1).await });
    apply(&mut machine, vec![entry(1, 0), entry(1, 1)]).await.unwrap();
    assert!(waiting.await.unwrap());
    drop(machine);
    assert!(!storage.view.wait_applied(2).await);
}

#[tokio::test]
async fn a_snapshot_sent_in_pieces_gives_the_same_ledger_and_the_same_bytes() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let sender = open(here.path()).unwrap();
    let mut machine = sender.machine;
    apply(&mut machine, story()).await.unwrap();
    let sent = machine.get_snapshot_builder().await.build_snapshot().await.unwrap();
    let receiver = open(there.path()).unwrap();
    let mut incoming = receiver.snapshots.receive().unwrap();
    while incoming.bytes() < sent.snapshot.bytes() {
        let at = incoming.bytes();
        incoming.write(at, &sent.snapshot.read_at(at, 100).unwrap()).unwrap();
    }
    assert!(incoming.write(3, b"late").is_err());
    let received = incoming.finish().unwrap();
    let mut machine = receiver.machine;
    machine.install_snapshot(&sent.meta, received).await.unwrap();
    assert_eq!(*receiver.view.load(), *sender.view.load());
    let kept = machine.get_current_snapshot().await.unwrap().unwrap();
    assert_eq!((&kept.meta, bytes_of(&kept.snapshot)), (&sent.meta, bytes_of(&sent.snapshot)));
    drop((machine, receiver.log));
    let again = open(there.path()).unwrap();
    assert_eq!(*again.view.load(), *sender.view.load());
}

#[tokio::test]
async fn an_older_build_never_takes_the_place_of_a_newer_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    let storage = open(dir.path()).unwrap();
    let mut machine = storage.machine;
    apply(&mut machine, vec![entry(1, 0)]).await.unwrap();
    let mut slow = machine.get_snapshot_builder().await;
    apply(&mut machine, vec![entry(1, 1)]).await.unwrap();
    machine.get_snapshot_builder().await.build_snapshot().await.unwrap();
    let built = slow.build_snapshot().await.unwrap();
    assert_eq!(built.meta.last_log_id, Some(log_id(1, 1)));
    let kept = machine.get_current_snapshot().await.unwrap().unwrap();
    assert_eq!(kept.meta.last_log_id, Some(log_id(1, 1)));
    assert_eq!(files_in(dir.path()), 1);
}

#[tokio::test]
async fn a_received_snapshot_that_does_not_check_out_never_reaches_consensus() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut machine = open(here.path()).unwrap().machine;
    apply(&mut machine, story()).await.unwrap();
    let sent = machine.get_snapshot_builder().await.build_snapshot().await.unwrap();
    let mut bytes = bytes_of(&sent.snapshot);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    let receiver = open(there.path()).unwrap();
    let mut incoming = receiver.snapshots.receive().unwrap();
    incoming.write(0, &bytes).unwrap();
    incoming.finish().unwrap_err();
    assert_eq!(files_in(there.path()), 0);
}

#[tokio::test]
async fn a_received_snapshot_that_is_not_installed_leaves_no_file() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut machine = open(here.path()).unwrap().machine;
    apply(&mut machine, story()).await.unwrap();
    let sent = machine.get_snapshot_builder().await.build_snapshot().await.unwrap();
    let receiver = open(there.path()).unwrap();
    let mut machine = receiver.machine;
    for (installed, files) in [(false, 0), (true, 1)] {
        let mut incoming = receiver.snapshots.receive().unwrap();
        incoming.write(0, &bytes_of(&sent.snapshot)).unwrap();
        let received = incoming.finish().unwrap();
        if installed {
            machine.install_snapshot(&sent.meta, received.clone()).await.unwrap();
        }
        drop(received);
        assert_eq!(files_in(there.path()), files);
    }
}

#[tokio::test]
async fn a_transfer_given_up_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let storage = open(dir.path()).unwrap();
    let mut incoming = storage.snapshots.receive().unwrap();
    incoming.write(0, b"half").unwrap();
    drop(incoming);
    assert_eq!(files_in(dir.path()), 0);
}

#[tokio::test]
async fn a_command_too_large_for_a_record_is_refused_before_it_is_proposed() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path()).unwrap().log;
    let at = ledger::UnixMillis(1);
    let fits = |bytes: usize| {
        let command = crate::support::revoke(&"x".repeat(bytes));
        storage::Proposal { at, command }
    };
    let refused = fits(64 * 1024).check().unwrap_err();
    assert!(refused.to_string().contains("at most 65408 fit"), "{refused}");
    // Nor is it taken from a peer that has another idea of what fits.
    let name = "x".repeat(64 * 1024);
    let wire = WirePropose {
        at_ms: 1,
        command: Bytes(format::encode(&RevokeKeyV1 { name, if_index: None }).unwrap()),
    };
    let refused = storage::Proposal::try_from(wire).unwrap_err();
    assert!(matches!(refused, FormatError::TooLarge { .. }), "{refused}");
    let largest = fits(65_408 - 24);
    largest.check().unwrap();
    let entry = crate::support::normal(1, 0, largest.command);
    append(&mut log, vec![entry]).await.unwrap();
    assert_eq!(Peer { addr: "a:1".to_owned() }.to_string(), "a:1");
}
