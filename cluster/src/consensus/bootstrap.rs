//! How a node without a cluster finds its place: it founds one with others, joins one, or waits.
//!
//! A founding takes a promise of every founder, kept on disk: to take part in this founding and no other.
//! One of them asks for the promises, and only it sets the first membership, after it wrote down that it
//! will. The others begin when consensus of that cluster speaks to them, which it does only then. A
//! founder who did not get all promises takes its own back; the others ask it and take theirs back too.

use super::client::To;
use super::founders::{self, Choice, Known, Pristine};
use super::join;
use super::message::{BootAskV1, BootKnownV1, BootPrepareV1, EmptyV1, EnvelopeV1};
use super::node::Node;
use super::refusal::{Reason, Refusal};
use super::route::Route;
use crate::discovery;
use crate::gossip::Heard;
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use storage::{BootPromise, Peer};
use tokio::time::Instant;

/// How long a founder waits for one promise.
const PROMISE_WITHIN: Duration = Duration::from_secs(2);
/// How often a node without a place looks around where nothing happens.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Looks for the node's place until it has one or stops.
pub(crate) async fn find_place(node: Arc<Node>) {
    let mut heard = node.gossip.changes();
    let mut closing = node.closing.subscribe();
    let mut steady: Option<(Vec<String>, Instant)> = None;
    while node.raft_to_stop().is_none() && !*closing.borrow_and_update() {
        look(&node, &mut steady).await;
        tokio::select! {
            _ = heard.changed() => {}
            _ = closing.changed() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Goes on where the node was before it was restarted, if it had a place.
pub(crate) async fn resume(node: &Arc<Node>, has_raft_state: bool) -> Result<(), Refusal> {
    let Some(cluster_id) = node.identity.cluster_id() else {
        return Ok(());
    };
    let mut place = node.place.lock().await;
    // A peer may have spoken to a founder before it came to this: then consensus goes on already.
    if node.raft_to_stop().is_some() {
        return Ok(());
    }
    if node.identity.raft_id().is_none() {
        let id = founders::founder_id(&cluster_id, &node.identity.node_uuid());
        node.identity.set_raft_id(id).map_err(|error| on_disk(&error))?;
    }
    node.run_consensus(&mut place).await?;
    let promise = node.identity.boot_promise();
    if let Some(promise) = promise.filter(|promise| !has_raft_state && asks(node, promise)) {
        tokio::spawn(initialize(Arc::clone(node), promise));
    }
    Ok(())
}

/// Begins with the founding that was promised, if this message is consensus' first word of it.
pub(crate) async fn begin_if_promised(node: &Arc<Node>, envelope: &EnvelopeV1) {
    if node.raft_to_stop().is_some() || envelope.cluster_id.is_empty() {
        return;
    }
    // Whoever asks may give up, and its request is dropped then: a beginning is not left half done.
    let (node, envelope) = (Arc::clone(node), envelope.clone());
    let begun = tokio::spawn(async move { begin(&node, &envelope).await }).await;
    if let Err(error) = begun {
        tracing::error!(%error, "the founding that was promised did not begin here");
    }
}

async fn begin(node: &Arc<Node>, envelope: &EnvelopeV1) {
    let mut place = node.place.lock().await;
    let Some(promise) = node.identity.boot_promise() else {
        return;
    };
    let id = founders::founder_id(&promise.cluster_id, &node.identity.node_uuid());
    let spoken_to = promise.cluster_id == envelope.cluster_id && id == envelope.to_raft;
    // The asker begins by itself, once every promise is there.
    if !spoken_to || place.is_none() || asks(node, &promise) {
        return;
    }
    let begun = match settle_down(node, &promise.cluster_id, id) {
        Ok(()) => node.run_consensus(&mut place).await,
        Err(refusal) => Err(refusal),
    };
    if let Err(refusal) = begun {
        tracing::error!(%refusal, "the founding that was promised did not begin here");
    }
}

/// Answers a founder who asks for a promise.
pub(crate) async fn promise(node: &Arc<Node>, asked: BootPrepareV1) -> Result<EmptyV1, Refusal> {
    let no = |say: String| Err(Refusal::new(Reason::Refused, say));
    let place = node.place.lock().await;
    if let Some(cluster_id) = node.identity.cluster_id() {
        return no(format!("this node belongs to cluster {cluster_id}"));
    }
    if place.is_none() || node.identity.raft_id().is_some() {
        return no(node.phase());
    }
    if let Some(cluster_id) = clusters_heard(&node.gossip.peers()).first() {
        return no(format!("there is a cluster to join: {cluster_id}"));
    }
    let uuid = node.identity.node_uuid();
    let expected = node.settings.expect == Some(asked.expect)
        && asked.members.len() == asked.expect as usize
        && asked.members.contains(&uuid);
    if !expected {
        return no(format!(
            "this node does not expect to found a cluster with {:?}",
            asked.members
        ));
    }
    let promise = BootPromise { cluster_id: asked.cluster_id, members: asked.members, ballot: 0 };
    match node.identity.promise(promise) {
        Ok(()) => Ok(EmptyV1 {}),
        Err(error) => no(error.to_string()),
    }
}

/// Whether this node still means to found that cluster, or has.
pub(crate) fn knows(node: &Node, asked: &BootAskV1) -> BootKnownV1 {
    let promised = node.identity.boot_promise();
    let alive = node.identity.cluster_id().as_ref() == Some(&asked.cluster_id)
        || promised.is_some_and(|promise| promise.cluster_id == asked.cluster_id);
    BootKnownV1 { alive }
}

async fn look(node: &Arc<Node>, steady: &mut Option<(Vec<String>, Instant)>) {
    if let Some(promise) = node.identity.boot_promise() {
        *steady = None;
        return keep_or_take_back(node, &promise).await;
    }
    let heard = node.gossip.peers();
    let clusters = clusters_heard(&heard);
    if clusters.len() > 1 {
        let all = Vec::from_iter(clusters).join(" and ");
        return node.set_phase(format!("will not choose between clusters of one name: {all}"));
    }
    if let Some(cluster_id) = clusters.first() {
        *steady = None;
        return join::join(node, cluster_id, &heard).await;
    }
    // An id without a cluster is one half of joining: the cluster that gave it is out there.
    let expect = node.settings.expect.filter(|_| node.identity.raft_id().is_none());
    let Some(expect) = expect else {
        return node.set_phase("waits for a cluster to join");
    };
    match choose(node, expect, &heard).await {
        Choice::Wait(why) => {
            *steady = None;
            node.set_phase(format!("waits to found a cluster: {why}"));
        }
        Choice::Ask(members) => {
            let since = match steady.take() {
                Some((before, since)) if before == members => since,
                Some(_) | None => Instant::now(),
            };
            if expect == 1 || since.elapsed() >= node.settings.tuning.bootstrap_settle {
                return found(node, members).await;
            }
            *steady = Some((members, since));
        }
    }
}

async fn choose(node: &Node, expect: u32, heard: &[Heard]) -> Choice {
    let me = node.identity.node_uuid();
    let others = heard.iter().filter(|other| other.live && other.pristine);
    let mut pristine: Vec<Pristine> = others
        .map(|other| Pristine {
            uuid: other.uuid.clone(),
            gossip_addr: other.gossip_addr,
            expect: other.expect,
        })
        .collect();
    pristine.push(Pristine {
        uuid: me.clone(),
        gossip_addr: node.gossip.advertised(),
        expect: Some(expect),
    });
    founders::choose(&Known {
        me: &me,
        expect,
        seeds: &resolve(&node.settings.seeds, node.gossip.advertised()).await,
        pristine: &pristine,
    })
}

/// Each seed's addresses of the family gossip speaks here, none for one that does not resolve now.
pub(crate) async fn resolve(seeds: &[String], own: SocketAddr) -> Vec<Vec<SocketAddr>> {
    let each = seeds.iter().map(|seed| async move {
        let Ok(parsed) = discovery::parse(std::slice::from_ref(seed)) else {
            return Vec::new();
        };
        let found = discovery::resolve(&parsed).await.into_iter();
        found.filter(|addr| addr.is_ipv4() == own.is_ipv4()).collect()
    });
    join_all(each).await
}

/// Asks all founders for their promises and founds the cluster if every one of them gave it.
async fn found(node: &Arc<Node>, members: Vec<String>) {
    node.set_phase(format!("asks {} founders for their promises", members.len()));
    let promise = BootPromise {
        cluster_id: ulid::Ulid::new().to_string(),
        members,
        ballot: node.identity.incarnation(),
    };
    // Promised to oneself first: from here on this node takes part in no other founding.
    if let Err(error) = node.identity.promise(promise.clone()) {
        return node.set_phase(format!("cannot found a cluster: {error}"));
    }
    match ask_all(node, &promise).await {
        Ok(()) => decide(node, promise).await,
        Err(why) => {
            if let Err(error) = node.identity.withdraw_promise() {
                tracing::error!(%error, "a founding that failed could not be taken back");
            }
            node.set_phase(format!("no cluster was founded: {why}"));
        }
    }
}

async fn ask_all(node: &Node, promise: &BootPromise) -> Result<(), String> {
    let heard = node.gossip.peers();
    let me = node.identity.node_uuid();
    let question = BootPrepareV1 {
        cluster_id: promise.cluster_id.clone(),
        expect: node.settings.expect.unwrap_or(0),
        members: promise.members.clone(),
    };
    let others = promise.members.iter().filter(|uuid| **uuid != me);
    let asked = others.map(|uuid| {
        let to = find(&heard, uuid);
        let question = &question;
        async move {
            let to = to.ok_or_else(|| format!("{uuid} is not heard any more"))?;
            let given = node.client.ask(Route::BootPrepare, &to, question, PROMISE_WITHIN);
            given.await.map(|_: EmptyV1| ()).map_err(|error| format!("{uuid}: {error}"))
        }
    });
    join_all(asked).await.into_iter().collect()
}

/// All promised: writes down that it will be, then lets it be.
async fn decide(node: &Arc<Node>, promise: BootPromise) {
    let id = founders::founder_id(&promise.cluster_id, &node.identity.node_uuid());
    let mut place = node.place.lock().await;
    let begun = match settle_down(node, &promise.cluster_id, id) {
        Ok(()) => node.run_consensus(&mut place).await,
        Err(refusal) => Err(refusal),
    };
    drop(place);
    match begun {
        Ok(()) => initialize(Arc::clone(node), promise).await,
        Err(refusal) => node.set_phase(format!("the founding did not begin: {refusal}")),
    }
}

/// Sets the first membership, as soon as every founder's address is known.
async fn initialize(node: Arc<Node>, promise: BootPromise) {
    let mut heard = node.gossip.changes();
    let mut closing = node.closing.subscribe();
    while !*closing.borrow_and_update() {
        if let Some(founders) = addresses(&node, &promise) {
            match node.initialize(founders).await {
                Ok(()) => return,
                Err(refusal) => tracing::warn!(%refusal, "the first membership was not set"),
            }
        }
        tokio::select! {
            _ = heard.changed() => {}
            _ = closing.changed() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

fn addresses(node: &Node, promise: &BootPromise) -> Option<BTreeMap<u64, Peer>> {
    let heard = node.gossip.peers();
    let me = node.identity.node_uuid();
    let address = |uuid: &String| {
        let addr =
            if *uuid == me { node.settings.peer_addr.clone() } else { find(&heard, uuid)?.addr };
        Some((founders::founder_id(&promise.cluster_id, uuid), Peer { addr }))
    };
    promise.members.iter().map(address).collect()
}

/// A promise holds until the one who asked for it says that nothing came of it.
async fn keep_or_take_back(node: &Arc<Node>, promise: &BootPromise) {
    if asks(node, promise) {
        // Left over from before a restart: nothing was decided, so nobody was told to begin.
        return take_back(node, promise).await;
    }
    let Some(asker) = promise.members.first() else {
        return;
    };
    let Some(to) = find(&node.gossip.peers(), asker) else {
        return node.set_phase(format!("promised {asker} to found a cluster and does not hear it"));
    };
    node.set_phase(format!("promised {asker} to found cluster {}", promise.cluster_id));
    let question = BootAskV1 { cluster_id: promise.cluster_id.clone() };
    let known = node.client.ask(Route::BootAsk, &to, &question, PROMISE_WITHIN).await;
    match known {
        Ok(BootKnownV1 { alive: true }) => {}
        Ok(BootKnownV1 { alive: false }) => take_back(node, promise).await,
        Err(error) => tracing::debug!(%error, "the founder does not say how it stands"),
    }
}

async fn take_back(node: &Arc<Node>, promise: &BootPromise) {
    let place = node.place.lock().await;
    let unchanged = node.identity.boot_promise().as_ref() == Some(promise);
    if unchanged && place.is_some() && node.identity.cluster_id().is_none() {
        match node.identity.withdraw_promise() {
            Ok(()) => tracing::info!(cluster_id = promise.cluster_id, "promise taken back"),
            Err(error) => tracing::error!(%error, "promise not taken back"),
        }
    }
}

/// Whether this node is the one who asked for the promises.
fn asks(node: &Node, promise: &BootPromise) -> bool {
    promise.members.first() == Some(&node.identity.node_uuid())
}

/// A founder's own mark that it is decided: the cluster first, for the id follows from it.
fn settle_down(node: &Node, cluster_id: &str, id: u64) -> Result<(), Refusal> {
    let name = &node.settings.cluster_name;
    node.identity.set_cluster_name(name).map_err(|error| on_disk(&error))?;
    node.identity.set_cluster_id(cluster_id).map_err(|error| on_disk(&error))?;
    node.identity.set_raft_id(id).map_err(|error| on_disk(&error))
}

pub(super) fn on_disk(error: &storage::IdentityError) -> Refusal {
    Refusal::new(Reason::NotReady, error.to_string())
}

fn find(heard: &[Heard], uuid: &str) -> Option<To> {
    let other = heard.iter().find(|other| other.uuid == uuid && other.live)?;
    Some(To { raft_id: 0, uuid: uuid.to_owned(), addr: other.peer_addr.clone()? })
}

/// Clusters of this name that live nodes say they belong to.
pub(super) fn clusters_heard(heard: &[Heard]) -> BTreeSet<String> {
    let live = heard.iter().filter(|other| other.live);
    live.filter_map(|other| other.cluster_id.clone()).collect()
}
