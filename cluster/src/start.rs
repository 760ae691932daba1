//! From a configuration to a running node.

use crate::allowance::Allowances;
use crate::config::Config;
use crate::consensus::client::PeerClient;
use crate::consensus::node::{Made, Node, Parts, Settings};
use crate::consensus::{adopt, bootstrap, duties, founders, fresh, rpc};
use crate::error::StartError;
use crate::gossip::{Gossip, GossipConfig, said};
use crate::seal::Sealer;
use crate::spending::{Hearing, Till};
use axum::serve::ListenerExt;
use std::net::SocketAddr;
use std::sync::Arc;
use storage::{Identity, Storage};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A node and what it runs.
pub(crate) struct Running {
    pub(crate) node: Arc<Node>,
    pub(crate) config_index: watch::Receiver<u64>,
    pub(crate) tasks: Vec<JoinHandle<()>>,
}

/// Starts a node; see [`crate::Cluster::start`].
pub(crate) async fn start(config: Config) -> Result<Running, StartError> {
    check(&config)?;
    let listener = listen(config.peer_listen).await?;
    let peer_addr = advertised(&config.peer_advertise, &listener)?;
    let config_index = watch::Sender::new(0);
    let config_index_seen = config_index.subscribe();
    let allowances = Allowances::new();
    let hearing = Hearing { allowances: Arc::clone(&allowances), config_index };
    let storage = open(&config, hearing).await?;
    let pristine = storage.identity.cluster_id().is_none() && !storage.has_raft_state();
    let has_raft_state = storage.has_raft_state();
    let says = says(&config, &peer_addr, &storage.identity, pristine);
    let gossip = gossip(&config, &storage.identity, says).await?;
    if config.seeds.iter().all(|seed| seed.parse::<SocketAddr>().is_ok()) {
        guard(&config, &gossip).await?;
    }
    let sealer = Arc::new(Sealer::new(&config.secret));
    let client =
        PeerClient::new(&config.cluster_name, storage.identity.clone(), Arc::clone(&sealer));
    let service = config.service.clone();
    let node = Arc::new(Node::new(Made {
        settings: settings(config, peer_addr),
        identity: storage.identity,
        view: storage.view,
        space: storage.space,
        snapshots: storage.snapshots,
        parts: Parts { log: storage.log, machine: storage.machine },
        gossip,
        client: client.map_err(|error| StartError::Consensus(error.to_string()))?,
        sealer,
        allowances,
        service,
    }));
    let serving = tokio::spawn(serve(listener, Arc::clone(&node)));
    let resumed = bootstrap::resume(&node, has_raft_state).await;
    resumed.map_err(|refusal| StartError::Consensus(refusal.to_string()))?;
    Ok(Running { tasks: tasks(&node, serving), config_index: config_index_seen, node })
}

fn tasks(node: &Arc<Node>, serving: JoinHandle<()>) -> Vec<JoinHandle<()>> {
    let till = Arc::new(Till { node: Arc::downgrade(node) });
    let refills = Arc::clone(&node.allowances).run(till.clone());
    let journal = Arc::clone(&node.allowances).keep_journal();
    let shares = share_rates(Arc::clone(node), till);
    vec![
        serving,
        tokio::spawn(duties::follow_gossip(Arc::clone(node))),
        tokio::spawn(duties::speak(Arc::clone(node))),
        tokio::spawn(duties::serve(Arc::clone(node))),
        tokio::spawn(bootstrap::find_place(Arc::clone(node))),
        tokio::spawn(adopt::adopt_past(Arc::clone(node))),
        tokio::spawn(fresh::keep_asking(Arc::clone(node))),
        tokio::spawn(while_open(node.closing.subscribe(), refills)),
        tokio::spawn(while_open(node.closing.subscribe(), journal)),
        tokio::spawn(while_open(node.closing.subscribe(), shares)),
    ]
}

/// Runs something until the node stops.
async fn while_open(mut closing: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        _ = closing.wait_for(|closing| *closing) => {}
    }
}

/// Reports on rates, once the node has an id to do it under.
async fn share_rates(node: Arc<Node>, till: Arc<Till>) {
    let mut changes = node.changes.subscribe();
    while node.raft().is_err() {
        if changes.changed().await.is_err() {
            return;
        }
    }
    Arc::clone(&node.rates).run(node.id(), till).await;
}

fn check(config: &Config) -> Result<(), StartError> {
    let wrong = |say: String| Err(StartError::Config(say));
    if config.gossip_advertise.ip().is_unspecified() {
        let addr = config.gossip_advertise;
        return wrong(format!(
            "gossip_advertise {addr} is no address that other nodes could reach"
        ));
    }
    if config.peer_advertise.rsplit_once(':').is_none() {
        let addr = &config.peer_advertise;
        return wrong(format!("peer_advertise {addr:?} is not host:port"));
    }
    if config.cluster_name.is_empty() || config.cluster_name.len() > 128 {
        let length = config.cluster_name.len();
        return wrong(format!("cluster_name has {length} bytes, 1 to 128 are allowed"));
    }
    Ok(())
}

async fn listen(addr: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(addr).await.map_err(|error| StartError::Listen {
        addr,
        what: "peers",
        why: error.to_string(),
    })
}

/// The address to tell others: port 0 stands for the one that was bound.
fn advertised(told: &str, listener: &TcpListener) -> Result<String, StartError> {
    match told.rsplit_once(':') {
        Some((host, "0")) => {
            let bound = listener.local_addr();
            let bound = bound.map_err(|error| StartError::Config(error.to_string()))?;
            Ok(format!("{host}:{}", bound.port()))
        }
        Some(_) | None => Ok(told.to_owned()),
    }
}

async fn open(config: &Config, hearing: Hearing) -> Result<Storage, StartError> {
    let dir = config.data_dir.clone();
    let opened = tokio::task::spawn_blocking(move || Storage::open(&dir, Arc::new(hearing))).await;
    let opened = opened.map_err(|error| StartError::Storage(error.to_string()))?;
    let storage = opened.map_err(|error| StartError::Storage(error.to_string()))?;
    match storage.identity.cluster_name() {
        Some(name) if name != config.cluster_name => Err(StartError::Config(format!(
            "{} belongs to cluster {name:?}, the configuration says {:?}",
            config.data_dir.display(),
            config.cluster_name
        ))),
        Some(_) | None => Ok(storage),
    }
}

/// What is said in gossip from the first round on.
fn says(
    config: &Config,
    peer_addr: &str,
    identity: &Identity,
    pristine: bool,
) -> Vec<(String, String)> {
    let mut says = vec![
        (said::LABEL.to_owned(), config.label.clone()),
        (said::PEER_ADDR.to_owned(), peer_addr.to_owned()),
    ];
    if pristine {
        says.push((said::PRISTINE.to_owned(), said::YES.to_owned()));
    }
    let numbers = [
        (said::EXPECT, expect(config).map(u64::from)),
        (said::RAFT_ID, identity.raft_id().filter(|_| !pristine)),
    ];
    for (key, number) in numbers {
        says.extend(number.map(|number| (key.to_owned(), number.to_string())));
    }
    says.extend(identity.cluster_id().map(|id| (said::CLUSTER_ID.to_owned(), id)));
    let public = config.public.iter();
    says.extend(public.map(|(key, value)| (format!("{}{key}", said::PUBLIC), value.clone())));
    says
}

/// Without seeds and without a number of founders the node is a cluster of one.
fn expect(config: &Config) -> Option<u32> {
    config.bootstrap_expect.or(config.seeds.is_empty().then_some(1))
}

async fn gossip(
    config: &Config,
    identity: &Identity,
    says: Vec<(String, String)>,
) -> Result<Gossip, StartError> {
    let gossip = Gossip::start(GossipConfig {
        cluster_name: config.cluster_name.clone(),
        uuid: identity.node_uuid(),
        incarnation: identity.incarnation(),
        listen: config.gossip_listen,
        advertise: config.gossip_advertise,
        seeds: config.seeds.clone(),
        secret: config.secret.clone(),
        interval: config.tuning.gossip_interval,
        says,
    });
    gossip.await.map_err(|error| StartError::Gossip(error.to_string()))
}

async fn guard(config: &Config, gossip: &Gossip) -> Result<(), StartError> {
    let Some(expect) = expect(config) else {
        return Ok(());
    };
    let own = gossip.advertised();
    let seeds = bootstrap::resolve(&config.seeds, own).await;
    founders::guard(expect, &seeds, own).map_err(StartError::Config)
}

fn settings(config: Config, peer_addr: String) -> Settings {
    Settings {
        expect: expect(&config),
        cluster_name: config.cluster_name,
        label: config.label,
        peer_addr,
        seeds: config.seeds,
        public: config.public,
        init_cluster: config.founding.init_cluster,
        tuning: config.tuning,
        data_dir: config.data_dir,
    }
}

async fn serve(listener: TcpListener, node: Arc<Node>) {
    let mut closing = node.closing.subscribe();
    let router = rpc::router(node);
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a peer's connection stays as it is");
        }
    });
    let until = async move {
        // A closed channel means the same.
        let _ = closing.wait_for(|closing| *closing).await;
    };
    let served = axum::serve(listener, router).with_graceful_shutdown(until).await;
    if let Err(error) = served {
        tracing::error!(%error, "the peer listener ended");
    }
}
