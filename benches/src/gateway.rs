//! A gateway of one node with its simulated provider, as `bursar dev` starts it.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::path::PathBuf;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// What `bursar dev -o json` prints.
#[derive(Deserialize)]
pub(crate) struct Facts {
    pub(crate) nodes: Vec<Node>,
    pub(crate) virtual_key: String,
    pub(crate) provider_url: String,
}

/// One node of it.
#[derive(Deserialize)]
pub(crate) struct Node {
    pub(crate) base_url: String,
    pub(crate) pid: u32,
}

/// The running gateway; it ends with this value.
pub(crate) struct Gateway {
    pub(crate) facts: Facts,
    _child: Child,
}

impl Gateway {
    /// Starts it and waits until it is ready.
    pub(crate) async fn start() -> Result<Gateway> {
        Self::start_with(&[]).await
    }

    /// The same, with the node under another program: `wrapper` is put before its command line.
    pub(crate) async fn start_wrapped(wrapper: &str) -> Result<Gateway> {
        Self::start_with(&["--node-wrapper", wrapper]).await
    }

    async fn start_with(more: &[&str]) -> Result<Gateway> {
        let mut child = Command::new(binary()?)
            .args(["dev", "--nodes", "1", "--budget-usd", "1000000", "-o", "json"])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start bursar dev")?;
        let output = child.stdout.take().context("no standard output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).await?;
        let facts =
            serde_json::from_str(&line).with_context(|| format!("bursar dev printed {line:?}"))?;
        Ok(Gateway { facts, _child: child })
    }

    /// Host and port of the data listener.
    pub(crate) fn authority(&self) -> &str {
        authority(&self.facts.nodes[0].base_url)
    }

    /// Process id of the node.
    pub(crate) fn pid(&self) -> u32 {
        self.facts.nodes[0].pid
    }
}

/// The part of a URL between the scheme and the path.
pub(crate) fn authority(url: &str) -> &str {
    let rest = url.split("://").nth(1).unwrap_or(url);
    rest.split('/').next().unwrap_or(rest)
}

/// The release binary beside this program, or the one `BURSAR_BIN` names.
pub(crate) fn binary() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("BURSAR_BIN") {
        return Ok(named.into());
    }
    let here = std::env::current_exe()?;
    let beside = here.with_file_name("bursar");
    ensure!(
        beside.exists(),
        "{} does not exist: run `cargo build --release` first",
        beside.display()
    );
    Ok(beside)
}
