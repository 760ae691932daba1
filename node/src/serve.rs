//! One node from start to end: build, serve, drain.

use crate::admin::{InFlight, Listener, Node, Parts};
use crate::catalog::Catalog;
use crate::config::{Config, Drain, Keys, LogFormat};
use crate::health::Health;
use crate::metrics::Metrics;
use crate::plane::{Means, Plane, PlaneSettings, Shared};
use crate::receipts::Receipts;
use crate::telemetry;
use crate::vault::{Secret, Vault};
use crate::webhooks::{Courier, Post};
use anyhow::Context;
use cluster::{Cluster, ClusterSecret, Founding, PeerService};
use ledger::command::InitCluster;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// How long leadership may take to move, and allowances to go back.
const LEAVE_WITHIN: Duration = Duration::from_secs(10);
/// How often the drain looks at what is still in flight.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How often it says so.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// Serves until `stop` resolves or an operator asks the node to leave; then drains.
///
/// # Errors
///
/// What kept the node from starting.
pub async fn run(config: Config, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    telemetry::start(
        &config.log.level,
        match config.log.format {
            LogFormat::Text => telemetry::Format::Text,
            LogFormat::Json => telemetry::Format::Json,
        },
    );
    let running = Running::start(config).await?;
    tokio::select! {
        () = stop => tracing::info!("told to stop"),
        () = running.node.drain_asked() => tracing::info!("asked to leave"),
    }
    running.drain().await;
    Ok(())
}

/// The plane, until it is finished.
type SharedPlane = Arc<Mutex<Option<Plane>>>;

/// A node that serves.
pub struct Running {
    /// Its place in the cluster.
    pub cluster: Cluster,
    /// Where callers reach it.
    pub data_addr: SocketAddr,
    /// Where operators reach it.
    pub admin_addr: SocketAddr,
    /// The token that admits operators.
    pub admin_token: Secret,
    node: Arc<Node>,
    plane: SharedPlane,
    health: Arc<Health>,
    drain: Drain,
    admin: Listener,
    courier: Courier,
    receipts: Arc<Receipts>,
}

impl Running {
    /// Opens everything. Returns once callers and operators can connect; whether the node is ready is
    /// for `/readyz` to say.
    ///
    /// # Errors
    ///
    /// What kept the node from starting.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        let keys = Keys::gather(&config)?;
        for path in &keys.drawn {
            tracing::info!(path = %path.display(), "secret drawn");
        }
        let vault = Vault::new(*keys.key_encryption);
        let admin_listener = TcpListener::bind(config.admin.listen)
            .await
            .with_context(|| format!("cannot listen on {} for operators", config.admin.listen))?;
        let admin_addr = admin_listener.local_addr()?;
        let receipts = Receipts::open(&config.data_dir, &config.label);
        let mut cluster_config = cluster_config(&config, &keys, vault.clone(), admin_addr).await?;
        let service: Arc<dyn PeerService> = Arc::<Receipts>::clone(&receipts);
        cluster_config.service = Some(service);
        let cluster = Cluster::start(cluster_config).await?;
        let health = Arc::new(Health::new(cluster.clone()));
        let metrics = Metrics::new();
        metrics.show_tenants(config.metrics.tenant_labels);
        let means = Means {
            cluster: cluster.clone(),
            vault: vault.clone(),
            health: Arc::clone(&health),
            metrics: Arc::clone(&metrics),
            receipts: Arc::clone(&receipts),
            env: crate::credential::env(),
        };
        let shared = Shared::new(means, plane_settings(&config))?;
        let doors = shared.doors();
        let plane = Plane::start(shared)
            .with_context(|| format!("cannot listen on {} for callers", config.listen))?;
        let data_addr = plane.local_addr();
        let plane: SharedPlane = Arc::new(Mutex::new(Some(plane)));
        let (of_plane, of_cluster) = (Arc::clone(&plane), cluster.clone());
        let post = Post::new(config.http.extra_root_certificates.as_deref())?;
        let courier_vault = vault.clone();
        let parts = Parts {
            cluster: cluster.clone(),
            vault,
            catalog: Catalog::built_in(),
            health: Arc::clone(&health),
            metrics: Arc::new(move || metrics.render(&of_cluster)),
            in_flight: Box::new(move || in_flight(&of_plane)),
            doors,
            label: config.label.clone(),
            base_url: base_url(&config, data_addr),
            admin_url: admin_url(&config, admin_addr),
            post: post.clone(),
        };
        let courier = Courier::start(cluster.clone(), courier_vault, post);
        let node = Arc::new(Node::new(parts, &keys.admin_token));
        let admin = Listener::start(admin_listener, api::admin::router(Arc::clone(&node)));
        health.set_started();
        tracing::info!(callers = %data_addr, operators = %admin_addr, label = config.label, "serving");
        Ok(Self {
            cluster,
            data_addr,
            admin_addr,
            admin_token: keys.admin_token,
            node,
            plane,
            health,
            drain: config.drain,
            admin,
            courier,
            receipts,
        })
    }

    /// Leaves politely: readiness off and leadership away at once, a grace for balancers, requests in
    /// flight finish, allowances go back.
    pub async fn drain(self) {
        self.health.set_draining();
        self.cluster.announce_draining();
        let grace = tokio::time::sleep(self.drain.delay);
        self.hand_over_leadership().await;
        tracing::info!(delay_ms = self.drain.delay.as_millis() as u64, "draining");
        grace.await;
        self.finish_requests().await;
        self.cluster.leave_politely(LEAVE_WITHIN).await;
        // The ledger has heard of everything by now.
        self.receipts.complete().await;
        // An operator's connection that does not end is no reason to stay.
        self.admin.finish(LEAVE_WITHIN).await;
        self.courier.finish().await;
        self.cluster.shutdown().await;
        tracing::info!("stopped");
    }

    /// Before the grace, so that nobody waits for an election when the node goes.
    async fn hand_over_leadership(&self) {
        let status = self.cluster.status();
        if status.voters.len() < 2 || status.leader != status.raft_id {
            return;
        }
        match timeout(LEAVE_WITHIN, self.cluster.transfer_leader(None)).await {
            Ok(Ok(leader)) => tracing::info!(leader, "leadership moved"),
            Ok(Err(error)) => tracing::warn!(%error, "leadership did not move"),
            Err(_) => tracing::warn!("leadership did not move in time"),
        }
    }

    async fn finish_requests(&self) {
        let deadline = Instant::now() + self.drain.timeout;
        if let Some(plane) = &*lock(&self.plane) {
            plane.stop_accepting();
        }
        self.wait_for_requests(deadline).await;
        let plane = lock(&self.plane).take();
        if let Some(plane) = plane {
            let left = deadline.saturating_duration_since(Instant::now());
            let cut = plane.finish(left).await;
            if cut.requests > 0 {
                tracing::warn!(
                    requests = cut.requests,
                    streams = cut.streams,
                    "cut at the end of drain.timeout"
                );
            }
        }
    }

    /// Waits while the plane can still be asked how much is left.
    async fn wait_for_requests(&self, deadline: Instant) {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut said = Instant::now();
        loop {
            looks.tick().await;
            let InFlight { requests, streams } = in_flight(&self.plane);
            let now = Instant::now();
            if requests == 0 || now >= deadline {
                return;
            }
            if now - said >= SAY_EVERY {
                said = now;
                tracing::info!(requests, streams, "waiting for requests in flight");
            }
        }
    }
}

async fn cluster_config(
    config: &Config,
    keys: &Keys,
    vault: Vault,
    admin_addr: SocketAddr,
) -> anyhow::Result<cluster::Config> {
    let public = [
        ("base_url", base_url(config, config.listen)),
        ("admin_url", admin_url(config, admin_addr)),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let init_cluster = move |cluster_id: &str| InitCluster {
        cluster_id: cluster_id.to_owned(),
        key_pepper: vault.seal_new_pepper(),
    };
    Ok(cluster::Config {
        data_dir: config.data_dir.clone(),
        cluster_name: config.cluster_name.clone(),
        label: config.label.clone(),
        peer_listen: config.peer.listen,
        peer_advertise: config.peer.advertise.clone(),
        gossip_listen: config.gossip.listen,
        gossip_advertise: look_up(&config.gossip.advertise).await?,
        seeds: config.seeds.clone(),
        bootstrap_expect: config.bootstrap_expect,
        secret: ClusterSecret::from_bytes(*keys.cluster),
        public: BTreeMap::from(public.map(|(name, value)| (name.to_owned(), value))),
        founding: Founding { init_cluster: Box::new(init_cluster) },
        service: None,
        tuning: cluster::Tuning::default(),
    })
}

/// The address of `host:port`; of several the first, IPv4 before IPv6.
async fn look_up(host: &str) -> anyhow::Result<SocketAddr> {
    let found = tokio::net::lookup_host(host).await;
    let found = found.with_context(|| format!("gossip.advertise: cannot look up {host}"))?;
    found
        .min_by_key(SocketAddr::is_ipv6)
        .with_context(|| format!("gossip.advertise: {host} has no address"))
}

fn plane_settings(config: &Config) -> PlaneSettings {
    PlaneSettings {
        listen: config.listen,
        threads: config.threads,
        node_name: config.label.clone(),
        body_bytes_max: config.http.body_bytes_max as u64,
        upload_bytes_max: config.http.upload_bytes_max as u64,
        response_headers: config.http.response_headers,
        exceeded_status: config.http.budget_exceeded_status,
        extra_roots: config.http.extra_root_certificates.clone(),
        ..PlaneSettings::default()
    }
}

fn base_url(config: &Config, addr: SocketAddr) -> String {
    config.base_url.clone().unwrap_or_else(|| url(addr, &config.label))
}

fn admin_url(config: &Config, addr: SocketAddr) -> String {
    config.admin.url.clone().unwrap_or_else(|| url(addr, &config.label))
}

/// A URL for people and scripts; where the node listens on all addresses, its label is its host name.
fn url(addr: SocketAddr, label: &str) -> String {
    match addr.ip().is_unspecified() {
        true => format!("http://{label}:{}", addr.port()),
        false => format!("http://{addr}"),
    }
}

fn in_flight(plane: &SharedPlane) -> InFlight {
    lock(plane).as_ref().map(Plane::in_flight).map_or_else(InFlight::default, |busy| InFlight {
        requests: busy.requests,
        streams: busy.streams,
    })
}

/// A panic elsewhere must not keep the node from leaving.
fn lock(plane: &SharedPlane) -> std::sync::MutexGuard<'_, Option<Plane>> {
    plane.lock().unwrap_or_else(PoisonError::into_inner)
}
