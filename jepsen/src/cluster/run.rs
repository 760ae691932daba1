//! Short commands of the system.

use std::ffi::OsStr;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

/// Runs a program to its end and returns what it printed.
pub(super) async fn run<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> Result<String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(std::process::Stdio::null());
    let output = command.output().await.with_context(|| format!("cannot run {program}"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{:?}: {}", command.as_std(), complaint.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The same, written as one line; no argument holds a space.
pub(super) async fn line(line: &str) -> Result<String> {
    let mut words = line.split_whitespace();
    let program = words.next().context("no program")?;
    run(program, &words.collect::<Vec<_>>()).await
}
