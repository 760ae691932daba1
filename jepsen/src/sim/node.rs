//! A node as simulated: consensus, allowances and the leader's duties in one life.

use super::broken::Break;
use super::disk::Write;
use super::ground::Platter;
use super::journal::{self, Left};
use super::life::{Life, lock};
use super::log::LogStore;
use super::machine::{Machine, Seen};
use super::net::{Answer, Ask, Proposed, Ways};
use super::types::Raft;
use super::world::{Slot, World};
use super::{duties, load};
use cluster::allowance::{Allowances, Propose};
use futures_util::future::BoxFuture;
use ledger::command::Refill;
use ledger::{Command, Ledger, NodeId, Outcome};
use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Weak};
use std::time::Duration;
use storage::openraft::async_runtime::WatchReceiver;
use storage::openraft::{Config, SnapshotPolicy};
use storage::{Applied, Proposal, raft_config};
use tokio::time::{Instant, sleep, timeout_at};

/// How long a proposal is tried.
const PROPOSE_WITHIN: Duration = Duration::from_secs(2);
/// Pause before a leader is looked for again.
const RETRY_AFTER: Duration = Duration::from_millis(25);

/// A node, for one life.
pub(crate) struct Node {
    pub(crate) world: Arc<World>,
    pub(crate) id: u64,
    pub(crate) incarnation: u64,
    pub(crate) life: Arc<Life>,
    pub(crate) seen: Arc<Seen>,
    pub(crate) raft: Raft,
    /// Requests of this life that have not ended.
    pub(crate) in_flight: AtomicU64,
}

/// What became of a command, as far as its proposer knows.
#[derive(Debug)]
pub(crate) enum Fate {
    Applied(Applied),
    NotApplied,
    Unknown,
}

impl Node {
    /// Starts a life in its slot; a journal that lies there is for it to tell of.
    pub(crate) fn start(world: &Arc<World>, id: u64) {
        let dice = world.draw(|dice| dice.split());
        let life = Life::new(dice);
        *lock(&world.slots[&id].life) = Some(Arc::clone(&life));
        let world = Arc::clone(world);
        let beginning = Node::begin(Arc::clone(&world), id, Arc::clone(&life));
        life.spawn(beginning);
    }

    async fn begin(world: Arc<World>, id: u64, life: Arc<Life>) {
        let slot = &world.slots[&id];
        life.spawn(Arc::clone(&slot.disk).keep_synced(Arc::clone(&world), id));
        let incarnation = next_incarnation(&world, slot).await;
        let allowances = Allowances::new();
        let platter: Arc<Platter> = Arc::clone(&slot.platter);
        let owner = journal::owner(id, incarnation);
        if let Err(error) = allowances.begin_journal_on(&slot.platter.dir, owner, platter) {
            world.fail("journals can be begun", error.to_string());
        }
        allowances.identify(NodeId(id), incarnation);
        // Every node is taken to share the pools.
        allowances.set_active_nodes(u32::try_from(world.members().len()).unwrap_or(u32::MAX));
        let seen = Seen::new(allowances);
        let disk = &slot.disk;
        let machine = Machine::new(Arc::clone(&world), Arc::clone(disk), id, Arc::clone(&seen));
        let store = LogStore { world: Arc::clone(&world), disk: Arc::clone(disk) };
        let ways = Ways { world: Arc::clone(&world), from: id };
        let raft = match Raft::new(id, Arc::new(config(&world)), ways, store, machine).await {
            Ok(raft) => raft,
            Err(stopped) => {
                world.fail("consensus starts", format!("node {id}: {stopped}"));
                return;
            }
        };
        let in_flight = AtomicU64::new(0);
        let node = Node { world, id, incarnation, life, seen, raft, in_flight };
        Arc::new(node).go();
    }

    fn go(self: Arc<Node>) {
        self.world.note("began", [self.id, self.incarnation, self.seen.index()]);
        *lock(&self.world.slots[&self.id].node) = Some(Arc::clone(&self));
        let till = Arc::new(Till(Arc::downgrade(&self)));
        let allowances = &self.seen.allowances;
        self.life.spawn(Arc::clone(allowances).run(till));
        self.life.spawn(Arc::clone(allowances).keep_journal());
        self.life.spawn(journal::adopt_past(Arc::clone(&self)));
        self.life.spawn(duties::serve(Arc::clone(&self)));
        self.life.spawn(load::take_requests(Arc::clone(&self)));
    }

    /// Ends the life: killed, or power lost. Either takes what the log has not synced, in the way a
    /// process keeps back what it has not written; of the journal the one leaves all, the other what was
    /// synced, and at times it is lost.
    pub(crate) fn crash(world: &World, id: u64) {
        let slot = &world.slots[&id];
        let Some(life) = lock(&slot.life).take() else { return };
        life.kill();
        drop(lock(&slot.node).take());
        Left::draw(world, id);
        let (kept, lost) = world.draw(|dice| slot.disk.cut(dice));
        world.note("crashed", [id, kept, lost]);
    }

    pub(crate) fn life_id(&self) -> (NodeId, u64) {
        (NodeId(self.id), self.incarnation)
    }

    /// Whether this life has begun in the ledger, as far as this node has applied.
    pub(crate) fn is_enrolled(&self) -> bool {
        let (id, incarnation) = self.life_id();
        self.ledger().nodes.get(&id).is_some_and(|record| record.incarnation == incarnation)
    }

    pub(crate) fn ledger(&self) -> Arc<Ledger> {
        self.seen.ledger()
    }

    /// Who leads, as far as this node knows.
    pub(crate) fn leader(&self) -> Option<u64> {
        self.raft.metrics().borrow_watched().current_leader
    }

    /// Who votes, as far as this node knows.
    pub(crate) fn voters(&self) -> BTreeSet<u64> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        metrics.membership_config.membership().voter_ids().collect()
    }

    /// Puts a command into the log and waits until it is applied here, or the time is up.
    pub(crate) async fn propose(&self, command: Command) -> Fate {
        let deadline = Instant::now() + PROPOSE_WITHIN;
        let proposal = Proposal { at: self.world.clock(self.id), command };
        let mut hint = None;
        while Instant::now() < deadline {
            let leader = hint.take().or_else(|| self.leader());
            if let Some(leader) = leader {
                match timeout_at(deadline, self.hand_over(leader, proposal.clone())).await {
                    Ok(Proposed::Applied(applied)) => {
                        // Committed whether or not this node hears of it in time.
                        let _ = timeout_at(deadline, self.seen.wait_applied(applied.index)).await;
                        return Fate::Applied(applied);
                    }
                    Ok(Proposed::NotLeader(other)) => hint = other.filter(|it| *it != leader),
                    Ok(Proposed::Unknown) | Err(_) => return Fate::Unknown,
                }
            }
            sleep(RETRY_AFTER).await;
        }
        Fate::NotApplied
    }

    /// Proposes from outside: `None` where the life ended in between.
    pub(crate) async fn life_propose(self: &Arc<Node>, command: Command) -> Option<Fate> {
        let node = Arc::clone(self);
        let proposing = self.life.spawn(async move { node.propose(command).await });
        proposing.await.ok()
    }

    async fn hand_over(&self, leader: u64, proposal: Proposal) -> Proposed {
        if leader == self.id {
            return self.append_here(proposal).await;
        }
        let asked =
            self.world.ask((self.id, leader), Ask::Propose(Box::new(proposal)), PROPOSE_WITHIN);
        match asked.await {
            Some(Answer::Proposed(proposed)) => proposed,
            Some(Answer::Append(_) | Answer::Vote(_) | Answer::Installed(_) | Answer::Clock(_))
            | None => Proposed::Unknown,
        }
    }
}

/// The number of the life that begins: on disk before anything is done in it.
async fn next_incarnation(world: &World, slot: &Slot) -> u64 {
    let last = slot.disk.read(|image| image.incarnation);
    if world.is_broken(Break::FenceOff) && last > 0 {
        return last;
    }
    let incarnation = last + 1;
    slot.disk.write_through(Write::Begin { incarnation }).await;
    incarnation
}

/// The product's settings, with snapshots often enough to matter within a short run.
fn config(world: &World) -> Config {
    Config {
        snapshot_policy: SnapshotPolicy::LogsSinceLast(150),
        max_in_snapshot_log_to_keep: 20,
        purge_batch_size: 16,
        enable_leader_restore: Some(world.is_broken(Break::LeaderRestore)),
        ..raft_config()
    }
}

/// A node's way to the log for its refills.
struct Till(Weak<Node>);

impl Propose for Till {
    fn propose(&self, refill: Refill) -> BoxFuture<'_, Option<Outcome>> {
        Box::pin(async move {
            let node = self.0.upgrade()?;
            node.world.note("refill", [node.id, refill.seq, refill.lines.len() as u64]);
            match node.propose(Command::Refill(refill)).await {
                Fate::Applied(applied) => applied.outcome,
                Fate::NotApplied | Fate::Unknown => None,
            }
        })
    }
}
