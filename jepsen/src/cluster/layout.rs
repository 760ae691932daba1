//! What a cluster is before it runs: a program, a directory, secrets, and a file for each node.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use tokio::process::Command;

use super::ground::Ground;
use super::net;

/// The operators' token of every cluster here: there is nothing to steal.
pub(super) const ADMIN_TOKEN: &str = "an-operators-token-for-tests-only";
/// What nodes share: as secret as the token.
const CLUSTER_SECRET: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const SEALING_SECRET: &str = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";

pub(super) struct Layout {
    program: PathBuf,
    root: TempDir,
    pub(super) ground: Ground,
    founders: usize,
}

impl Layout {
    pub(super) fn new(founders: usize) -> Result<Layout> {
        let root = tempfile::Builder::new().prefix("bursar-jepsen-").tempdir()?;
        Ok(Layout { program: program()?, root, ground: Ground::here(), founders })
    }

    /// Has the files outlive this run.
    pub(super) fn keep(&mut self) {
        self.root.disable_cleanup(true);
    }

    pub(super) fn root(&self) -> &Path {
        self.root.path()
    }

    /// Where a node has its disk, its file and its log.
    pub(super) fn place(&self, node: usize) -> PathBuf {
        self.root().join(label(node))
    }

    /// Writes a node's file. A founder waits for the others; whoever comes later only joins.
    pub(super) fn write_config(&self, node: usize, data_dir: &Path) -> Result<()> {
        let address = self.ground.node_address(node);
        let mut text = format!(
            "cluster_name: jepsen
label: {label}
data_dir: {data_dir:?}
listen: {address}:8080
admin:
  listen: {address}:8081
  token: {ADMIN_TOKEN}
peer:
  listen: {address}:8082
gossip:
  listen: {address}:8083
secrets:
  cluster: \"{CLUSTER_SECRET}\"
  key_encryption_key: \"{SEALING_SECRET}\"
drain:
  delay: 0s
  timeout: 5s
log:
  format: json
seeds:
",
            label = label(node),
            data_dir = data_dir.display().to_string(),
        );
        for seed in 0..self.founders {
            text.push_str(&format!("  - {}:8083\n", self.ground.node_address(seed)));
        }
        if node < self.founders {
            text.push_str(&format!("bootstrap_expect: {}\n", self.founders));
        }
        Ok(std::fs::write(self.config(node), text)?)
    }

    /// The command that runs a node where it belongs.
    pub(super) fn node_command(&self, node: usize) -> Command {
        let mut command = match self.ground {
            Ground::Loopback => Command::new(&self.program),
            Ground::Namespaces => {
                let mut command = Command::new("nsenter");
                command.arg(format!("--net=/run/netns/{}", net::name(node))).arg("--");
                command.arg(&self.program);
                command
            }
        };
        command.arg("serve").arg("--config").arg(self.config(node));
        command
    }

    /// Where a node says what it has to say.
    pub(super) fn log(&self, node: usize) -> PathBuf {
        self.root().join(format!("{}.log.jsonl", label(node)))
    }

    fn config(&self, node: usize) -> PathBuf {
        self.root().join(format!("{}.yaml", label(node)))
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

/// What people call a node.
pub(super) fn label(node: usize) -> String {
    format!("node-{}", node + 1)
}

/// The program under test: `BURSAR_BIN`, else the one beside this program or this test.
fn program() -> Result<PathBuf> {
    if let Some(asked) = std::env::var_os("BURSAR_BIN") {
        return Ok(std::path::absolute(asked)?);
    }
    // target/<profile>/jepsen, or target/<profile>/deps/it-...
    let this = std::env::current_exe()?;
    let beside = this.ancestors().skip(1).take(2).map(|directory| directory.join("bursar"));
    match beside.clone().find(|program| program.exists()) {
        Some(program) => Ok(program),
        None => bail!(
            "there is no {}: run `cargo build -p bursar` with the same profile first, or set BURSAR_BIN",
            beside.last().context("no target directory")?.display()
        ),
    }
}
