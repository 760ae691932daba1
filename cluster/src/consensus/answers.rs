//! What each route does.

use super::message::{
    AskV1, AwaitV1, BootAskV1, BootPrepareV1, ClockV1, EmptyV1, EnvelopeV1, IndexV1, JoinV1,
    OperateV1,
};
use super::node::Node;
use super::refusal::{Reason, Refusal};
use super::route::Route;
use super::{bootstrap, join, leave, proposals, service};
use crate::rates::{RateReport, handle_rate_report};
use openraft::raft::{AppendEntriesRequest, VoteRequest};
use std::sync::Arc;
use std::time::Duration;
use storage::format::v1::{
    WireAppendRequest, WireAppendResponse, WirePropose, WireSnapshotChunk, WireSnapshotInstall,
    WireTransferRequest, WireTransferResponse, WireVoteRequest, WireVoteResponse,
};
use storage::format::{self, Body};
use storage::{Raft, TypeConfig};

/// Longest wait for an index on behalf of a peer.
const AWAIT_MAX: Duration = Duration::from_secs(30);

/// Does what an admitted message asks; returns the frame of the answer.
pub(super) async fn answer(
    node: &Arc<Node>,
    route: Route,
    envelope: EnvelopeV1,
) -> Result<Vec<u8>, Refusal> {
    let message = &envelope.message.0;
    match route {
        Route::Append => reply(&append(node.raft()?, read(message)?).await?),
        Route::Vote => reply(&vote(node.raft()?, read(message)?, false).await?),
        Route::PreVote => reply(&vote(node.raft()?, read(message)?, true).await?),
        Route::SnapshotChunk => {
            let chunk: WireSnapshotChunk = read(message)?;
            reply(&node.receiving.chunk(node.raft()?, envelope.from_raft, chunk).await?)
        }
        Route::SnapshotInstall => {
            let install: WireSnapshotInstall = read(message)?;
            reply(&node.receiving.install(node.raft()?, envelope.from_raft, install).await?)
        }
        Route::TransferLeader => reply(&transfer(node.raft()?, read(message)?).await?),
        Route::Propose => {
            let wire: WirePropose = read(message)?;
            reply(&proposals::propose_here(node, wire).await?)
        }
        Route::ReadIndex => {
            let EmptyV1 {} = read(message)?;
            reply(&proposals::confirm_here(node).await?)
        }
        Route::Applied => reply(&applied(node, read(message)?).await),
        Route::Clock => {
            let EmptyV1 {} = read(message)?;
            reply(&ClockV1 { unix_ms: proposals::unix_ms() })
        }
        Route::Join => {
            let asked: JoinV1 = read(message)?;
            reply(&join::admit(node, &envelope.from_uuid, asked).await?)
        }
        Route::BootPrepare => {
            let asked: BootPrepareV1 = read(message)?;
            reply(&bootstrap::promise(node, asked).await?)
        }
        Route::BootAsk => {
            let asked: BootAskV1 = read(message)?;
            reply(&bootstrap::knows(node, &asked))
        }
        Route::Operate => {
            let asked: OperateV1 = read(message)?;
            reply(&leave::operate_here(node, asked).await?)
        }
        Route::Rates => {
            let report: RateReport = read(message)?;
            let shares = handle_rate_report(&node.rate_desk, report, node.mono_ms()).await;
            reply(&shares.ok_or_else(|| Refusal::not_leader(node.leader()))?)
        }
        Route::Service => {
            let asked: AskV1 = read(message)?;
            reply(&service::answer_here(node, asked).await?)
        }
    }
}

fn read<B: Body>(message: &[u8]) -> Result<B, Refusal> {
    Ok(format::decode(message)?)
}

fn reply<B: Body>(answer: &B) -> Result<Vec<u8>, Refusal> {
    Ok(format::encode(answer)?)
}

fn stopped(error: impl std::fmt::Display) -> Refusal {
    Refusal::new(Reason::NotReady, error.to_string())
}

async fn append(raft: &Raft, wire: WireAppendRequest) -> Result<WireAppendResponse, Refusal> {
    let request = AppendEntriesRequest::<TypeConfig>::try_from(wire)?;
    let response = raft.append_entries(request).await.map_err(stopped)?;
    Ok(WireAppendResponse::from(&response))
}

async fn vote(
    raft: &Raft,
    wire: WireVoteRequest,
    before: bool,
) -> Result<WireVoteResponse, Refusal> {
    let request = VoteRequest::<TypeConfig>::from(wire);
    let response = if before { raft.pre_vote(request).await } else { raft.vote(request).await };
    Ok(WireVoteResponse::from(&response.map_err(stopped)?))
}

async fn transfer(raft: &Raft, wire: WireTransferRequest) -> Result<WireTransferResponse, Refusal> {
    let response = raft.handle_transfer_leader(wire.into()).await.map_err(stopped)?;
    Ok(WireTransferResponse::from(&response))
}

/// Waits for an index, and says how far this node is in any case.
async fn applied(node: &Node, asked: AwaitV1) -> IndexV1 {
    let within = Duration::from_millis(asked.within_ms).min(AWAIT_MAX);
    // How far it is by then is the answer, whether that is enough or not.
    let _ = tokio::time::timeout(within, node.view.wait_applied(asked.index)).await;
    IndexV1 { index: node.view.applied_index() }
}
