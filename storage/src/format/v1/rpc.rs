//! Messages between peers, and their conversions from and to consensus' own.

use super::{Bytes, WireLogId, WireOutcome, WireStoredMembership, WireVote, body};
use crate::format::{FormatError, Kind, decode_entry, encode_entry};
use crate::types::{self, TypeConfig};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, TransferLeaderError,
    TransferLeaderRequest, TransferLeaderResponse, VoteRequest, VoteResponse,
};
use serde::{Deserialize, Serialize};

/// Any message between peers: a receiver that is not `to` in `cluster_id` refuses it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rpc {
    /// Cluster of the sender; empty where it has none yet.
    pub cluster_id: String,
    /// Raft id of the sender; zero where it has none yet.
    pub from: u64,
    /// Raft id of the receiver the sender means; zero where it does not know.
    pub to: u64,
    /// Frame of the message.
    pub message: Bytes,
}
body!(Rpc, RPC);

/// Append entries; a heartbeat where there are none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireAppendRequest {
    /// The leader's vote.
    pub vote: WireVote,
    /// Entry before the first.
    pub prev_log_id: Option<WireLogId>,
    /// Frames of [`super::WireEntry`].
    pub entries: Vec<Bytes>,
    /// What the leader knows to be committed.
    pub leader_commit: Option<WireLogId>,
}
body!(WireAppendRequest, APPEND_REQUEST);

/// Answer to append entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireAppendResponse {
    /// 0 success, 1 partial success up to `log_id`, 2 conflict, 3 a higher vote was seen.
    pub result: u16,
    /// With 1: the last entry that was taken.
    pub log_id: Option<WireLogId>,
    /// With 3: that vote.
    pub vote: Option<WireVote>,
}
body!(WireAppendResponse, APPEND_RESPONSE);

/// Vote, or pre-vote (the route says which).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireVoteRequest {
    /// The vote asked for.
    pub vote: WireVote,
    /// Candidate's last entry.
    pub last_log_id: Option<WireLogId>,
    /// The leader asked for this election.
    pub leadership_transfer: bool,
}
body!(WireVoteRequest, VOTE_REQUEST);

/// Answer to a vote or pre-vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireVoteResponse {
    /// The voter's vote now.
    pub vote: WireVote,
    /// Granted.
    pub granted: bool,
    /// The voter's last entry.
    pub last_log_id: Option<WireLogId>,
}
body!(WireVoteResponse, VOTE_RESPONSE);

/// A piece of a snapshot file. Pieces of one transfer come in order; each carries its own checksum by
/// its frame, and the file's frames carry theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireSnapshotChunk {
    /// Number of the transfer, chosen by the sender.
    pub transfer: u64,
    /// Where the piece begins in the file.
    pub offset: u64,
    /// The piece.
    pub bytes: Bytes,
}
body!(WireSnapshotChunk, SNAPSHOT_CHUNK);

/// All pieces are sent: install.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireSnapshotInstall {
    /// Number of the transfer.
    pub transfer: u64,
    /// The leader's vote.
    pub vote: WireVote,
    /// Last entry the snapshot covers.
    pub last_log_id: Option<WireLogId>,
    /// Membership as of then.
    pub membership: WireStoredMembership,
    /// Size of the file.
    pub file_bytes: u64,
}
body!(WireSnapshotInstall, SNAPSHOT_INSTALL);

/// Answer to a snapshot, and to each piece of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireSnapshotResponse {
    /// The receiver's vote now.
    pub vote: WireVote,
}
body!(WireSnapshotResponse, SNAPSHOT_RESPONSE);

/// Leadership goes to the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireTransferRequest {
    /// The leader that gives it up.
    pub from_leader: WireVote,
    /// To whom.
    pub to: u64,
    /// What the receiver must have on disk before it begins.
    pub last_log_id: Option<WireLogId>,
}
body!(WireTransferRequest, TRANSFER_REQUEST);

/// Answer to a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireTransferResponse {
    /// 0 accepted, 1 the vote has changed, 2 the log is not on disk yet.
    pub result: u16,
    /// With 1: the vote the leader had.
    pub expected_vote: Option<WireVote>,
    /// With 1: the vote there is.
    pub actual_vote: Option<WireVote>,
    /// With 2: the entry the leader named.
    pub expected_log_id: Option<WireLogId>,
    /// With 2: the last one there is.
    pub actual_log_id: Option<WireLogId>,
}
body!(WireTransferResponse, TRANSFER_RESPONSE);

/// A command for the leader to propose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WirePropose {
    /// Proposer's clock, milliseconds since 1970.
    pub at_ms: u64,
    /// Frame of the command.
    pub command: Bytes,
}
body!(WirePropose, PROPOSE);

/// What a proposed command came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireProposed {
    /// Log index.
    pub index: u64,
    /// Outcome.
    pub outcome: Option<WireOutcome>,
}
body!(WireProposed, PROPOSED);

fn wire_id(id: &Option<types::LogId>) -> Option<WireLogId> {
    id.as_ref().map(WireLogId::from)
}

fn missing(kind: Kind, field: &str) -> FormatError {
    FormatError::Malformed { kind, reason: format!("{field} is absent") }
}

impl TryFrom<&AppendEntriesRequest<TypeConfig>> for WireAppendRequest {
    type Error = FormatError;

    fn try_from(request: &AppendEntriesRequest<TypeConfig>) -> Result<Self, FormatError> {
        let entries = request.entries.iter().map(|entry| encode_entry(entry).map(Bytes));
        Ok(WireAppendRequest {
            vote: (&request.vote).into(),
            prev_log_id: wire_id(&request.prev_log_id),
            entries: entries.collect::<Result<_, _>>()?,
            leader_commit: wire_id(&request.leader_commit),
        })
    }
}

impl TryFrom<WireAppendRequest> for AppendEntriesRequest<TypeConfig> {
    type Error = FormatError;

    fn try_from(wire: WireAppendRequest) -> Result<Self, FormatError> {
        let entries = wire.entries.iter().map(|Bytes(frame)| decode_entry(frame));
        Ok(AppendEntriesRequest {
            vote: wire.vote.into(),
            prev_log_id: wire.prev_log_id.map(Into::into),
            entries: entries.collect::<Result<_, _>>()?,
            leader_commit: wire.leader_commit.map(Into::into),
        })
    }
}

impl From<&AppendEntriesResponse<TypeConfig>> for WireAppendResponse {
    fn from(response: &AppendEntriesResponse<TypeConfig>) -> Self {
        let (result, log_id, vote) = match response {
            AppendEntriesResponse::Success => (0, None, None),
            AppendEntriesResponse::PartialSuccess(id) => (1, wire_id(id), None),
            AppendEntriesResponse::Conflict => (2, None, None),
            AppendEntriesResponse::HigherVote(vote) => (3, None, Some(vote.into())),
        };
        WireAppendResponse { result, log_id, vote }
    }
}

impl TryFrom<WireAppendResponse> for AppendEntriesResponse<TypeConfig> {
    type Error = FormatError;

    fn try_from(wire: WireAppendResponse) -> Result<Self, FormatError> {
        match wire.result {
            0 => Ok(AppendEntriesResponse::Success),
            1 => Ok(AppendEntriesResponse::PartialSuccess(wire.log_id.map(Into::into))),
            2 => Ok(AppendEntriesResponse::Conflict),
            3 => match wire.vote {
                Some(vote) => Ok(AppendEntriesResponse::HigherVote(vote.into())),
                None => Err(missing(Kind::APPEND_RESPONSE, "vote")),
            },
            code => Err(FormatError::UnknownCode { what: "append result", code }),
        }
    }
}

impl From<&VoteRequest<TypeConfig>> for WireVoteRequest {
    fn from(request: &VoteRequest<TypeConfig>) -> Self {
        WireVoteRequest {
            vote: (&request.vote).into(),
            last_log_id: wire_id(&request.last_log_id),
            leadership_transfer: request.leadership_transfer,
        }
    }
}

impl From<WireVoteRequest> for VoteRequest<TypeConfig> {
    fn from(wire: WireVoteRequest) -> Self {
        VoteRequest {
            vote: wire.vote.into(),
            last_log_id: wire.last_log_id.map(Into::into),
            leadership_transfer: wire.leadership_transfer,
        }
    }
}

impl From<&VoteResponse<TypeConfig>> for WireVoteResponse {
    fn from(response: &VoteResponse<TypeConfig>) -> Self {
        WireVoteResponse {
            vote: (&response.vote).into(),
            granted: response.vote_granted,
            last_log_id: wire_id(&response.last_log_id),
        }
    }
}

impl From<WireVoteResponse> for VoteResponse<TypeConfig> {
    fn from(wire: WireVoteResponse) -> Self {
        VoteResponse {
            vote: wire.vote.into(),
            vote_granted: wire.granted,
            last_log_id: wire.last_log_id.map(Into::into),
        }
    }
}

impl From<&SnapshotResponse<TypeConfig>> for WireSnapshotResponse {
    fn from(response: &SnapshotResponse<TypeConfig>) -> Self {
        WireSnapshotResponse { vote: (&response.vote).into() }
    }
}

impl From<WireSnapshotResponse> for SnapshotResponse<TypeConfig> {
    fn from(wire: WireSnapshotResponse) -> Self {
        SnapshotResponse { vote: wire.vote.into() }
    }
}

impl From<&TransferLeaderRequest<TypeConfig>> for WireTransferRequest {
    fn from(request: &TransferLeaderRequest<TypeConfig>) -> Self {
        WireTransferRequest {
            from_leader: request.from_leader().into(),
            to: *request.to_node_id(),
            last_log_id: request.last_log_id().map(WireLogId::from),
        }
    }
}

impl From<WireTransferRequest> for TransferLeaderRequest<TypeConfig> {
    fn from(wire: WireTransferRequest) -> Self {
        let last_log_id = wire.last_log_id.map(Into::into);
        TransferLeaderRequest::new(wire.from_leader.into(), wire.to, last_log_id)
    }
}

impl From<&TransferLeaderResponse<TypeConfig>> for WireTransferResponse {
    fn from(response: &TransferLeaderResponse<TypeConfig>) -> Self {
        let mut wire = WireTransferResponse {
            result: 0,
            expected_vote: None,
            actual_vote: None,
            expected_log_id: None,
            actual_log_id: None,
        };
        match response {
            Ok(()) => {}
            Err(TransferLeaderError::VoteChanged { expected, actual }) => {
                wire.result = 1;
                wire.expected_vote = Some(expected.into());
                wire.actual_vote = Some(actual.into());
            }
            Err(TransferLeaderError::LogNotFlushed { expected, actual }) => {
                wire.result = 2;
                wire.expected_log_id = wire_id(expected);
                wire.actual_log_id = wire_id(actual);
            }
        }
        wire
    }
}

impl WireTransferResponse {
    /// The answer as consensus has it.
    ///
    /// # Errors
    /// A result code this binary does not know, or one without its votes.
    pub fn into_response(self) -> Result<TransferLeaderResponse<TypeConfig>, FormatError> {
        let vote = |vote: Option<WireVote>| {
            let present = vote.ok_or_else(|| missing(Kind::TRANSFER_RESPONSE, "vote"))?;
            Ok::<types::Vote, FormatError>(present.into())
        };
        match self.result {
            0 => Ok(Ok(())),
            1 => Ok(Err(TransferLeaderError::VoteChanged {
                expected: vote(self.expected_vote)?,
                actual: vote(self.actual_vote)?,
            })),
            2 => Ok(Err(TransferLeaderError::LogNotFlushed {
                expected: self.expected_log_id.map(Into::into),
                actual: self.actual_log_id.map(Into::into),
            })),
            code => Err(FormatError::UnknownCode { what: "transfer result", code }),
        }
    }
}

impl TryFrom<&types::Proposal> for WirePropose {
    type Error = FormatError;

    fn try_from(proposal: &types::Proposal) -> Result<Self, FormatError> {
        let command = crate::format::encode_command(&proposal.command)?;
        Ok(WirePropose { at_ms: proposal.at.0, command: Bytes(command) })
    }
}

impl TryFrom<WirePropose> for types::Proposal {
    type Error = FormatError;

    fn try_from(wire: WirePropose) -> Result<Self, FormatError> {
        let command = crate::format::decode_command(&wire.command.0)?;
        // The leader's log would stop its node on a command that does not fit.
        let too_large = |types::TooLarge { bytes, max }| FormatError::TooLarge { bytes, max };
        crate::format::check_command(&command).map_err(too_large)?;
        Ok(types::Proposal { at: ::ledger::UnixMillis(wire.at_ms), command })
    }
}

impl From<&types::Applied> for WireProposed {
    fn from(applied: &types::Applied) -> Self {
        WireProposed {
            index: applied.index,
            outcome: applied.outcome.as_ref().map(WireOutcome::from),
        }
    }
}

impl TryFrom<WireProposed> for types::Applied {
    type Error = FormatError;

    fn try_from(wire: WireProposed) -> Result<Self, FormatError> {
        Ok(types::Applied {
            index: wire.index,
            outcome: wire.outcome.map(TryInto::try_into).transpose()?,
        })
    }
}
