//! System calls by `strace -c`, attached to the threads that answer requests.

use super::{REQUESTS, WARM_UP, send};
use crate::gateway::Gateway;
use crate::scenario::Scenario;
use anyhow::{Context, Result, ensure};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

/// Threads of the data plane are named so.
const THREAD: &str = "plane";

/// System calls per request.
pub(super) async fn count(scenario: &Scenario) -> Result<f64> {
    let gateway = Gateway::start().await?;
    send(&gateway, scenario, WARM_UP).await?;
    let threads = threads(gateway.pid())?;
    let mut command = Command::new("strace");
    command.arg("-c").stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    for thread in &threads {
        command.args(["-p", thread]);
    }
    let mut strace =
        command.spawn().context("cannot run strace: scripts/install-tools installs it")?;
    let errors = strace.stderr.take().context("no standard error")?;
    let mut errors = BufReader::new(errors);
    for _ in &threads {
        let mut attached = String::new();
        errors.read_line(&mut attached).await?;
        ensure!(attached.contains("attached"), "strace: {attached}");
    }
    send(&gateway, scenario, REQUESTS).await?;
    interrupt(strace.id().context("strace has ended")?)?;
    let mut table = String::new();
    errors.read_to_string(&mut table).await?;
    Ok(total(&table)? as f64 / REQUESTS as f64)
}

fn threads(pid: u32) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let task = task?;
        let name = std::fs::read_to_string(task.path().join("comm"))?;
        if name.starts_with(THREAD) {
            found.push(task.file_name().to_string_lossy().into_owned());
        }
    }
    ensure!(!found.is_empty(), "process {pid} has no thread named {THREAD}*");
    Ok(found)
}

fn interrupt(pid: u32) -> Result<()> {
    let pid = rustix::process::Pid::from_raw(pid.try_into()?).context("process id zero")?;
    Ok(rustix::process::kill_process(pid, rustix::process::Signal::INT)?)
}

/// The `total` line of the table: `100.00  0.01  2  4000  total`.
fn total(table: &str) -> Result<u64> {
    let line =
        table.lines().find(|line| line.trim_end().ends_with(" total")).context("no total")?;
    let calls = line.split_whitespace().nth(3).context("no calls")?;
    calls.parse().with_context(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::total;

    #[test]
    fn the_total_is_the_column_of_calls() {
        let table = "% time     seconds  usecs/call     calls    errors syscall\n\
                     100.00    0.004512           2      1730        12 total\n";
        assert_eq!(total(table).unwrap(), 1730);
    }
}
