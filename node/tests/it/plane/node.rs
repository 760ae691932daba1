//! A cluster of one with its data plane, on loopback, in a directory of its own.

use bursar::credential::Env;
use bursar::health::Health;
use bursar::metrics::Metrics;
use bursar::plane::{InFlight, Means, Plane, PlaneSettings, Shared};
use bursar::receipts::Receipts;
use bursar::vault::Vault;
use bursar::virtual_key;
use cluster::{Cluster, ClusterSecret, Config, Founding, PeerService, Tuning};
use ledger::command::{InitCluster, PutAlias, PutBudget, PutKey, PutProvider, PutScope, RevokeKey};
use ledger::{
    Alias, Budget, BudgetWindow, Command, Credential, Mode, Model, Outcome, Overrides, Price,
    Provider, RateLimits, Scope, ScopeId, ScopeKind, StreamUsage, Target, Unit, UnixMillis,
    Unpriced, VirtualKey, Window,
};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// Longest wait for anything that must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// What the model `m` costs: $1 and $4 per million tokens.
pub(crate) const PRICE: Price = Price {
    input_nano_usd_per_mtok: 1_000_000_000,
    output_nano_usd_per_mtok: 4_000_000_000,
    cache_read_nano_usd_per_mtok: None,
    cache_write_nano_usd_per_mtok: None,
    request_nano_usd: 0,
    rates: Vec::new(),
};
/// One dollar.
pub(crate) const USD: i64 = 1_000_000_000;

/// Waits until `holds` does, asking now and then.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        let mut every = tokio::time::interval(Duration::from_millis(5));
        while !holds() {
            every.tick().await;
        }
    };
    let outcome = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(outcome.is_ok(), "never came to pass: {what}");
}

pub(crate) struct TestNode {
    pub(crate) cluster: Cluster,
    pub(crate) addr: SocketAddr,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) health: Arc<Health>,
    vault: Vault,
    plane: Plane,
    _dir: TempDir,
}

impl TestNode {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut PlaneSettings)) -> Self {
        Self::start_on(Arc::new(|_| None), change).await
    }

    /// On a machine that says this of itself.
    pub(crate) async fn start_on(env: Env, change: impl FnOnce(&mut PlaneSettings)) -> Self {
        if let Ok(filter) = std::env::var("BURSAR_TEST_LOG") {
            bursar::telemetry::start(&filter, bursar::telemetry::Format::Text);
        }
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::new([7; 32]);
        let receipts = Receipts::open(dir.path(), "n1");
        let mut config = config(&dir, vault.clone());
        let service: Arc<dyn PeerService> = Arc::<Receipts>::clone(&receipts);
        config.service = Some(service);
        let cluster = Cluster::start(config).await.unwrap();
        let health = Arc::new(Health::new(cluster.clone()));
        let metrics = Metrics::new();
        let mut settings = PlaneSettings {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            threads: 2,
            ..PlaneSettings::default()
        };
        change(&mut settings);
        let means = Means {
            cluster: cluster.clone(),
            vault: vault.clone(),
            health: Arc::clone(&health),
            metrics: Arc::clone(&metrics),
            receipts,
            env,
        };
        let plane = Plane::start(Shared::new(means, settings).unwrap()).unwrap();
        health.set_started();
        until("the node is ready", || health.ready().ok()).await;
        Self { addr: plane.local_addr(), cluster, metrics, health, vault, plane, _dir: dir }
    }

    pub(crate) async fn propose(&self, command: Command) {
        let committed = self.cluster.propose(command).await.unwrap();
        assert_eq!(committed.outcome, Outcome::Done);
        self.cluster.wait_applied(committed.index, PATIENCE).await.unwrap();
    }

    /// A provider `name` that serves the model `m`.
    pub(crate) async fn provider(&self, name: &str, base_url: &str) {
        self.provider_with(name, base_url, |_| ()).await;
    }

    pub(crate) async fn provider_with(
        &self,
        name: &str,
        base_url: &str,
        change: impl FnOnce(&mut Provider),
    ) {
        let sealed = self.vault.seal(&format!("credential:{name}/main"), b"sk-upstream");
        let mut provider = Provider {
            name: name.to_owned(),
            kind: "openai-compatible".to_owned(),
            base_url: base_url.to_owned(),
            credentials: vec![Credential {
                name: "main".to_owned(),
                weight: 1,
                secret: Some(sealed),
            }],
            overrides: Overrides::default(),
            models: vec![Model {
                name: "m".to_owned(),
                price: Some(PRICE),
                output_tokens_max: Some(4_096),
                ..Model::default()
            }],
            unpriced: Unpriced::Deny,
            stream_usage: StreamUsage::Ask,
            timeout_ms: 5_000,
            attempts_max: 1,
            allow_private_network: true,
            enabled: true,
            managed_by: "api:test".to_owned(),
            changed_index: 0,
        };
        change(&mut provider);
        self.propose(Command::PutProvider(PutProvider { provider, if_index: None })).await;
    }

    pub(crate) async fn alias(&self, name: &str, targets: &[(&str, u32)]) {
        let target = |(provider, weight): &(&str, u32)| Target {
            provider: (*provider).to_owned(),
            model: "m".to_owned(),
            weight: *weight,
        };
        let alias = Alias {
            name: name.to_owned(),
            targets: targets.iter().map(target).collect(),
            managed_by: "api:test".to_owned(),
            changed_index: 0,
        };
        self.propose(Command::PutAlias(PutAlias { alias, if_index: None })).await;
    }

    /// A budget of one window that never starts anew.
    pub(crate) async fn budget(&self, name: &str, unit: Unit, limit: i64) {
        self.budget_with(name, unit, limit, Mode::Hard).await;
    }

    pub(crate) async fn budget_with(&self, name: &str, unit: Unit, limit: i64, mode: Mode) {
        self.budget_of(name, limit, |budget| (budget.unit, budget.mode) = (unit, mode)).await;
    }

    /// A budget in money of one window that never starts anew, with changes.
    pub(crate) async fn budget_of(&self, name: &str, limit: i64, change: impl FnOnce(&mut Budget)) {
        let mut budget = Budget {
            name: name.to_owned(),
            windows: vec![BudgetWindow { window: Window::Never, limit }],
            managed_by: "api:test".to_owned(),
            ..Budget::default()
        };
        change(&mut budget);
        let periods = Vec::new();
        self.propose(Command::PutBudget(PutBudget { budget, if_index: None, periods })).await;
    }

    /// A key charged to a budget of its own of so many nano-USD; the whole key.
    pub(crate) async fn key(&self, name: &str, nano_usd: i64) -> String {
        let budget = format!("{name}-budget");
        self.budget(&budget, Unit::NanoUsd, nano_usd).await;
        self.key_with(name, |key| key.budgets = vec![budget]).await
    }

    pub(crate) async fn key_with(
        &self,
        name: &str,
        change: impl FnOnce(&mut VirtualKey),
    ) -> String {
        let new = virtual_key::generate();
        let pepper = self.cluster.ledger().key_pepper.clone();
        let pepper = self.vault.pepper(pepper.as_ref()).unwrap();
        let mut key = VirtualKey {
            id: new.id.clone(),
            name: name.to_owned(),
            hash: virtual_key::hash(pepper.expose(), new.key.expose()),
            enabled: true,
            managed_by: "api:test".to_owned(),
            ..VirtualKey::default()
        };
        change(&mut key);
        self.propose(Command::PutKey(PutKey { key, if_index: None })).await;
        new.key.expose().to_owned()
    }

    /// A customer, team or user.
    pub(crate) async fn scope_with(
        &self,
        kind: ScopeKind,
        name: &str,
        change: impl FnOnce(&mut Scope),
    ) -> ScopeId {
        let id = ScopeId { kind, name: name.to_owned() };
        let mut scope = Scope {
            id: id.clone(),
            parent: None,
            budgets: Vec::new(),
            limits: RateLimits::default(),
            narrowed: Vec::new(),
            labels: BTreeMap::new(),
            managed_by: "api:test".to_owned(),
            created_at: UnixMillis(0),
            changed_index: 0,
        };
        change(&mut scope);
        self.propose(Command::PutScope(PutScope { scope, if_index: None })).await;
        id
    }

    /// Spent on a budget as the ledger knows it, over all its instances.
    pub(crate) fn reported(&self, budget: &str) -> i64 {
        let ledger = self.cluster.ledger();
        let of_it = |account: &&ledger::Account| account.budget == budget;
        let accounts = ledger.accounts.values().filter(of_it);
        accounts.filter_map(|account| Some(account.present()?.spent())).sum()
    }

    pub(crate) async fn revoke(&self, name: &str) {
        self.propose(Command::RevokeKey(RevokeKey { name: name.to_owned(), if_index: None })).await;
    }

    pub(crate) fn in_flight(&self) -> InFlight {
        self.plane.in_flight()
    }

    /// Waits until nothing is in flight or held, and says what has been spent on the one budget there is.
    pub(crate) async fn spent(&self) -> i64 {
        until("all requests are settled", || {
            let held: i64 = self.cluster.allowances().snapshot().iter().map(|p| p.held).sum();
            held == 0 && self.in_flight() == InFlight::default()
        })
        .await;
        assert_eq!(self.cluster.allowances().counts().dropped_holds, 0);
        self.cluster.allowances().snapshot().iter().map(|purse| purse.settled).sum()
    }

    /// Stops the plane; nothing may be left over.
    pub(crate) async fn stop(self) {
        let cut = self.plane.finish(Duration::from_secs(5)).await;
        self.cluster.shutdown().await;
        assert_eq!(cut, InFlight::default(), "requests were left");
    }

    /// Stops the plane at once, and says what was cut.
    pub(crate) async fn cut(self, within: Duration) -> (InFlight, Cluster) {
        (self.plane.finish(within).await, self.cluster)
    }
}

fn config(dir: &TempDir, vault: Vault) -> Config {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    Config {
        data_dir: dir.path().to_owned(),
        cluster_name: "test".to_owned(),
        label: "one".to_owned(),
        peer_listen: any,
        peer_advertise: "127.0.0.1:0".to_owned(),
        gossip_listen: any,
        gossip_advertise: any,
        seeds: Vec::new(),
        bootstrap_expect: None,
        secret: ClusterSecret::from_bytes([9; 32]),
        public: BTreeMap::new(),
        founding: Founding {
            init_cluster: Box::new(move |id| InitCluster {
                cluster_id: id.to_owned(),
                key_pepper: vault.seal_new_pepper(),
            }),
        },
        tuning: Tuning::default(),
        service: None,
    }
}
