//! Where a cluster is on the disk, and how its parts are started from there.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use super::Doors;
use super::process::Process;

/// Longest wait for `bursar dev` to have a cluster ready, and to be gone again.
const FOUND_WITHIN: Duration = Duration::from_secs(90);

/// What `bursar dev -o json` prints.
#[derive(Deserialize)]
pub(super) struct Facts {
    nodes: Vec<NodeFacts>,
    pub(super) admin_token: String,
    provider_url: String,
}

#[derive(Deserialize)]
struct NodeFacts {
    id: String,
    base_url: String,
    admin_url: String,
    pid: i32,
}

/// What of `dev.json` is needed to start the simulated provider again.
#[derive(Deserialize)]
struct Kept {
    simulator_key: String,
}

pub(super) struct Layout {
    program: PathBuf,
    root: TempDir,
    pub(super) facts: Facts,
}

impl Layout {
    /// Has `bursar dev` found a cluster, and kills all of it.
    pub(super) async fn found(nodes: u16) -> Result<Layout> {
        let program = program()?;
        let root = tempfile::Builder::new().prefix("bursar-jepsen-").tempdir()?;
        let mut command = Command::new(&program);
        command.args(["dev", "-o", "json", "--nodes", &nodes.to_string(), "--data-dir"]);
        command.arg(root.path().join("cluster"));
        let log = root.path().join("dev.log");
        let mut dev = Process::start(command, &log, true)?;
        let mut output = BufReader::new(dev.child.stdout.take().context("no output")?);
        let mut line = String::new();
        timeout(FOUND_WITHIN, output.read_line(&mut line)).await.context("bursar dev hangs")??;
        let said = || std::fs::read_to_string(&log).unwrap_or_default();
        let facts: Facts = serde_json::from_str(&line)
            .with_context(|| format!("bursar dev failed: {}", said()))?;
        for node in &facts.nodes {
            let pid = Pid::from_raw(node.pid).context("no process id")?;
            kill_process(pid, Signal::KILL)?;
        }
        // Without nodes it gives up, and takes its simulated provider along.
        timeout(FOUND_WITHIN, dev.child.wait())
            .await
            .context("bursar dev goes on without nodes")??;
        Ok(Layout { program, root, facts })
    }

    /// Has the files outlive this run.
    pub(super) fn keep(&mut self) {
        self.root.disable_cleanup(true);
    }

    pub(super) fn root(&self) -> PathBuf {
        self.root.path().to_owned()
    }

    /// Label and addresses of each node.
    pub(super) fn doors(&self) -> Result<Vec<(String, Doors)>> {
        let nodes = self.facts.nodes.iter().map(|node| {
            let doors =
                Doors { data: authority(&node.base_url)?, admin: authority(&node.admin_url)? };
            Ok((node.id.clone(), doors))
        });
        nodes.collect()
    }

    pub(super) fn provider(&self) -> Result<SocketAddr> {
        authority(&self.facts.provider_url)
    }

    pub(super) fn start_node(&self, label: &str) -> Result<Process> {
        let directory = self.root().join("cluster").join(label);
        let mut command = Command::new(&self.program);
        command.arg("serve").arg("--config").arg(directory.join("bursar.yaml"));
        Process::start(command, &directory.join("log.jsonl"), false)
    }

    /// Starts the simulated provider, with new books, and waits until it listens.
    pub(super) async fn start_simulator(&self) -> Result<Process> {
        let kept = std::fs::read_to_string(self.root().join("cluster/dev.json"))?;
        let kept: Kept = serde_json::from_str(&kept).context("dev.json")?;
        let mut command = Command::new(&self.program);
        command
            .args(["simulate", "--listen", &self.provider()?.to_string()])
            .env("BURSAR_SIMULATOR_API_KEY", kept.simulator_key);
        let log = self.root().join("simulator.log");
        let mut process = Process::start(command, &log, true)?;
        let mut output = BufReader::new(process.child.stdout.take().context("no output")?);
        let mut line = String::new();
        timeout(FOUND_WITHIN, output.read_line(&mut line)).await.context("no simulator")??;
        ensure!(!line.is_empty(), "no simulator: {}", std::fs::read_to_string(log)?);
        Ok(process)
    }
}

impl Drop for Layout {
    #[expect(clippy::print_stderr, reason = "a failing test says where its files are")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.keep();
            eprintln!("logs and histories are in {}", self.root().display());
        }
    }
}

/// The program under test: `BURSAR_BIN`, else the one beside this test.
fn program() -> Result<PathBuf> {
    if let Some(asked) = std::env::var_os("BURSAR_BIN") {
        return Ok(std::path::absolute(asked)?);
    }
    // target/<profile>/deps/it-...
    let this = std::env::current_exe()?;
    let beside =
        this.parent().and_then(Path::parent).context("no target directory")?.join("bursar");
    if !beside.exists() {
        bail!(
            "there is no {}: run `cargo build -p bursar` with the same profile first, or set BURSAR_BIN",
            beside.display()
        );
    }
    Ok(beside)
}

fn authority(url: &str) -> Result<SocketAddr> {
    let authority = url.trim_start_matches("http://").split('/').next().unwrap_or_default();
    authority.parse().with_context(|| format!("no address in {url}"))
}
