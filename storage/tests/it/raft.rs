//! Consensus itself over this storage: one node, no peers.

use crate::support::{open, revoke};
use ledger::{Denial, Outcome, UnixMillis};
use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use storage::openraft::errors::{RPCError, ReplicationClosed, StreamingError, Unreachable};
use storage::openraft::network::{RPCOption, RaftNetworkFactory, RaftNetworkV2};
use storage::openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse,
};
use storage::{
    OpenError, Peer, Proposal, Raft, RaftSnapshot, SnapshotFile, Storage, TypeConfig, View, Vote,
    raft_config,
};

/// A network without anybody on it.
struct Nobody;

impl RaftNetworkFactory<TypeConfig> for Nobody {
    type Network = Nobody;

    async fn new_client(&mut self, _: u64, _: &Peer) -> Nobody {
        Nobody
    }
}

fn unreachable<T>() -> Result<T, RPCError<TypeConfig>> {
    Err(RPCError::Unreachable(Unreachable::new(&std::io::Error::other("nobody is there"))))
}

impl RaftNetworkV2<TypeConfig> for Nobody {
    type SnapshotData = SnapshotFile;

    async fn append_entries(
        &mut self,
        _: AppendEntriesRequest<TypeConfig>,
        _: RPCOption,
    ) -> Result<AppendEntriesResponse<TypeConfig>, RPCError<TypeConfig>> {
        unreachable()
    }

    async fn vote(
        &mut self,
        _: VoteRequest<TypeConfig>,
        _: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        unreachable()
    }

    async fn full_snapshot(
        &mut self,
        _: Vote,
        _: RaftSnapshot,
        _: impl Future<Output = ReplicationClosed> + Send + 'static,
        _: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        pending().await
    }
}

/// Opens the storage once the tasks of an earlier handle, which end on their own, have let go of it.
async fn reopen(dir: &Path) -> Storage {
    let opened = async {
        loop {
            match open(dir) {
                Err(OpenError::InUse { .. }) => tokio::time::sleep(Duration::from_millis(5)).await,
                result => return result.unwrap(),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), opened).await.unwrap()
}

async fn start(dir: &Path) -> (Raft, View) {
    let storage = reopen(dir).await;
    let config = Arc::new(raft_config().validate().unwrap());
    let raft = Raft::new(1, config, Nobody, storage.log, storage.machine).await.unwrap();
    (raft, storage.view)
}

async fn lead(raft: &Raft) -> u64 {
    let wait = raft.wait(Some(Duration::from_secs(20)));
    let metrics = wait.current_leader(1, "the only node leads").await.unwrap();
    metrics.current_term
}

fn proposal(name: &str) -> Proposal {
    let at = UnixMillis(1_700_000_000_000);
    Proposal { at, command: revoke(name) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_comes_back_stands_for_election_again_and_has_all_it_answered() {
    let dir = tempfile::tempdir().unwrap();
    let (raft, view) = start(dir.path()).await;
    let members = BTreeMap::from([(1, Peer { addr: "127.0.0.1:1".to_owned() })]);
    raft.initialize(members).await.unwrap();
    let term = lead(&raft).await;
    let mut last = 0;
    for name in ["a", "b", "c"] {
        let written = raft.client_write(proposal(name)).await.unwrap();
        let denied = Outcome::Denied(Denial::NotFound("key", name.to_owned()));
        assert_eq!(written.data.outcome, Some(denied));
        // What is answered is shown.
        assert!(view.load().applied_index >= written.data.index);
        last = written.data.index;
    }
    raft.shutdown().await.unwrap();
    drop(raft);
    let (raft, view) = start(dir.path()).await;
    assert!(view.wait_applied(last - 1).await);
    let term_again = lead(&raft).await;
    assert!(term_again > term, "leadership of term {term} was taken up without an election");
    assert!(view.wait_applied(last).await);
    raft.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_and_a_purge_through_consensus_leave_a_log_that_starts_again() {
    let dir = tempfile::tempdir().unwrap();
    let (raft, view) = start(dir.path()).await;
    raft.initialize(BTreeMap::from([(1, Peer::default())])).await.unwrap();
    lead(&raft).await;
    for name in 0..50 {
        raft.client_write(proposal(&name.to_string())).await.unwrap();
    }
    let upto = view.applied_index();
    raft.trigger().snapshot().await.unwrap();
    let wait = || raft.wait(Some(Duration::from_secs(20)));
    let covered = |m: &storage::openraft::RaftMetrics<TypeConfig>| {
        m.snapshot.is_some_and(|id| id.index >= upto)
    };
    wait().metrics(covered, "snapshot").await.unwrap();
    raft.trigger().purge_log(upto - 5).await.unwrap();
    let purged = |m: &storage::openraft::RaftMetrics<TypeConfig>| {
        m.purged.is_some_and(|id| id.index == upto - 5)
    };
    wait().metrics(purged, "purge").await.unwrap();
    let before = view.load();
    raft.shutdown().await.unwrap();
    drop(raft);
    let (raft, view) = start(dir.path()).await;
    lead(&raft).await;
    raft.client_write(proposal("after")).await.unwrap();
    assert!(view.applied_index() > before.applied_index);
    assert_eq!(view.load().keys, before.keys);
    raft.shutdown().await.unwrap();
}
