//! `bursar serve`: one node.

use super::out;
use crate::config::{Config, File, Setting};
use anyhow::Context;
use std::path::PathBuf;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Threads of the control plane; callers are served by threads of their own.
const CONTROL_THREADS: usize = 2;

/// Runs one node until SIGTERM or Ctrl-C. Flags win over the file.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  bursar serve                                   a node alone on loopback, state in ./bursar-data
  bursar serve --config bursar.yaml
  bursar serve --data-dir /var/lib/bursar --listen 0.0.0.0:8080

The first SIGTERM drains: not ready at once, requests in flight finish, then exit code 0. A second ends at once.")]
pub(super) struct Serve {
    /// Configuration file (YAML). Without it every setting has its default.
    #[arg(long, short, env = "BURSAR_CONFIG")]
    config: Option<PathBuf>,
    /// Where the node keeps its state.
    #[arg(long)]
    data_dir: Option<String>,
    /// Address for callers.
    #[arg(long)]
    listen: Option<String>,
    /// Address for operators.
    #[arg(long)]
    admin_listen: Option<String>,
    /// Address for other nodes.
    #[arg(long)]
    peer_listen: Option<String>,
    /// UDP address for gossip.
    #[arg(long)]
    gossip_listen: Option<String>,
    /// This node's name for people.
    #[arg(long)]
    label: Option<String>,
    /// `host:port` of another node's gossip; may be repeated.
    #[arg(long)]
    seed: Vec<String>,
    /// How many nodes found the cluster together.
    #[arg(long)]
    bootstrap_expect: Option<String>,
    /// Threads that serve callers.
    #[arg(long)]
    threads: Option<String>,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    #[arg(long)]
    log_level: Option<String>,
}

impl Serve {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let path = self.config.clone();
        let config = Config::load(path.as_deref(), |file| self.override_file(file))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(CONTROL_THREADS)
            .thread_name("control")
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let stop = Stop::listen().context("cannot listen for signals")?;
            // The future is large: it holds the whole start of a node.
            Box::pin(crate::serve::run(config, stop.asked())).await
        })
    }

    fn override_file(self, file: &mut File) {
        fn set<T>(setting: &mut Option<Setting<T>>, flag: Option<String>) {
            if let Some(flag) = flag {
                *setting = Some(Setting::flag(flag));
            }
        }
        set(&mut file.data_dir, self.data_dir);
        set(&mut file.listen, self.listen);
        set(&mut file.admin.listen, self.admin_listen);
        set(&mut file.peer.listen, self.peer_listen);
        set(&mut file.gossip.listen, self.gossip_listen);
        set(&mut file.label, self.label);
        set(&mut file.bootstrap_expect, self.bootstrap_expect);
        set(&mut file.threads, self.threads);
        set(&mut file.log.level, self.log_level);
        if !self.seed.is_empty() {
            file.seeds = self.seed.into_iter().map(Setting::flag).collect();
        }
    }
}

/// The signals that end a node.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    /// From here on the process does not end by these signals alone.
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the first signal, and leaves a task behind that ends the process at the second.
    async fn asked(mut self) {
        self.next().await;
        tokio::spawn(async move {
            self.next().await;
            out::complain("second signal: ending at once");
            std::process::exit(1);
        });
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
