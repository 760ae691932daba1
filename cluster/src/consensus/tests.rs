//! What cannot be seen from outside the crate, on real nodes.

use super::bootstrap;
use super::message::{BootAskV1, BootPrepareV1};
use super::node::Node;
use crate::{Cluster, ClusterSecret, Config, Founding, Tuning, Unavailable};
use ledger::command::{DeleteBudget, InitCluster, PutBudget};
use ledger::{Budget, BudgetWindow, Command, Outcome, Sealed, Unit, UnixMillis, Window};
use openraft::async_runtime::watch::WatchReceiver;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn secret(byte: u8) -> ClusterSecret {
    ClusterSecret::from_bytes([byte; 32])
}

/// A node on loopback with ports of its own; without seeds it founds a cluster of one.
pub(super) async fn started(label: &str, seeds: Vec<String>, expect: Option<u32>) -> Started {
    let dir = tempfile::tempdir().unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let sealed = Sealed { kek_id: [0; 8], nonce: [0; 24], ciphertext: vec![0; 48] };
    let config = Config {
        data_dir: dir.path().to_owned(),
        cluster_name: "test".to_owned(),
        label: label.to_owned(),
        peer_listen: any,
        peer_advertise: any.to_string(),
        gossip_listen: any,
        gossip_advertise: any,
        seeds,
        bootstrap_expect: expect,
        secret: secret(7),
        public: std::collections::BTreeMap::new(),
        founding: Founding {
            init_cluster: Box::new(move |cluster_id| InitCluster {
                cluster_id: cluster_id.to_owned(),
                key_pepper: sealed.clone(),
            }),
        },
        service: None,
        tuning: Tuning { gossip_interval: Duration::from_millis(50), ..Tuning::default() },
    };
    let cluster = Cluster::start(config).await.unwrap();
    Started { cluster, _dir: dir }
}

pub(super) struct Started {
    pub(super) cluster: Cluster,
    _dir: TempDir,
}

impl Started {
    pub(super) fn node(&self) -> &Arc<Node> {
        &self.cluster.inner.node
    }

    pub(super) async fn ready(self) -> Started {
        let mut changes = self.cluster.changes();
        while !self.cluster.status().ready() {
            timeout(PATIENCE, changes.changed()).await.unwrap().unwrap();
        }
        self
    }
}

fn budget(number: usize) -> Budget {
    Budget {
        name: format!("b{number}"),
        unit: Unit::Tokens,
        windows: vec![BudgetWindow { window: Window::Never, limit: 1_000 }],
        managed_by: "api:test".to_owned(),
        ..Budget::default()
    }
}

/// A budget of one window that never starts anew.
fn put(budget: Budget) -> PutBudget {
    PutBudget { budget, if_index: None, periods: vec![(UnixMillis(0), None)] }
}

async fn put_budget(cluster: &Cluster, number: usize) {
    let command = Command::PutBudget(put(budget(number)));
    assert_eq!(cluster.propose(command).await.unwrap().outcome, Outcome::Done);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_comes_after_the_log_was_cut_gets_the_snapshot_in_pieces() {
    let first = started("n1", Vec::new(), None).await.ready().await;
    for number in 0..20 {
        put_budget(&first.cluster, number).await;
    }
    let raft = first.node().raft().unwrap();
    raft.trigger().snapshot().await.unwrap();
    let mut metrics = raft.metrics();
    while metrics.borrow_watched().snapshot.is_none() {
        timeout(PATIENCE, metrics.changed()).await.unwrap().unwrap();
    }
    let covered = metrics.borrow_watched().snapshot.unwrap().index;
    raft.trigger().purge_log(covered).await.unwrap();
    while metrics.borrow_watched().purged.is_none() {
        timeout(PATIENCE, metrics.changed()).await.unwrap().unwrap();
    }
    put_budget(&first.cluster, 20).await;
    let seeds = vec![first.node().gossip.advertised().to_string()];
    let second = started("n2", seeds, None).await.ready().await;
    let index = second.cluster.read_index().await.unwrap();
    first.cluster.wait_applied(index, PATIENCE).await.unwrap();
    assert_eq!(second.cluster.ledger().budgets, first.cluster.ledger().budgets);
    let installed = second.node().raft().unwrap().metrics().borrow_watched().snapshot;
    assert_eq!(installed.map(|id| id.index), Some(covered));
    first.cluster.shutdown().await;
    second.cluster.shutdown().await;
}

fn prepare(cluster_id: &str, members: &[&str]) -> BootPrepareV1 {
    BootPrepareV1 {
        cluster_id: cluster_id.to_owned(),
        expect: u32::try_from(members.len()).unwrap(),
        members: members.iter().map(ToString::to_string).collect(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_promises_to_take_part_in_one_founding_only() {
    let seeds = vec!["127.0.0.1:1".to_owned()];
    let alone = started("n1", seeds, Some(2)).await;
    let node = alone.node();
    let me = node.identity.node_uuid();
    let asks = |asked| bootstrap::promise(node, asked);
    assert!(asks(prepare("c", &["0", "1"])).await.is_err(), "it is not among them");
    assert!(asks(prepare("c", &["0", "1", &me])).await.is_err(), "it expects two");
    assert!(!bootstrap::knows(node, &BootAskV1 { cluster_id: "c".to_owned() }).alive);
    asks(prepare("c", &["0", &me])).await.unwrap();
    asks(prepare("c", &["0", &me])).await.unwrap();
    assert!(bootstrap::knows(node, &BootAskV1 { cluster_id: "c".to_owned() }).alive);
    assert!(asks(prepare("d", &["0", &me])).await.is_err());
    assert!(asks(prepare("c", &["1", &me])).await.is_err());
    // The one who asked is not there to say that nothing came of it, so the promise stands.
    let mut changes = alone.cluster.changes();
    while !node.phase().contains("promised 0 to found a cluster and does not hear it") {
        timeout(PATIENCE, changes.changed()).await.unwrap().unwrap();
    }
    assert_eq!(node.identity.boot_promise().unwrap().cluster_id, "c");
    alone.cluster.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_promises_nothing() {
    let member = started("n1", Vec::new(), None).await.ready().await;
    let me = member.node().identity.node_uuid();
    let refused = bootstrap::promise(member.node(), prepare("c", &[&me])).await.unwrap_err();
    assert!(refused.say.contains("belongs to cluster"), "{refused}");
    member.cluster.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_opens_the_periods_that_are_due() {
    let alone = started("n1", Vec::new(), None).await.ready().await;
    let raft = alone.node().raft().unwrap();
    let minute_ms = 60_000;
    let budget = Budget {
        windows: vec![BudgetWindow { window: Window::Fixed(minute_ms), limit: 1_000 }],
        ..budget(0)
    };
    // Proposed by a clock of the past, so its first period is over.
    let at = UnixMillis(super::proposals::unix_ms() - 3 * minute_ms);
    let periods = vec![(at, Some(UnixMillis(at.0 + minute_ms)))];
    let written = raft.client_write(storage::Proposal {
        at,
        command: Command::PutBudget(PutBudget { budget, if_index: None, periods }),
    });
    let handle = written.await.unwrap().data.index;
    let account = ledger::AccountId { budget: handle, window: 0 };
    let mut config = alone.cluster.config_index();
    let admits_until = |cluster: &Cluster| {
        let ledger = cluster.ledger();
        ledger.accounts.get(&account)?.present()?.ends_at
    };
    let now = UnixMillis(super::proposals::unix_ms());
    while admits_until(&alone.cluster).is_none_or(|ends_at| ends_at < now) {
        timeout(PATIENCE, config.changed()).await.unwrap().unwrap();
    }
    assert_eq!(alone.cluster.ledger().accounts.get(&account).unwrap().periods.size(), 2);
    alone.cluster.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_short_of_disk_takes_no_configuration_and_lets_go_of_some() {
    let alone = started("n1", Vec::new(), None).await.ready().await;
    put_budget(&alone.cluster, 0).await;
    alone.node().short_of_disk.store(true, Ordering::Relaxed);
    let more = Command::PutBudget(put(budget(1)));
    let refused = alone.cluster.propose(more).await;
    assert!(matches!(refused, Err(Unavailable::NoRoom(_))), "{refused:?}");
    let name = "b0".to_owned();
    let less = DeleteBudget { name, managed_by: "api:test".to_owned(), if_index: None };
    let deleted = alone.cluster.propose(Command::DeleteBudget(less)).await;
    assert_eq!(deleted.unwrap().outcome, Outcome::Done);
    alone.cluster.shutdown().await;
}

#[test]
fn consensus_is_set_so_that_no_acknowledged_write_is_lost() {
    let config = storage::raft_config();
    assert_eq!(config.enable_leader_restore, Some(false));
    assert_eq!(config.enable_pre_vote, Some(true));
    assert_eq!(config.allow_log_reversion, None);
}
