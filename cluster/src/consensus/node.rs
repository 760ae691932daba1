//! One node: what it is made of, and how it becomes a member.

use super::book::Book;
use super::client::{PeerClient, To};
use super::network::Connections;
use super::refusal::{Reason, Refusal};
use super::rpc::Intake;
use super::service::PeerService;
use super::sightings::Sightings;
use super::snapshot::Receiving;
use crate::allowance::{Allowances, Owner};
use crate::config::{MakeInitCluster, Tuning};
use crate::gossip::{Gossip, Heard, said};
use crate::rates::{RateDesk, Rates};
use crate::seal::{ReplayGuard, Sealer};
use ledger::NodeId;
use openraft::async_runtime::watch::WatchReceiver;
use openraft::errors::{InitializeError, RaftError};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;
use storage::{
    Identity, LogStore, Machine, Membership, Peer, Raft, Snapshots, SpaceWatch, StoredMembership,
    View, raft_config,
};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

/// Pause before a journal that could neither be begun nor removed is tried again.
const JOURNAL_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// What was configured and is needed after the start.
pub(crate) struct Settings {
    pub(crate) cluster_name: String,
    pub(crate) label: String,
    /// `host:port` under which others reach the peer listener.
    pub(crate) peer_addr: String,
    pub(crate) seeds: Vec<String>,
    /// Founders to wait for; `None` only joins.
    pub(crate) expect: Option<u32>,
    pub(crate) public: BTreeMap<String, String>,
    pub(crate) init_cluster: MakeInitCluster,
    pub(crate) tuning: Tuning,
    pub(crate) data_dir: PathBuf,
}

/// The log and the state machine, until consensus takes them.
pub(crate) struct Parts {
    pub(crate) log: LogStore,
    pub(crate) machine: Machine,
}

/// One node.
pub(crate) struct Node {
    pub(crate) settings: Settings,
    pub(crate) identity: Identity,
    pub(crate) view: View,
    pub(crate) space: SpaceWatch,
    pub(crate) gossip: Gossip,
    pub(crate) client: PeerClient,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) replays: ReplayGuard,
    pub(crate) intake: Intake,
    /// Requests of peers that did not open with this cluster's secret.
    pub(crate) refused: AtomicU64,
    pub(crate) book: Book,
    pub(crate) allowances: Arc<Allowances>,
    pub(crate) rates: Arc<Rates>,
    /// Hands out shares of rates where this node leads.
    pub(crate) rate_desk: RateDesk,
    /// Answers what peers ask beyond the cluster's own affairs.
    pub(crate) service: Option<Arc<dyn PeerService>>,
    started: Instant,
    pub(crate) receiving: Receiving,
    raft: OnceLock<Raft>,
    /// Held while the node decides to which cluster it belongs. Empty once consensus runs.
    pub(crate) place: tokio::sync::Mutex<Option<Parts>>,
    phase: Mutex<String>,
    draining: AtomicBool,
    /// Less room on the disk than configuration may be written with.
    pub(crate) short_of_disk: AtomicBool,
    pub(crate) sightings: Mutex<Sightings>,
    /// When it last asked the leader and then had applied all there was, by [`Node::mono_ms`].
    pub(crate) fresh_at_ms: AtomicU64,
    /// This life is in the ledger, and what was in the log before it is applied.
    pub(crate) enrolled: AtomicBool,
    /// Counts what others may want to look at again.
    pub(crate) changes: watch::Sender<u64>,
    pub(crate) closing: watch::Sender<bool>,
}

/// What a node is put together from.
pub(crate) struct Made {
    pub(crate) settings: Settings,
    pub(crate) identity: Identity,
    pub(crate) view: View,
    pub(crate) space: SpaceWatch,
    pub(crate) snapshots: Snapshots,
    pub(crate) parts: Parts,
    pub(crate) gossip: Gossip,
    pub(crate) client: PeerClient,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) allowances: Arc<Allowances>,
    pub(crate) service: Option<Arc<dyn PeerService>>,
}

impl Node {
    pub(crate) fn new(made: Made) -> Node {
        Node {
            settings: made.settings,
            identity: made.identity,
            view: made.view,
            space: made.space,
            gossip: made.gossip,
            client: made.client,
            sealer: made.sealer,
            replays: ReplayGuard::default(),
            intake: Intake::default(),
            refused: AtomicU64::new(0),
            book: Book::default(),
            allowances: made.allowances,
            rates: Rates::new(),
            rate_desk: RateDesk::default(),
            service: made.service,
            started: Instant::now(),
            receiving: Receiving::new(made.snapshots),
            raft: OnceLock::new(),
            place: tokio::sync::Mutex::new(Some(made.parts)),
            phase: Mutex::new("starting".to_owned()),
            draining: AtomicBool::new(false),
            short_of_disk: AtomicBool::new(false),
            sightings: Mutex::new(Sightings::default()),
            fresh_at_ms: AtomicU64::new(0),
            enrolled: AtomicBool::new(false),
            changes: watch::Sender::new(0),
            closing: watch::Sender::new(false),
        }
    }

    /// Consensus, once it runs.
    pub(crate) fn raft(&self) -> Result<&Raft, Refusal> {
        if *self.closing.borrow() {
            return Err(Refusal::new(Reason::NotReady, "this node is stopping"));
        }
        self.raft.get().ok_or_else(|| Refusal::new(Reason::NotReady, self.phase()))
    }

    /// Whether consensus runs: it ends for good where the disk fails or an entry cannot be read.
    pub(crate) fn takes_part(&self) -> bool {
        let runs = |raft: &Raft| raft.metrics().borrow_watched().running_state.is_ok();
        self.raft().is_ok_and(runs)
    }

    /// Consensus, even while the node stops.
    pub(crate) fn raft_to_stop(&self) -> Option<&Raft> {
        self.raft.get()
    }

    /// What the node is waiting for or doing, for people.
    pub(crate) fn phase(&self) -> String {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_phase(&self, phase: impl Into<String>) {
        let phase = phase.into();
        let mut present = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        if *present != phase {
            tracing::info!(phase, "cluster");
            *present = phase;
            self.touch();
        }
    }

    /// Whether the node said that it is on its way out.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Says so.
    pub(crate) fn announce_draining(&self) {
        if !self.draining.swap(true, Ordering::AcqRel) {
            self.gossip.say(said::DRAINING, said::YES);
            self.touch();
        }
    }

    /// Milliseconds of a clock that does not jump.
    pub(crate) fn mono_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Opens or closes the desk that hands out rates, as this node leads or not.
    fn tend_rate_desk(&self) {
        if self.leads() {
            let alone = self.membership().membership().nodes().count() == 1;
            self.rate_desk.lead(self.mono_ms(), alone);
        } else {
            self.rate_desk.follow();
        }
    }

    /// Has others look again.
    pub(crate) fn touch(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Starts consensus, once identity and cluster are on disk. The caller holds [`Self::place`].
    pub(crate) async fn run_consensus(
        self: &Arc<Self>,
        place: &mut Option<Parts>,
    ) -> Result<(), Refusal> {
        let (Some(id), Some(parts)) = (self.identity.raft_id(), place.take()) else {
            return Err(Refusal::new(Reason::NotReady, "this node has no id yet"));
        };
        let connections = Connections { client: self.client.clone(), book: self.book.clone() };
        self.refresh_book();
        let config = raft_config().validate().expect("the settings are constants and valid");
        let started = Raft::new(id, Arc::new(config), connections, parts.log, parts.machine).await;
        let raft = started.map_err(|fatal| {
            let say = format!("consensus did not start: {fatal}");
            self.set_phase(say.clone());
            Refusal::new(Reason::NotReady, say)
        })?;
        tokio::spawn(follow(Arc::downgrade(self), raft.clone()));
        // The place is held, so nobody else sets it.
        let _ = self.raft.set(raft);
        self.gossip.say(said::RAFT_ID, &id.to_string());
        let cluster_id = self.identity.cluster_id().unwrap_or_default();
        self.gossip.say(said::CLUSTER_ID, &cluster_id);
        self.gossip.say(said::PRISTINE, said::NO);
        self.begin_spending(Owner {
            cluster_id,
            node: NodeId(id),
            incarnation: self.identity.incarnation(),
        })
        .await;
        self.set_phase("waits for a leader to enrol with");
        self.touch();
        Ok(())
    }

    /// Says who spends, once there is a journal to write it into or surely none. Where neither can be had the
    /// node spends nothing, and tries again.
    async fn begin_spending(self: &Arc<Self>, owner: Owner) {
        if self.try_begin_spending(&owner).await {
            return;
        }
        let node = Arc::clone(self);
        tokio::spawn(async move {
            while !*node.closing.borrow() {
                sleep(JOURNAL_AGAIN_AFTER).await;
                if node.try_begin_spending(&owner).await {
                    return;
                }
            }
        });
    }

    async fn try_begin_spending(&self, owner: &Owner) -> bool {
        let (allowances, dir) = (Arc::clone(&self.allowances), self.settings.data_dir.clone());
        let (node, incarnation, owner) = (owner.node, owner.incarnation, owner.clone());
        let begun = spawn_blocking(move || allowances.begin_journal(&dir, owner)).await;
        let begun = begun.unwrap_or_else(|panicked| Err(panicked.into()));
        match begun {
            Ok(()) => self.allowances.identify(node, incarnation),
            Err(ref error) => {
                tracing::error!(%error, "the journal can neither be begun nor removed: nothing is spent");
            }
        }
        begun.is_ok()
    }

    /// Sets the first membership. Doing it again with the same founders is harmless.
    pub(crate) async fn initialize(&self, founders: BTreeMap<u64, Peer>) -> Result<(), Refusal> {
        let raft = self.raft()?;
        match raft.initialize(founders).await {
            Ok(()) | Err(RaftError::APIError(InitializeError::NotAllowed(_))) => Ok(()),
            Err(error) => Err(Refusal::new(Reason::NotReady, error.to_string())),
        }
    }

    /// The membership in force; empty before consensus runs.
    pub(crate) fn membership(&self) -> Arc<StoredMembership> {
        match self.raft.get() {
            Some(raft) => Arc::clone(&raft.server_metrics().borrow_watched().membership_config),
            None => Arc::new(StoredMembership::default()),
        }
    }

    /// The leader this node follows, itself included.
    pub(crate) fn leader(&self) -> Option<u64> {
        self.raft.get().and_then(|raft| raft.server_metrics().borrow_watched().current_leader)
    }

    /// This node's Raft id; zero before it has one.
    pub(crate) fn id(&self) -> u64 {
        self.identity.raft_id().unwrap_or(0)
    }

    /// Whether this node leads, as far as it knows.
    pub(crate) fn leads(&self) -> bool {
        self.leader().is_some_and(|leader| leader == self.id())
    }

    /// How to reach a member by its Raft id.
    pub(crate) fn member(&self, raft_id: u64) -> To {
        let stored = self.membership();
        let remembered = peer_of(stored.membership(), raft_id);
        self.book.to(raft_id, &remembered)
    }

    /// Nodes heard of in gossip that belong to this node's cluster.
    pub(crate) fn heard_members(&self) -> Vec<Heard> {
        let cluster_id = self.identity.cluster_id();
        let ours = |node: &&Heard| node.cluster_id.is_some() && node.cluster_id == cluster_id;
        self.gossip.peers().iter().filter(ours).cloned().collect()
    }

    /// Takes the members' present addresses from gossip.
    pub(crate) fn refresh_book(&self) {
        let cluster_id = self.identity.cluster_id();
        self.book.update(cluster_id.as_deref(), &self.gossip.peers());
    }
}

/// Has others look again whenever leadership or membership moved, until consensus ends.
async fn follow(node: Weak<Node>, raft: Raft) {
    let mut metrics = raft.server_metrics();
    drop(raft);
    while metrics.changed().await.is_ok() {
        let Some(node) = node.upgrade() else {
            return;
        };
        node.tend_rate_desk();
        node.touch();
    }
}

fn peer_of(membership: &Membership, raft_id: u64) -> String {
    membership.get_node(&raft_id).map(|peer| peer.addr.clone()).unwrap_or_default()
}
