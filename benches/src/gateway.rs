//! A gateway of one node, as `bursar dev` starts it, before a simulated provider.

use crate::scenario;
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
}

/// One node of it.
#[derive(Deserialize)]
pub(crate) struct Node {
    pub(crate) base_url: String,
    pub(crate) pid: u32,
}

/// The running gateway and its provider; they end with this value.
pub(crate) struct Gateway {
    pub(crate) facts: Facts,
    /// Host and port of the provider.
    pub(crate) provider: String,
    _processes: [Child; 2],
}

impl Gateway {
    /// Starts both and waits until they are ready.
    pub(crate) async fn start() -> Result<Gateway> {
        Self::start_with(&[]).await
    }

    /// The same, with the node under another program: `wrapper` is put before its command line.
    pub(crate) async fn start_wrapped(wrapper: &str) -> Result<Gateway> {
        Self::start_with(&["--node-wrapper", wrapper]).await
    }

    async fn start_with(more: &[&str]) -> Result<Gateway> {
        // A provider that takes any key, so that the same request goes through each proxy.
        let (provider, url) =
            start(&["simulate", "--price-per-mtok", "1,4", "--tokens-per-second", "1000"]).await?;
        let url = url.trim();
        let mut arguments = vec!["dev", "--nodes", "1", "--budget-usd", "1000000", "-o", "json"];
        arguments.extend(["--upstream", url, "--upstream-models", scenario::MODEL]);
        arguments.extend(["--price-per-mtok", "1,4"]);
        arguments.extend(more);
        let (dev, line) = start(&arguments).await?;
        let facts = serde_json::from_str(&line).with_context(|| format!("dev printed {line:?}"))?;
        let provider_authority = authority(url).to_owned();
        Ok(Gateway { facts, provider: provider_authority, _processes: [dev, provider] })
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

/// Starts the program and returns it with the first line it prints.
async fn start(arguments: &[&str]) -> Result<(Child, String)> {
    let mut child = Command::new(binary()?)
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start bursar {}", arguments[0]))?;
    let output = child.stdout.take().context("no standard output")?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).await?;
    Ok((child, line))
}

/// The part of a URL between the scheme and the path.
fn authority(url: &str) -> &str {
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
