//! How consensus reaches the other members.

use super::book::Book;
use super::client::{CallError, Lane, PeerClient, Way};
use super::route::Route;
use openraft::errors::{RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::{RPCOption, RaftNetworkFactory, RaftNetworkV2};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, TransferLeaderRequest,
    TransferLeaderResponse, VoteRequest, VoteResponse,
};
use std::future::Future;
use std::time::Duration;
use storage::format::v1::{
    WireAppendRequest, WireAppendResponse, WireTransferRequest, WireTransferResponse,
    WireVoteRequest, WireVoteResponse,
};
use storage::format::{self, Body, FormatError};
use storage::{Peer, RaftSnapshot, SnapshotFile, TypeConfig, Vote};

/// Entries may have to wait for the receiver's disk; heartbeats and votes keep consensus' own time.
const APPEND_WITHIN: Duration = Duration::from_secs(2);

/// Makes a connection to a member for each kind of traffic.
pub(crate) struct Connections {
    pub(crate) client: PeerClient,
    pub(crate) book: Book,
}

/// One member, over one kind of connection.
pub(crate) struct Connection {
    client: PeerClient,
    book: Book,
    lane: Lane,
    target: u64,
    remembered: String,
}

impl Connections {
    fn connection(&self, lane: Lane, target: u64, node: &Peer) -> Connection {
        Connection {
            client: self.client.clone(),
            book: self.book.clone(),
            lane,
            target,
            remembered: node.addr.clone(),
        }
    }
}

impl RaftNetworkFactory<TypeConfig> for Connections {
    type Network = Connection;

    async fn new_client(&mut self, target: u64, node: &Peer) -> Connection {
        self.connection(Lane::Replication, target, node)
    }

    async fn new_heartbeat_client(&mut self, target: u64, node: &Peer) -> Connection {
        self.connection(Lane::Heartbeat, target, node)
    }

    async fn new_snapshot_client(&mut self, target: u64, node: &Peer) -> Connection {
        self.connection(Lane::Snapshot, target, node)
    }
}

impl Connection {
    pub(super) async fn ask<Q: Body, A: Body>(
        &self,
        lane: Lane,
        route: Route,
        question: &Q,
        within: Duration,
    ) -> Result<A, RPCError<TypeConfig>> {
        let message = format::encode(question).map_err(|error| unreadable(&error))?;
        let to = self.book.to(self.target, &self.remembered);
        let answer = self.client.call(Way { lane, route, within }, &to, message).await;
        let answer = answer.map_err(|error| unreachable(&error))?;
        format::decode(&answer).map_err(|error| unreadable(&error))
    }

    async fn ask_vote(
        &self,
        route: Route,
        request: &VoteRequest<TypeConfig>,
        option: &RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        let question = WireVoteRequest::from(request);
        let answer: WireVoteResponse =
            self.ask(Lane::Heartbeat, route, &question, option.soft_ttl()).await?;
        Ok(answer.into())
    }
}

impl RaftNetworkV2<TypeConfig> for Connection {
    type SnapshotData = SnapshotFile;

    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<TypeConfig>, RPCError<TypeConfig>> {
        let question = WireAppendRequest::try_from(&request).map_err(|error| unreadable(&error))?;
        let within = match self.lane {
            Lane::Heartbeat => option.soft_ttl(),
            Lane::Replication | Lane::Snapshot | Lane::Control => APPEND_WITHIN,
        };
        let answer: WireAppendResponse =
            self.ask(self.lane, Route::Append, &question, within).await?;
        answer.try_into().map_err(|error| unreadable(&error))
    }

    async fn vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        self.ask_vote(Route::Vote, &request, &option).await
    }

    async fn pre_vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        self.ask_vote(Route::PreVote, &request, &option).await
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: RaftSnapshot,
        cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        let sent = super::snapshot::send(self, vote, snapshot, option.soft_ttl());
        tokio::select! {
            closed = cancel => Err(closed.into()),
            result = sent => result,
        }
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<TypeConfig>, RPCError<TypeConfig>> {
        let question = WireTransferRequest::from(&request);
        let answer: WireTransferResponse =
            self.ask(Lane::Heartbeat, Route::TransferLeader, &question, option.soft_ttl()).await?;
        answer.into_response().map_err(|error| unreadable(&error))
    }
}

/// Whatever went wrong on the way, consensus pauses a little and asks again.
fn unreachable(error: &CallError) -> RPCError<TypeConfig> {
    RPCError::Unreachable(Unreachable::new(error))
}

fn unreadable(error: &FormatError) -> RPCError<TypeConfig> {
    RPCError::Unreachable(Unreachable::new(error))
}
