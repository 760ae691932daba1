//! The bytes each release wrote, read and written again on every run.
//!
//! `BURSAR_WRITE_GOLDEN=1` writes cases that have no file yet; it never touches one that is there.

use crate::samples::{commands, membership, story};
use crate::support::{apply, log_id, normal, open, revoke, vote};
use ledger::{AccountId, Denial, Grant, NodeId, Outcome};
use std::collections::BTreeSet;
use std::path::PathBuf;
use storage::format::v1::{
    Bytes, Rpc, WatermarkV1, WireAppendRequest, WireAppendResponse, WireBlank, WireEntry,
    WireLogId, WireMembership, WirePropose, WireProposed, WireSnapshotChunk, WireSnapshotInstall,
    WireSnapshotResponse, WireStoredMembership, WireTransferRequest, WireTransferResponse,
    WireVote, WireVoteRequest, WireVoteResponse,
};
use storage::format::{self, Body, FormatError};
use storage::openraft::storage::{RaftSnapshotBuilder, RaftStateMachine};
use storage::{Applied, Proposal};

const WRITE: &str = "BURSAR_WRITE_GOLDEN";

/// A case: its file's name, its bytes, and how to read and write them again.
struct Case {
    name: String,
    bytes: Vec<u8>,
    again: fn(&[u8]) -> Result<Vec<u8>, FormatError>,
}

fn case<B: Body>(case: &str, body: &B) -> Case {
    let kind = B::KIND.name().unwrap();
    let name = if case.is_empty() { kind.to_owned() } else { format!("{kind}.{case}") };
    Case {
        name,
        bytes: format::encode(body).unwrap(),
        again: |bytes| format::encode(&format::decode::<B>(bytes)?),
    }
}

fn command_cases() -> Vec<Case> {
    let case = |(name, command): (&str, _)| Case {
        name: name.to_owned(),
        bytes: format::encode_command(&command).unwrap(),
        again: |bytes| format::encode_command(&format::decode_command(bytes)?),
    };
    commands().into_iter().map(case).collect()
}

fn wire_id() -> WireLogId {
    WireLogId::from(&log_id(3, 77))
}

fn log_cases() -> Vec<Case> {
    let wire_vote = WireVote::from(&vote(3));
    let blank = WireBlank {};
    let entry =
        WireEntry { log_id: wire_id(), at_ms: 0, payload: Bytes(format::encode(&blank).unwrap()) };
    vec![
        case("", &entry),
        case("", &blank),
        case("joint", &WireMembership::from(&membership())),
        case("", &wire_vote),
        case("", &wire_id()),
        case("fresh", &WatermarkV1::default()),
        case("", &WatermarkV1 { seq: 9, last: Some(wire_id()), vote: Some(wire_vote) }),
    ]
}

fn append_cases() -> Vec<Case> {
    let wire_vote = WireVote::from(&vote(3));
    let request = storage::openraft::raft::AppendEntriesRequest {
        vote: vote(3),
        prev_log_id: Some(log_id(3, 77)),
        entries: vec![normal(3, 78, revoke("a")), normal(3, 79, revoke("b"))],
        leader_commit: None,
    };
    let response = |result, log_id, vote| WireAppendResponse { result, log_id, vote };
    let empty = WireAppendRequest {
        vote: wire_vote,
        prev_log_id: None,
        entries: Vec::new(),
        leader_commit: Some(wire_id()),
    };
    vec![
        case("heartbeat", &empty),
        case("entries", &WireAppendRequest::try_from(&request).unwrap()),
        case("success", &response(0, None, None)),
        case("partial", &response(1, Some(wire_id()), None)),
        case("conflict", &response(2, None, None)),
        case("higher-vote", &response(3, None, Some(wire_vote))),
    ]
}

fn peer_cases() -> Vec<Case> {
    let (wire_vote, last_log_id) = (WireVote::from(&vote(3)), Some(wire_id()));
    let message = Bytes(format::encode(&wire_vote).unwrap());
    let membership = WireStoredMembership {
        log_id: last_log_id,
        membership: WireMembership::from(&membership()),
    };
    let transferred = |result| WireTransferResponse {
        result,
        expected_vote: (result == 1).then_some(wire_vote),
        actual_vote: (result == 1).then_some(wire_vote),
        expected_log_id: (result == 2).then(wire_id),
        actual_log_id: None,
    };
    vec![
        case("", &Rpc { cluster_id: "c".to_owned(), from: 1, to: 1 << 62, message }),
        case("", &WireVoteRequest { vote: wire_vote, last_log_id, leadership_transfer: true }),
        case("", &WireVoteResponse { vote: wire_vote, granted: true, last_log_id: None }),
        case("", &WireSnapshotChunk { transfer: 5, offset: 100, bytes: Bytes(vec![1, 2, 3]) }),
        case(
            "",
            &WireSnapshotInstall {
                transfer: 5,
                vote: wire_vote,
                last_log_id,
                membership,
                file_bytes: 103,
            },
        ),
        case("", &WireSnapshotResponse { vote: wire_vote }),
        case("", &WireTransferRequest { from_leader: wire_vote, to: 2, last_log_id }),
        case("accepted", &transferred(0)),
        case("vote-changed", &transferred(1)),
        case("not-flushed", &transferred(2)),
    ]
}

fn outcomes() -> Vec<(&'static str, Option<Outcome>)> {
    let text = |text: &str| text.to_owned();
    let denials = [
        ("not-found", Denial::NotFound("key", text("k"))),
        ("index-mismatch", Denial::IndexMismatch { present: 8 }),
        ("managed-by", Denial::ManagedBy(text("file:a"))),
        ("in-use", Denial::InUse(text("key k"))),
        ("invalid", Denial::Invalid("name", text("empty"))),
        ("taken", Denial::Taken("hash", text("k"))),
        ("revoked", Denial::Revoked),
        ("stale-incarnation", Denial::StaleIncarnation { present: 4 }),
        ("already-initialised", Denial::AlreadyInitialised(text("c"))),
        ("full", Denial::Full("instances", text("budget b has 50000"))),
    ];
    let grant = Grant {
        account: AccountId { budget: 3, window: 1 },
        period: 2,
        granted_cum: 1_000,
        pool: -1,
        low: true,
    };
    let mut all = vec![
        ("blank", None),
        ("done", Some(Outcome::Done)),
        ("node-allocated", Some(Outcome::NodeAllocated(NodeId(7)))),
        ("refilled", Some(Outcome::Refilled(vec![grant]))),
    ];
    all.extend(denials.map(|(name, denial)| (name, Some(Outcome::Denied(denial)))));
    all
}

fn proposal_cases() -> Vec<Case> {
    let at = ledger::UnixMillis(1_700_000_000_000);
    let proposal = Proposal { at, command: revoke("team-a") };
    let mut cases = vec![case("", &WirePropose::try_from(&proposal).unwrap())];
    cases.extend(
        outcomes().into_iter().map(|(name, outcome)| {
            case(name, &WireProposed::from(&Applied { index: 12, outcome }))
        }),
    );
    cases
}

fn cases() -> Vec<Case> {
    [command_cases(), log_cases(), append_cases(), peer_cases(), proposal_cases()]
        .into_iter()
        .flatten()
        .collect()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/v1")
}

/// Bytes of a case as its release wrote them.
fn kept(name: &str, fresh: &[u8]) -> Vec<u8> {
    let path = folder().join(format!("{name}.bin"));
    if !path.exists() && std::env::var_os(WRITE).is_some() {
        std::fs::create_dir_all(folder()).unwrap();
        std::fs::write(&path, fresh).unwrap();
    }
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn what_was_ever_written_reads_back_and_is_written_alike() {
    for case in cases() {
        let kept = kept(&case.name, &case.bytes);
        assert_eq!(kept, case.bytes, "{} is written differently now", case.name);
        let again = (case.again)(&kept).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        assert_eq!(again, kept, "{} does not survive reading", case.name);
    }
}

#[test]
fn no_file_is_without_its_case_and_no_kind_without_a_file() {
    if std::env::var_os(WRITE).is_some() {
        // The files are being written beside this.
        return;
    }
    let mut names: BTreeSet<String> = cases().into_iter().map(|case| case.name).collect();
    names.insert("snapshot-file".to_owned());
    let mut files = BTreeSet::new();
    for item in std::fs::read_dir(folder()).unwrap() {
        let name = item.unwrap().file_name().into_string().unwrap();
        files.insert(name.strip_suffix(".bin").unwrap().to_owned());
    }
    assert_eq!(files, names);
    let kinds: BTreeSet<&str> = names.iter().filter_map(|name| name.split('.').next()).collect();
    for kind in format::Kind::ALL {
        let name = kind.name().unwrap();
        let in_snapshot = name.starts_with("snapshot-") && !kinds.contains(name);
        assert!(in_snapshot || kinds.contains(name), "{name} has no golden bytes");
    }
}

#[test]
fn every_outcome_comes_back_as_it_was_sent() {
    for (name, outcome) in outcomes() {
        let applied = Applied { index: 12, outcome };
        let back = Applied::try_from(WireProposed::from(&applied)).unwrap();
        assert_eq!(back, applied, "{name}");
    }
}

#[tokio::test]
async fn a_snapshot_of_an_earlier_release_installs_and_is_written_alike() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let written = open(here.path()).unwrap();
    let mut machine = written.machine;
    apply(&mut machine, story()).await.unwrap();
    let fresh = machine.get_snapshot_builder().await.build_snapshot().await.unwrap();
    let bytes = fresh.snapshot.read_at(0, usize::MAX).unwrap();
    let kept = kept("snapshot-file", &bytes);
    assert_eq!(kept, bytes, "snapshots are written differently now");
    let storage = open(there.path()).unwrap();
    let mut incoming = storage.snapshots.receive().unwrap();
    incoming.write(0, &kept).unwrap();
    let mut machine = storage.machine;
    machine.install_snapshot(&fresh.meta, incoming.finish().unwrap()).await.unwrap();
    let (_, membership) = machine.applied_state().await.unwrap();
    assert_eq!(membership, fresh.meta.last_membership);
    assert_eq!(storage.view.load().applied_index, fresh.meta.last_log_id.unwrap().index);
    assert!(*storage.view.load() == *written.view.load(), "the ledger does not survive a snapshot");
}
