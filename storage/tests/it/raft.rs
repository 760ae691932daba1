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
    Closed, Peer, Proposal, Raft, RaftSnapshot, SnapshotFile, TypeConfig, View, Vote, raft_config,
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

/// A running node.
struct Node {
    raft: Raft,
    view: View,
    closed: Closed,
}

impl Node {
    async fn stop(self) {
        self.raft.shutdown().await.unwrap();
        drop(self.raft);
        let closed = tokio::time::timeout(Duration::from_secs(20), self.closed.wait());
        closed.await.unwrap();
    }
}

async fn start(dir: &Path) -> Node {
    let storage = open(dir).unwrap();
    let config = Arc::new(raft_config().validate().unwrap());
    let raft = Raft::new(1, config, Nobody, storage.log, storage.machine).await.unwrap();
    let (view, closed) = (storage.view, storage.closed);
    Node { raft, view, closed }
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
    let node = start(dir.path()).await;
    let (raft, view) = (&node.raft, &node.view);
    let members = BTreeMap::from([(1, Peer { addr: "127.0.0.1:1".to_owned() })]);
    raft.initialize(members).await.unwrap();
    let term = lead(raft).await;
    let mut last = 0;
    for name in ["a", "b", "c"] {
        let written = raft.client_write(proposal(name)).await.unwrap();
        let denied = Outcome::Denied(Denial::NotFound("key", name.to_owned()));
        assert_eq!(written.data.outcome, Some(denied));
        // What is answered is shown.
        assert!(view.load().applied_index >= written.data.index);
        last = written.data.index;
    }
    node.stop().await;
    let node = start(dir.path()).await;
    let (raft, view) = (&node.raft, &node.view);
    assert!(view.wait_applied(last - 1).await);
    let term_again = lead(raft).await;
    assert!(term_again > term, "leadership of term {term} was taken up without an election");
    assert!(view.wait_applied(last).await);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_and_a_purge_through_consensus_leave_a_log_that_starts_again() {
    let dir = tempfile::tempdir().unwrap();
    let node = start(dir.path()).await;
    let (raft, view) = (&node.raft, &node.view);
    raft.initialize(BTreeMap::from([(1, Peer::default())])).await.unwrap();
    lead(raft).await;
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
    node.stop().await;
    let node = start(dir.path()).await;
    let (raft, view) = (&node.raft, &node.view);
    lead(raft).await;
    raft.client_write(proposal("after")).await.unwrap();
    assert!(view.applied_index() > before.applied_index);
    assert_eq!(view.load().keys, before.keys);
    node.stop().await;
}
