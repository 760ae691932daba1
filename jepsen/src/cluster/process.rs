//! One process, killed when it is dropped.

use std::fs::File;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

/// By this the program knows whom it must not outlive, also when that is killed itself.
const PARENT: &str = "BURSAR_PARENT_PID";

pub(super) struct Process {
    child: Child,
    pid: Pid,
}

impl Process {
    /// Starts a process that says on `log` what it has to say.
    ///
    /// It ends with the thread that calls this.
    pub(super) fn start(mut command: Command, log: &Path) -> Result<Process> {
        let log = File::options().create(true).append(true).open(log)?;
        command
            .env(PARENT, std::process::id().to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        let pid = child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        Ok(Process { pid: pid.context("the process ended at once")?, child })
    }

    pub(super) async fn kill(mut self) -> Result<()> {
        if self.ended().is_some() {
            return Ok(());
        }
        // Waits for its end too, so that its ports and its disk are free.
        self.child.kill().await.context("cannot kill")
    }

    pub(super) fn signal(&self, signal: Signal) -> Result<()> {
        // `id` is `None` once the end was seen: the number may be a stranger's then.
        match self.child.id() {
            Some(_) => Ok(kill_process(self.pid, signal)?),
            None => Ok(()),
        }
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }
}
