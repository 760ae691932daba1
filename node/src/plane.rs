//! The data plane: one thread per core, each with its own runtime, listener and connections.
//!
//! A request never changes thread. The control plane runs beside it on a runtime of its own, so that
//! neither can starve the other.

pub(crate) mod core;
pub(crate) mod dns;
pub(crate) mod pieces;
pub(crate) mod pool;
mod serve;
pub(crate) mod tls;
mod watch;

use crate::catalog::Catalog;
use crate::credential::{Env, Fetch, Sources};
use crate::health::Health;
use crate::metrics::Metrics;
use crate::metrics::slots::ThreadSlots;
use crate::receipts::Receipts;
use crate::request::doors::Doors;
use crate::request::instances::Openings;
use crate::request::trail::{self, Ring};
use crate::vault::Vault;
use cluster::Cluster;
use cluster::allowance::{Purse, PurseTerms};
use ledger::view::AccountTerms;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch as signal;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4_096;

/// How the data plane is set up.
#[derive(Clone, Debug)]
pub struct PlaneSettings {
    /// Where callers are heard; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Threads; zero: one per core.
    pub threads: usize,
    /// Name of this node in `x-bursar-node`.
    pub node_name: String,
    /// Largest request body, in bytes.
    pub body_bytes_max: u64,
    /// Largest file that goes through to a provider, in bytes.
    pub upload_bytes_max: u64,
    /// Longest wait for a whole request body.
    pub body_within: Duration,
    /// Longest wait for a whole request head, from its first byte. Whole seconds.
    pub head_within: Duration,
    /// How long a caller's connection may idle. Whole seconds.
    pub idle_for: Duration,
    /// How long a caller may take no byte of an answer that waits. Whole seconds.
    pub stalled_for: Duration,
    /// Longest a stream may last.
    pub stream_within: Duration,
    /// Longest wait for a connection to a provider.
    pub upstream_connect_within: Duration,
    /// How long a connection to a provider may idle and be used again.
    pub upstream_idle_for: Duration,
    /// Whether answers carry `x-bursar-*` headers.
    pub response_headers: bool,
    /// Status where a budget is spent: 402 or 429.
    pub exceeded_status: u16,
    /// A PEM file of certificates trusted beside the system's.
    pub extra_roots: Option<PathBuf>,
}

impl Default for PlaneSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            threads: 0,
            node_name: "bursar".to_owned(),
            body_bytes_max: 20 << 20,
            upload_bytes_max: 512 << 20,
            body_within: Duration::from_secs(60),
            head_within: Duration::from_secs(15),
            idle_for: Duration::from_secs(90),
            stalled_for: Duration::from_secs(120),
            stream_within: Duration::from_secs(3_600),
            upstream_connect_within: Duration::from_secs(10),
            upstream_idle_for: Duration::from_secs(55),
            response_headers: true,
            exceeded_status: 402,
            extra_roots: None,
        }
    }
}

/// What all threads of the data plane share.
pub struct Shared {
    /// The cluster this node is part of.
    pub cluster: Cluster,
    /// Opens credentials and the pepper.
    pub vault: Vault,
    /// Prices and limits of known models.
    pub catalog: &'static Catalog,
    /// How the data plane is set up.
    pub settings: PlaneSettings,
    /// Where it counts.
    pub metrics: Arc<Metrics>,
    /// What probes are told.
    pub health: Arc<Health>,
    /// Where receipts are kept.
    pub receipts: Arc<Receipts>,
    pub(crate) openings: Openings,
    pub(crate) doors: Arc<Doors>,
    pub(crate) sources: Sources,
    pub(crate) tls: Arc<rustls::ClientConfig>,
}

/// What the data plane is given by whoever starts it.
pub struct Means {
    /// The cluster this node is part of.
    pub cluster: Cluster,
    /// Opens credentials and the pepper.
    pub vault: Vault,
    /// What probes are told.
    pub health: Arc<Health>,
    /// Where it counts.
    pub metrics: Arc<Metrics>,
    /// Where receipts are kept.
    pub receipts: Arc<Receipts>,
    /// What the machine says of itself; some credentials are found there.
    pub env: Env,
}

impl Shared {
    /// Puts together what the data plane needs. Must be called within the control plane's runtime, which
    /// proposes what requests need.
    ///
    /// # Errors
    ///
    /// A file of extra trusted certificates that cannot be used.
    pub fn new(means: Means, settings: PlaneSettings) -> io::Result<Arc<Self>> {
        let Means { cluster, vault, health, metrics, receipts, env } = means;
        let doors = Arc::<Doors>::default();
        metrics.show_doors(&doors);
        let tls = tls::client_config(settings.extra_roots.as_deref())?;
        let control = tokio::runtime::Handle::current();
        Ok(Arc::new(Self {
            cluster,
            vault,
            catalog: Catalog::built_in(),
            settings,
            metrics,
            health,
            receipts,
            openings: Openings::new(control.clone()),
            doors,
            sources: Sources::new(control, Fetch::trusting(Arc::clone(&tls)), env),
            tls,
        }))
    }

    /// Which providers are passed over for now.
    pub(crate) fn doors(&self) -> Arc<Doors> {
        Arc::clone(&self.doors)
    }

    /// The purse of an account.
    pub(crate) fn purse(&self, account: &AccountTerms) -> Arc<Purse> {
        self.cluster.allowances().purse(&PurseTerms {
            account: account.account,
            period: account.period,
            unit: account.unit,
            mode: account.mode,
            limit: account.limit,
            ends_at: account.ends_at,
            without_quorum: account.without_quorum,
        })
    }
}

/// What is being answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InFlight {
    /// Requests, streams included.
    pub requests: u64,
    /// Streams.
    pub streams: u64,
}

/// How far the shutdown has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Connections are accepted.
    Open,
    /// No new ones; those that are end after the answer they are at.
    Closing,
    /// All are cut.
    Cut,
}

/// The running data plane.
pub struct Plane {
    local_addr: SocketAddr,
    stage: signal::Sender<Stage>,
    slots: Vec<Arc<ThreadSlots>>,
    /// Closed once every thread has ended.
    ended: signal::Receiver<()>,
    logger: tokio::task::JoinHandle<()>,
}

impl Plane {
    /// Opens the listeners and starts the threads. Must be called within the control plane's runtime,
    /// which writes the log.
    ///
    /// # Errors
    ///
    /// An address that cannot be listened on, a thread that cannot be started.
    pub fn start(shared: Arc<Shared>) -> io::Result<Self> {
        let threads = match shared.settings.threads {
            0 => std::thread::available_parallelism()?.get(),
            threads => threads,
        };
        probe(shared.settings.listen)?;
        let first = listen(shared.settings.listen)?;
        let local_addr = first.local_addr()?;
        let mut listeners = vec![first];
        for _ in 1..threads {
            listeners.push(listen(local_addr)?);
        }
        let (stage, _) = signal::channel(Stage::Open);
        let (alive, ended) = signal::channel(());
        let alive = Arc::new(alive);
        let mut slots = Vec::with_capacity(threads);
        let mut rings = Vec::with_capacity(threads);
        for (at, listener) in listeners.into_iter().enumerate() {
            let ring = Arc::new(Ring::default());
            let counts = shared.metrics.thread();
            rings.push(Arc::clone(&ring));
            slots.push(Arc::clone(&counts));
            let seat = serve::Seat {
                shared: Arc::clone(&shared),
                slots: counts,
                ring,
                stage: stage.subscribe(),
                alive: Arc::clone(&alive),
            };
            std::thread::Builder::new()
                .name(format!("plane-{at}"))
                .spawn(move || serve::run(seat, listener))?;
        }
        let logger = tokio::spawn(log(rings, shared, ended.clone()));
        Ok(Self { local_addr, stage, slots, ended, logger })
    }

    /// Where callers are heard.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// What is being answered now.
    #[must_use]
    pub fn in_flight(&self) -> InFlight {
        let sum = |of: fn(&ThreadSlots) -> (u64, u64)| {
            let open = |slots: &Arc<ThreadSlots>| {
                let (begun, over) = of(slots);
                begun.saturating_sub(over)
            };
            self.slots.iter().map(open).sum()
        };
        InFlight {
            requests: sum(|slots| (slots.requests_begun.get(), slots.requests_over.get())),
            streams: sum(|slots| (slots.streams_begun.get(), slots.streams_over.get())),
        }
    }

    /// Takes no more connections, and no more requests on those there are. Idempotent.
    pub fn stop_accepting(&self) {
        self.stage.send_if_modified(|stage| {
            let before = *stage;
            *stage = before.max(Stage::Closing);
            *stage != before
        });
    }

    /// Waits until everything is answered, at most `within`; then cuts the rest and says what that was.
    pub async fn finish(mut self, within: Duration) -> InFlight {
        self.stop_accepting();
        let done = tokio::time::timeout(within, self.ended.changed()).await.is_ok();
        let cut = if done { InFlight::default() } else { self.in_flight() };
        self.stage.send_replace(Stage::Cut);
        // An error is what is waited for: the last thread is gone.
        let _ = self.ended.changed().await;
        // The log's last lines are out when it ends; a panic in it has been reported already.
        let _ = self.logger.await;
        cut
    }
}

/// Writes log and receipts and adds up the counters until all threads have ended.
async fn log(rings: Vec<Arc<Ring>>, shared: Arc<Shared>, mut ended: signal::Receiver<()>) {
    let threads_end = async move {
        // Nothing is ever sent: the only change is that the last thread drops its end.
        while ended.changed().await.is_ok() {}
    };
    let allowances = Arc::clone(shared.cluster.allowances());
    let writer = shared.receipts.writer(move |batch| allowances.batch_index(batch));
    trail::drain(rings, &shared.metrics, writer, threads_end).await;
}

/// Fails where another process listens already: with a shared port the system would not say so.
fn probe(addr: SocketAddr) -> io::Result<()> {
    let socket = socket2::Socket::new(
        socket2::Domain::for_address(addr),
        socket2::Type::STREAM.cloexec(),
        Some(socket2::Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.bind(&addr.into())
}

fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(
        socket2::Domain::for_address(addr),
        socket2::Type::STREAM.nonblocking().cloexec(),
        Some(socket2::Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_share_a_port_and_another_process_does_not_slip_in() {
        let first = listen(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let addr = first.local_addr().unwrap();
        assert!(listen(addr).is_ok());
        let refused = probe(addr).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
        drop(first);
        assert!(probe(addr).is_ok());
    }
}
