//! Commands into the log and indexes out of it, from any node.
//!
//! A command is handed over again only where it certainly was not appended: where consensus said so, or
//! the leader could not be reached at all. Everything else is answered as unknown.

use super::client::{CallError, Lane, Way};
use super::message::{EmptyV1, IndexV1};
use super::node::Node;
use super::refusal::{Reason, Refusal};
use super::route::Route;
use crate::{Committed, Unavailable};
use futures_util::future::{BoxFuture, FutureExt};
use ledger::{Command, Outcome, UnixMillis};
use openraft::ReadPolicy;
use openraft::errors::{ClientWriteError, LinearizableReadError, RaftError};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use storage::format::v1::{WirePropose, WireProposed};
use storage::{Applied, Proposal, TypeConfig, format};
use tokio::time::{Instant, timeout_at};

/// Pause before a leader is looked for again where nothing says that it changed.
const RETRY_AFTER: Duration = Duration::from_millis(25);

/// How long one leader is given to confirm itself before another one is looked for.
const READ_ATTEMPT: Duration = Duration::from_millis(1_500);

/// This node's wall clock.
pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Puts a command into the log and waits until it is applied here.
pub(crate) async fn propose(node: &Arc<Node>, command: Command) -> Result<Committed, Unavailable> {
    let deadline = Instant::now() + node.settings.tuning.propose_within;
    let proposal = Proposal { at: UnixMillis(unix_ms()), command };
    proposal.check().map_err(|error| Unavailable::Refused(error.to_string()))?;
    let applied = until(node, deadline, |leader| match leader {
        None => append(node, proposal.clone()).boxed(),
        Some(leader) => forward(node, leader, proposal.clone(), deadline).boxed(),
    })
    .await?;
    // It is committed whether or not this node hears of it in time.
    let _ = timeout_at(deadline, node.view.wait_applied(applied.index)).await;
    Ok(Committed { index: applied.index, outcome: applied.outcome.unwrap_or(Outcome::Done) })
}

/// An index that shows all writes acknowledged before the call, applied here.
pub(crate) async fn read_index(node: &Arc<Node>) -> Result<u64, Unavailable> {
    let within = node.settings.tuning.propose_within;
    let deadline = Instant::now() + within;
    let index = until(node, deadline, |leader| match leader {
        None => confirm(node).boxed(),
        Some(leader) => confirm_there(node, leader, deadline).boxed(),
    })
    .await
    .map_err(|error| match error {
        // Reading does nothing, so there is nothing not to know.
        Unavailable::Unknown(why) => Unavailable::NotApplied { within, why },
        other => other,
    })?;
    match timeout_at(deadline, node.view.wait_applied(index)).await {
        Ok(true) => Ok(index),
        Ok(false) => Err(Unavailable::Stopping("its storage is closed".to_owned())),
        Err(_) => Err(Unavailable::NotCaughtUp { index, within }),
    }
}

/// What a failed attempt means.
pub(crate) enum Attempt {
    /// Nothing was done: try again.
    Again(Refusal),
    /// It may have been done.
    Unknown(String),
    /// It will never be done.
    Never(String),
    /// It was not done for want of room.
    NoRoom(String),
}

/// Tries with the leader of the moment until it works or the time is up. `None`: this node leads.
async fn until<'a, T>(
    node: &'a Arc<Node>,
    deadline: Instant,
    attempt: impl Fn(Option<u64>) -> BoxFuture<'a, Result<T, Attempt>>,
) -> Result<T, Unavailable> {
    let within = node.settings.tuning.propose_within;
    let mut hint: Option<u64> = None;
    let mut last = Refusal::not_leader(None);
    while Instant::now() < deadline {
        if *node.closing.borrow() {
            return Err(Unavailable::Stopping("it was told to".to_owned()));
        }
        let leader = hint.take().or_else(|| node.leader());
        if let Some(leader) = leader {
            let here = leader == node.id();
            let tried = attempt((!here).then_some(leader));
            match timeout_at(deadline, tried).await {
                Ok(Ok(done)) => return Ok(done),
                Ok(Err(Attempt::Again(refusal))) => {
                    hint = refusal.leader.filter(|other| *other != leader);
                    last = refusal;
                }
                Ok(Err(Attempt::Unknown(why))) => return Err(Unavailable::Unknown(why)),
                Ok(Err(Attempt::Never(why))) => return Err(Unavailable::Refused(why)),
                Ok(Err(Attempt::NoRoom(why))) => return Err(Unavailable::NoRoom(why)),
                Err(_) => {
                    let why = format!("no answer within {} ms", within.as_millis());
                    return Err(Unavailable::Unknown(why));
                }
            }
        } else if let Err(refusal) = node.raft() {
            last = refusal;
        }
        pause(node, deadline).await;
    }
    Err(match node.raft() {
        Err(refusal) => Unavailable::NotJoined(refusal.say),
        Ok(_) => Unavailable::NotApplied { within, why: last.say },
    })
}

/// Waits until leadership changed, a moment passed, or the time is up.
async fn pause(node: &Node, deadline: Instant) {
    let until = deadline.min(Instant::now() + RETRY_AFTER);
    let mut changes = node.changes.subscribe();
    // Either way the caller looks again.
    let _ = timeout_at(until, changes.changed()).await;
}

/// Appends a command as leader.
async fn append(node: &Node, proposal: Proposal) -> Result<Applied, Attempt> {
    let raft = node.raft().map_err(Attempt::Again)?;
    if node.short_of_disk.load(Ordering::Relaxed) && is_configuration(&proposal.command) {
        let say = format!("the disk of the leader, {}, is nearly full", node.settings.label);
        return Err(Attempt::NoRoom(say));
    }
    match raft.client_write(proposal).await {
        Ok(written) => Ok(written.data),
        Err(error) => Err(not_written(error)),
    }
}

/// What an operator asked for, as opposed to what keeps the cluster going.
fn is_configuration(command: &Command) -> bool {
    match command {
        Command::PutKey(_)
        | Command::RotateKey(_)
        | Command::PutBudget(_)
        | Command::PutProvider(_)
        | Command::PutAlias(_)
        | Command::PutScope(_)
        | Command::PutSelector(_)
        | Command::PutProfile(_)
        | Command::PutWebhook(_) => true,
        // Whatever takes something away must work on a full disk, too.
        Command::RevokeKey(_)
        | Command::DeleteBudget(_)
        | Command::DeleteProvider(_)
        | Command::DeleteAlias(_)
        | Command::DeleteScope(_)
        | Command::DeleteSelector(_)
        | Command::DeleteProfile(_)
        | Command::DeleteWebhook(_)
        | Command::PruneUsage(_)
        // Money moved by hand is a few bytes, and may be what keeps a customer going.
        | Command::IncreaseBudget(_)
        | Command::ExpireIncrease(_)
        | Command::ResetBudget(_)
        | Command::TransferBudget(_)
        | Command::AckEvents(_)
        | Command::OpenInstance(_)
        | Command::CloseInstance(_)
        | Command::Adopt(_)
        | Command::InitCluster(_)
        | Command::AllocateNode(_)
        | Command::EnrolNode(_)
        | Command::Refill(_)
        | Command::OpenPeriod(_)
        | Command::ClosePeriod(_)
        | Command::RetireNode(_)
        | Command::WriteOff(_) => false,
    }
}

fn not_written(error: RaftError<TypeConfig, ClientWriteError<TypeConfig>>) -> Attempt {
    match error {
        RaftError::APIError(ClientWriteError::ForwardToLeader(forward)) => {
            Attempt::Again(Refusal::not_leader(forward.leader_id))
        }
        other => Attempt::Unknown(other.to_string()),
    }
}

async fn forward(
    node: &Node,
    leader: u64,
    proposal: Proposal,
    deadline: Instant,
) -> Result<Applied, Attempt> {
    let unreadable = |error: format::FormatError| Attempt::Never(error.to_string());
    let wire = WirePropose::try_from(&proposal).map_err(unreadable)?;
    let message = format::encode(&wire).map_err(unreadable)?;
    let to = node.member(leader);
    let within = deadline.saturating_duration_since(Instant::now());
    let way = Way { lane: Lane::Control, route: Route::Propose, within };
    let answer = node.client.call(way, &to, message).await;
    let unknown = |error: format::FormatError| Attempt::Unknown(error.to_string());
    match answer {
        Ok(frame) => {
            let proposed: WireProposed = format::decode(&frame).map_err(unknown)?;
            proposed.try_into().map_err(unknown)
        }
        Err(error) if !error.certainly_not_done() => Err(Attempt::Unknown(error.to_string())),
        Err(CallError::Refused(refusal)) => Err(match refusal.reason {
            Reason::NotLeader
            | Reason::NotReady
            | Reason::WrongReceiver
            | Reason::WrongCluster
            | Reason::Other(_) => Attempt::Again(refusal),
            Reason::Unknown => Attempt::Unknown(refusal.say),
            Reason::Refused | Reason::Malformed => Attempt::Never(refusal.say),
            Reason::NoRoom => Attempt::NoRoom(refusal.say),
        }),
        Err(error) => Err(Attempt::Again(Refusal::new(Reason::NotReady, error.to_string()))),
    }
}

/// Answers a node that forwards a command.
pub(super) async fn propose_here(node: &Node, wire: WirePropose) -> Result<WireProposed, Refusal> {
    let proposal = Proposal::try_from(wire)?;
    match append(node, proposal).await {
        Ok(applied) => Ok(WireProposed::from(&applied)),
        Err(attempt) => Err(refusal_of(attempt)),
    }
}

/// Answers a node that wants to read.
pub(super) async fn confirm_here(node: &Node) -> Result<IndexV1, Refusal> {
    let index = confirm(node).await.map_err(refusal_of)?;
    Ok(IndexV1 { index })
}

/// Asks the leader for the index. A read can always be asked again.
async fn confirm_there(node: &Node, leader: u64, deadline: Instant) -> Result<u64, Attempt> {
    let to = node.member(leader);
    let left = deadline.saturating_duration_since(Instant::now()).min(READ_ATTEMPT);
    let answer = node.client.ask(Route::ReadIndex, &to, &EmptyV1 {}, left).await;
    answer.map(|answer: IndexV1| answer.index).map_err(|error| match error {
        CallError::Refused(refusal) => Attempt::Again(refusal),
        other => Attempt::Again(Refusal::new(Reason::NotReady, other.to_string())),
    })
}

fn refusal_of(attempt: Attempt) -> Refusal {
    match attempt {
        Attempt::Again(refusal) => refusal,
        Attempt::Unknown(why) => Refusal::new(Reason::Unknown, why),
        Attempt::Never(why) => Refusal::new(Reason::Refused, why),
        Attempt::NoRoom(why) => Refusal::new(Reason::NoRoom, why),
    }
}

/// The index a linearizable read must have applied, confirmed by more than half of the voters.
async fn confirm(node: &Node) -> Result<u64, Attempt> {
    let raft = node.raft().map_err(Attempt::Again)?;
    match raft.get_read_linearizer(ReadPolicy::ReadIndex).await {
        Ok(linearizer) => Ok(linearizer.read_log_id().index()),
        Err(RaftError::APIError(LinearizableReadError::ForwardToLeader(forward))) => {
            Err(Attempt::Again(Refusal::not_leader(forward.leader_id)))
        }
        Err(error) => Err(Attempt::Again(Refusal::new(Reason::NotReady, error.to_string()))),
    }
}
