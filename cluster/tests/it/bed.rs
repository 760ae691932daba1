//! The test bed: nodes with directories and ports of their own, and waiting without sleeping.

#![expect(clippy::unwrap_used, reason = "a test bed that cannot be made fails the test")]

use cluster::{
    Cluster, ClusterSecret, Committed, Config, Founding, PeerService, StartError, Status, Tuning,
};
use futures_util::future::BoxFuture;
use ledger::command::{InitCluster, PutBudget};
use ledger::{Budget, BudgetWindow, Command, Outcome, Sealed, UnixMillis, Window};
use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// One node's place on disk and in the network, started or not.
pub(crate) struct Seat {
    pub(crate) label: String,
    pub(crate) gossip: SocketAddr,
    pub(crate) seeds: Vec<String>,
    pub(crate) expect: Option<u32>,
    pub(crate) secret: ClusterSecret,
    pub(crate) tuning: Tuning,
    /// Where its peers reach it, if not directly.
    pub(crate) way: Option<Way>,
    dir: TempDir,
}

/// A way to a node's peer listener that can be cut.
#[derive(Clone)]
pub(crate) struct Way {
    pub(crate) addr: SocketAddr,
    target: SocketAddr,
    open: watch::Sender<bool>,
    /// Connections stay, and nothing comes through.
    hushed: watch::Sender<bool>,
}

impl Way {
    pub(crate) async fn open() -> Way {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let way = Way {
            addr: listener.local_addr().unwrap(),
            target: free.local_addr().unwrap(),
            open: watch::Sender::new(true),
            hushed: watch::Sender::new(false),
        };
        tokio::spawn(way.clone().carry(listener));
        way
    }

    async fn carry(self, listener: TcpListener) {
        while let Ok((mut from, _)) = listener.accept().await {
            let (mut open, mut hushed) = (self.open.subscribe(), self.hushed.subscribe());
            let target = self.target;
            tokio::spawn(async move {
                if !*open.borrow() {
                    return;
                }
                let Ok(mut to) = TcpStream::connect(target).await else {
                    return;
                };
                tokio::select! {
                    _ = copy_bidirectional(&mut from, &mut to) => return,
                    _ = open.wait_for(|open| !*open) => return,
                    _ = hushed.wait_for(|hushed| *hushed) => {}
                }
                // Neither end hears that the other has gone.
                drop(hushed.wait_for(|hushed| !*hushed).await);
            });
        }
    }

    pub(crate) fn cut(&self) {
        self.open.send_replace(false);
    }

    pub(crate) fn hush(&self) {
        self.hushed.send_replace(true);
    }

    pub(crate) fn mend(&self) {
        self.open.send_replace(true);
    }
}

pub(crate) fn quick() -> Tuning {
    Tuning {
        gossip_interval: Duration::from_millis(50),
        bootstrap_settle: Duration::from_millis(300),
        promote_after: Duration::from_millis(300),
        settle_after_election: Duration::from_millis(300),
        ..Tuning::default()
    }
}

/// A port that stays free while its node is down: from below those the system gives out by itself.
fn free_gossip_port() -> SocketAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id() * 61 + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(10_000 + number % 20_000).unwrap();
        let addr = SocketAddr::from(([127, 0, 0, 1], port));
        if UdpSocket::bind(addr).is_ok() {
            return addr;
        }
    }
}

/// Seats that know each other as seeds and expect so many founders.
pub(crate) fn seats(count: usize, expect: Option<u32>) -> Vec<Seat> {
    let mut seats: Vec<Seat> =
        (1..=count).map(|number| seat(&format!("n{number}"), &[], expect)).collect();
    let seeds: Vec<String> = seats.iter().map(|seat| seat.gossip.to_string()).collect();
    for seat in &mut seats {
        seat.seeds.clone_from(&seeds);
    }
    seats
}

/// One seat more.
pub(crate) fn seat(label: &str, seeds: &[String], expect: Option<u32>) -> Seat {
    Seat {
        label: label.to_owned(),
        gossip: free_gossip_port(),
        seeds: seeds.to_vec(),
        expect,
        secret: ClusterSecret::from_bytes([7; 32]),
        tuning: quick(),
        way: None,
        dir: tempfile::tempdir().unwrap(),
    }
}

/// Says what it was asked, backwards; knows one topic.
struct Echo;

impl PeerService for Echo {
    fn answer(&self, topic: &str, mut body: Vec<u8>) -> BoxFuture<'_, Option<Vec<u8>>> {
        let known = topic == "echo";
        body.reverse();
        Box::pin(async move { known.then_some(body) })
    }
}

impl Seat {
    pub(crate) async fn try_start(&self) -> Result<Cluster, StartError> {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let sealed = Sealed { kek_id: [0; 8], nonce: [0; 24], ciphertext: vec![0; 48] };
        let public = BTreeMap::from([("base_url".to_owned(), format!("http://{}", self.label))]);
        Cluster::start(Config {
            data_dir: self.dir.path().to_owned(),
            cluster_name: "test".to_owned(),
            label: self.label.clone(),
            peer_listen: self.way.as_ref().map_or(any, |way| way.target),
            peer_advertise: self.way.as_ref().map_or(any, |way| way.addr).to_string(),
            gossip_listen: self.gossip,
            gossip_advertise: self.gossip,
            seeds: self.seeds.clone(),
            bootstrap_expect: self.expect,
            secret: self.secret.clone(),
            public,
            founding: Founding {
                init_cluster: Box::new(move |cluster_id| InitCluster {
                    cluster_id: cluster_id.to_owned(),
                    key_pepper: sealed.clone(),
                }),
            },
            service: Some(Arc::new(Echo)),
            tuning: self.tuning.clone(),
        })
        .await
    }

    /// Loses what the last life wrote down of its spend.
    pub(crate) fn lose_journal(&self) {
        std::fs::remove_dir_all(self.dir.path().join("journal")).unwrap();
    }

    /// Loses the disk.
    pub(crate) fn wipe(&mut self) {
        self.dir = tempfile::tempdir().unwrap();
    }

    /// Starts the node. A life before this one may take a moment to let go of directory and port.
    pub(crate) async fn start(&self) -> Cluster {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.try_start().await {
                Ok(cluster) => return cluster,
                Err(error) => {
                    let taken = error.to_string().contains("in use");
                    assert!(
                        taken && Instant::now() < until,
                        "{} did not start: {error}",
                        self.label
                    );
                }
            }
            tokio::task::yield_now().await;
        }
    }
}

pub(crate) async fn start_all(seats: &[Seat]) -> Vec<Cluster> {
    let mut nodes = Vec::new();
    for seat in seats {
        nodes.push(seat.start().await);
    }
    nodes
}

/// Starts so many nodes and waits until they are one cluster.
pub(crate) async fn formed(count: usize) -> (Vec<Seat>, Vec<Cluster>) {
    let seats = seats(count, Some(u32::try_from(count).unwrap()));
    let nodes = start_all(&seats).await;
    for node in &nodes {
        ready(node).await;
    }
    (seats, nodes)
}

/// Waits until a node's status is as wished.
pub(crate) async fn until(node: &Cluster, what: &str, wished: impl Fn(&Status) -> bool) -> Status {
    let deadline = Instant::now() + PATIENCE;
    let mut changes = node.changes();
    loop {
        changes.mark_unchanged();
        let status = node.status();
        if wished(&status) {
            return status;
        }
        // Some of what a status says comes without a change that is told: look again now and then.
        let look_again = deadline.min(Instant::now() + Duration::from_millis(250));
        let _ = timeout_at(look_again, changes.changed()).await;
        assert!(
            Instant::now() < deadline,
            "not {what}: {:#?} {:#?}",
            node.status(),
            node.members()
        );
    }
}

pub(crate) async fn ready(node: &Cluster) -> Status {
    until(node, "ready", Status::ready).await
}

/// The index of the node that leads, once all agree on it.
pub(crate) async fn leader(nodes: &[Cluster]) -> usize {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let status = until(&nodes[0], "led", |status| status.leader.is_some()).await;
        let found = nodes.iter().position(|node| node.status().raft_id == status.leader);
        let agreed = nodes.iter().all(|node| node.status().leader == status.leader);
        if let (Some(found), true) = (found, agreed) {
            return found;
        }
        let mut changes = nodes[0].changes();
        let _ = timeout_at(Instant::now() + Duration::from_millis(100), changes.changed()).await;
        assert!(Instant::now() < deadline, "no leader all agree on");
    }
}

/// A write that can be told from others.
pub(crate) fn budget(name: &str) -> Command {
    Command::PutBudget(PutBudget {
        budget: Budget {
            name: name.to_owned(),
            windows: vec![BudgetWindow { window: Window::Never, limit: 1_000 }],
            managed_by: "api:test".to_owned(),
            ..Budget::default()
        },
        if_index: None,
        periods: vec![(UnixMillis(0), None)],
    })
}

pub(crate) async fn put(node: &Cluster, name: &str) -> Committed {
    let committed = node.propose(budget(name)).await.unwrap();
    assert_eq!(committed.outcome, Outcome::Done);
    committed
}

pub(crate) fn has(node: &Cluster, name: &str) -> bool {
    node.ledger().budgets.contains_key(name)
}

pub(crate) async fn stop_all(nodes: &[Cluster]) {
    for node in nodes {
        node.shutdown().await;
    }
}
