//! What lies between the nodes: it loses, doubles, delays and overtakes messages, and tears.

use super::life::lock;
use super::node::Node;
use super::types::{Raft, SimConfig, Snapshot, Vote};
use super::world::World;
use ledger::UnixMillis;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use storage::openraft::errors::{
    ClientWriteError, RPCError, RaftError, ReplicationClosed, StreamingError, Unreachable,
};
use storage::openraft::network::{RPCOption, RaftNetworkFactory, RaftNetworkV2};
use storage::openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse,
};
use storage::openraft::{AnyError, OptionalSend};
use storage::{Applied, Peer, Proposal};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

/// How long a follower is given to answer an append that carries entries.
const APPEND_WITHIN: Duration = Duration::from_millis(500);

/// How messages fare while they are on their way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    /// Of a hundred messages so many are lost.
    pub(crate) lost: usize,
    /// Of a hundred messages so many arrive twice.
    pub(crate) doubled: usize,
    /// Of a hundred messages so many are late.
    pub(crate) late: usize,
    /// How late at most, in milliseconds.
    pub(crate) late_ms: u64,
}

impl Weather {
    pub(crate) const FAIR: Weather = Weather { lost: 0, doubled: 1, late: 2, late_ms: 30 };
}

/// The links between the nodes.
pub(crate) struct Links {
    /// Directions in which nothing passes, with how many faults hold each.
    cut: Mutex<Vec<BTreeSet<(u64, u64)>>>,
    weather: Mutex<Weather>,
}

impl Default for Links {
    fn default() -> Links {
        Links { cut: Mutex::default(), weather: Mutex::new(Weather::FAIR) }
    }
}

impl Links {
    /// Cuts these directions until [`Links::mend`] is called with the same.
    pub(crate) fn cut(&self, directions: &BTreeSet<(u64, u64)>) {
        lock(&self.cut).push(directions.clone());
    }

    pub(crate) fn mend(&self, directions: &BTreeSet<(u64, u64)>) {
        let mut cut = lock(&self.cut);
        if let Some(at) = cut.iter().position(|other| other == directions) {
            cut.remove(at);
        }
    }

    pub(crate) fn set_weather(&self, weather: Weather) {
        *lock(&self.weather) = weather;
    }

    /// All cuts mended, fair weather.
    pub(crate) fn heal(&self) {
        lock(&self.cut).clear();
        self.set_weather(Weather::FAIR);
    }

    fn passes(&self, from: u64, to: u64) -> bool {
        !lock(&self.cut).iter().any(|cut| cut.contains(&(from, to)))
    }
}

/// What one node asks another.
#[derive(Clone)]
pub(crate) enum Ask {
    Append(AppendEntriesRequest<SimConfig>),
    Vote(VoteRequest<SimConfig>),
    PreVote(VoteRequest<SimConfig>),
    Install(Vote, Snapshot),
    Propose(Box<Proposal>),
    Clock,
}

/// What it is told.
pub(crate) enum Answer {
    Append(AppendEntriesResponse<SimConfig>),
    Vote(VoteResponse<SimConfig>),
    Installed(SnapshotResponse<SimConfig>),
    Proposed(Proposed),
    Clock(UnixMillis),
}

/// What became of a proposal, as far as the node that was asked knows.
pub(crate) enum Proposed {
    Applied(Applied),
    /// Certainly not appended; perhaps this one leads.
    NotLeader(Option<u64>),
    Unknown,
}

impl World {
    /// Asks and waits for the answer.
    pub(crate) async fn ask(
        self: &Arc<World>,
        (from, to): (u64, u64),
        ask: Ask,
        within: Duration,
    ) -> Option<Answer> {
        let (told, heard) = oneshot::channel();
        if self.roll(|weather| weather.doubled) {
            self.send((from, to), ask.clone(), None);
        }
        self.send((from, to), ask, Some(told));
        timeout(within, heard).await.ok()?.ok()
    }

    fn roll(&self, percent: impl FnOnce(&Weather) -> usize) -> bool {
        let percent = percent(&lock(&self.links.weather));
        self.draw(|dice| dice.chance(percent))
    }

    /// Time on the way; `None` where the message is lost.
    fn journey(&self) -> Option<Duration> {
        let Weather { lost, late, late_ms, .. } = *lock(&self.links.weather);
        self.draw(|dice| {
            let is_lost = dice.chance(lost);
            let most_ms = if dice.chance(late) { late_ms } else { 3 };
            let ms = dice.within(1, most_ms.max(1));
            (!is_lost).then_some(Duration::from_millis(ms))
        })
    }

    fn send(
        self: &Arc<World>,
        (from, to): (u64, u64),
        ask: Ask,
        told: Option<oneshot::Sender<Answer>>,
    ) {
        let Some(journey) = self.journey() else { return };
        let world = Arc::clone(self);
        tokio::spawn(async move {
            sleep(journey).await;
            let Some(node) = world.node(to).filter(|_| world.links.passes(from, to)) else {
                return;
            };
            let life = Arc::clone(&node.life);
            life.spawn(async move {
                if let Some(answer) = node.answer(ask).await {
                    world.send_back((to, from), answer, told);
                }
            });
        });
    }

    fn send_back(
        self: &Arc<World>,
        (from, to): (u64, u64),
        answer: Answer,
        told: Option<oneshot::Sender<Answer>>,
    ) {
        let (Some(journey), Some(told)) = (self.journey(), told) else { return };
        let world = Arc::clone(self);
        tokio::spawn(async move {
            sleep(journey).await;
            if world.links.passes(from, to) {
                // Whoever asked may have stopped waiting.
                let _ = told.send(answer);
            }
        });
    }
}

impl Node {
    /// Answers what another node asks.
    async fn answer(self: Arc<Node>, ask: Ask) -> Option<Answer> {
        match ask {
            Ask::Append(request) => {
                self.unless_stopped(self.raft.append_entries(request).await).map(Answer::Append)
            }
            Ask::Vote(request) => {
                self.unless_stopped(self.raft.vote(request).await).map(Answer::Vote)
            }
            Ask::PreVote(request) => {
                self.unless_stopped(self.raft.pre_vote(request).await).map(Answer::Vote)
            }
            Ask::Install(vote, snapshot) => {
                let installed = self.raft.install_full_snapshot(vote, snapshot).await;
                self.unless_stopped(installed.map_err(RaftError::Fatal)).map(Answer::Installed)
            }
            Ask::Propose(proposal) => Some(Answer::Proposed(self.append_here(*proposal).await)),
            Ask::Clock => Some(Answer::Clock(self.world.clock(self.id))),
        }
    }

    /// Consensus never stops by itself.
    fn unless_stopped<T>(&self, done: Result<T, RaftError<SimConfig>>) -> Option<T> {
        match done {
            Ok(done) => Some(done),
            Err(stopped) => {
                self.world.fail("consensus goes on", format!("node {}: {stopped}", self.id));
                None
            }
        }
    }

    /// Appends a proposal, where this node leads.
    pub(crate) async fn append_here(&self, proposal: Proposal) -> Proposed {
        match self.raft.client_write(proposal).await {
            Ok(written) => {
                let acked = self.world.judge.acked(written.log_id);
                self.world.must("what was acknowledged stays", acked);
                Proposed::Applied(written.data)
            }
            Err(RaftError::APIError(ClientWriteError::ForwardToLeader(forward))) => {
                Proposed::NotLeader(forward.leader_id)
            }
            Err(RaftError::APIError(_)) => Proposed::Unknown,
            Err(RaftError::Fatal(stopped)) => {
                self.world.fail("consensus goes on", format!("node {}: {stopped}", self.id));
                Proposed::Unknown
            }
        }
    }

    /// The handle of consensus.
    pub(crate) fn raft(&self) -> &Raft {
        &self.raft
    }
}

/// Makes the ways from one node to the others.
pub(crate) struct Ways {
    pub(crate) world: Arc<World>,
    pub(crate) from: u64,
}

/// The way to one node.
pub(crate) struct Way {
    world: Arc<World>,
    ends: (u64, u64),
}

impl RaftNetworkFactory<SimConfig> for Ways {
    type Network = Way;

    async fn new_client(&mut self, target: u64, _: &Peer) -> Way {
        Way { world: Arc::clone(&self.world), ends: (self.from, target) }
    }
}

fn no_answer() -> RPCError<SimConfig> {
    RPCError::Unreachable(Unreachable::new(&AnyError::error("no answer")))
}

impl Way {
    async fn ask(&self, ask: Ask, within: Duration) -> Result<Answer, RPCError<SimConfig>> {
        self.world.ask(self.ends, ask, within).await.ok_or_else(no_answer)
    }

    async fn ask_vote(
        &self,
        ask: Ask,
        option: &RPCOption,
    ) -> Result<VoteResponse<SimConfig>, RPCError<SimConfig>> {
        match self.ask(ask, option.soft_ttl()).await? {
            Answer::Vote(response) => Ok(response),
            Answer::Append(_) | Answer::Installed(_) | Answer::Proposed(_) | Answer::Clock(_) => {
                Err(no_answer())
            }
        }
    }
}

impl RaftNetworkV2<SimConfig> for Way {
    type SnapshotData = Arc<ledger::Ledger>;

    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<SimConfig>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<SimConfig>, RPCError<SimConfig>> {
        let carries = !request.entries.is_empty();
        let within = if carries { APPEND_WITHIN } else { option.soft_ttl() };
        match self.ask(Ask::Append(request), within).await? {
            Answer::Append(response) => Ok(response),
            Answer::Vote(_) | Answer::Installed(_) | Answer::Proposed(_) | Answer::Clock(_) => {
                Err(no_answer())
            }
        }
    }

    async fn vote(
        &mut self,
        request: VoteRequest<SimConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<SimConfig>, RPCError<SimConfig>> {
        self.ask_vote(Ask::Vote(request), &option).await
    }

    async fn pre_vote(
        &mut self,
        request: VoteRequest<SimConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<SimConfig>, RPCError<SimConfig>> {
        self.ask_vote(Ask::PreVote(request), &option).await
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot,
        _: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        option: RPCOption,
    ) -> Result<SnapshotResponse<SimConfig>, StreamingError<SimConfig>> {
        match self.ask(Ask::Install(vote, snapshot), option.soft_ttl()).await {
            Ok(Answer::Installed(response)) => Ok(response),
            Ok(Answer::Append(_) | Answer::Vote(_) | Answer::Proposed(_) | Answer::Clock(_))
            | Err(_) => {
                Err(StreamingError::Unreachable(Unreachable::new(&AnyError::error("no answer"))))
            }
        }
    }
}
