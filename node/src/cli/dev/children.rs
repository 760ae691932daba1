//! The processes that were started, from the first to the last breath.

use std::fs::File;
use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::layout::{Layout, Node};
use crate::simulator::Prices;

/// Names the process a started one must not outlive.
const PARENT: &str = "BURSAR_PARENT_PID";
/// Longest wait for the simulated provider to listen.
const SIMULATOR_START_TIMEOUT: Duration = Duration::from_secs(20);
/// Longest wait for a node to stop: its drain timeout, and some.
const STOP_TIMEOUT: Duration = Duration::from_secs(40);

/// What was started.
pub(super) struct Children {
    started: Vec<Started>,
    /// What is put before the command line of a node.
    wrapper: Vec<String>,
}

struct Started {
    name: String,
    node: bool,
    pid: u32,
    child: Child,
    ended: bool,
}

/// Tells the user how it goes. Standard output is kept for the facts.
pub(super) fn progress(text: &str) {
    // With standard error closed there is nobody to tell.
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// Has the kernel stop this process when the one that started it is gone, if that one asked for it.
///
/// To be called first thing, from the main thread.
pub fn die_with_parent() -> std::io::Result<()> {
    let Some(parent) = std::env::var(PARENT).ok().and_then(|pid| pid.parse::<i32>().ok()) else {
        return Ok(());
    };
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))?;
    // The parent may have gone before the kernel was told.
    if rustix::process::getppid().is_none_or(|pid| pid.as_raw_nonzero().get() != parent) {
        return Err(std::io::Error::other("the process that started this one is gone"));
    }
    Ok(())
}

impl Children {
    /// Nothing started yet; `wrapper` is put before the command line of each node.
    pub(super) fn new(wrapper: &str) -> Children {
        let wrapper = wrapper.split_whitespace().map(str::to_owned).collect();
        Children { started: Vec::new(), wrapper }
    }

    /// Starts the simulated provider and waits until it listens.
    pub(super) async fn start_simulator(&mut self, layout: &Layout, price: Prices) -> Result<()> {
        let mut command = itself()?;
        command
            .args(["simulate", "--listen", &layout.simulator_address().to_string()])
            .args(["--price-per-mtok", &price.to_string()])
            .args(["--models", &super::setup::SIMULATED_MODELS.join(",")])
            .env("BURSAR_SIMULATOR_API_KEY", &layout.state.simulator_key)
            .stdout(Stdio::piped())
            .stderr(File::create(layout.root.join("simulator.log"))?);
        let mut child = command.spawn().context("cannot start the simulated provider")?;
        let output = child.stdout.take().context("the simulated provider has no output")?;
        self.push("simulator", false, child)?;
        let mut line = String::new();
        let mut output = BufReader::new(output);
        let read = tokio::time::timeout(SIMULATOR_START_TIMEOUT, output.read_line(&mut line)).await;
        if !matches!(read, Ok(Ok(bytes)) if bytes > 0) {
            let log = layout.root.join("simulator.log");
            bail!("the simulated provider did not start:\n{}", last_lines(&log));
        }
        Ok(())
    }

    /// Starts a node; whether it comes up is for others to find out.
    pub(super) fn start_node(&mut self, node: &Node) -> Result<()> {
        let log = File::options().create(true).append(true).open(node.log())?;
        let mut command = itself_under(&self.wrapper)?;
        command.arg("serve").arg("--config").arg(&node.config).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().with_context(|| format!("cannot start {}", node.name))?;
        self.push(&node.name, true, child)?;
        let pid = self.pid(&node.name).map(|pid| pid.to_string()).unwrap_or_default();
        Ok(std::fs::write(node.pid_file(), pid)?)
    }

    fn push(&mut self, name: &str, node: bool, child: Child) -> Result<()> {
        let pid = child.id().with_context(|| format!("{name} ended at once"))?;
        self.started.push(Started { name: name.to_owned(), node, pid, child, ended: false });
        Ok(())
    }

    /// Process id of a node.
    pub(super) fn pid(&self, name: &str) -> Option<u32> {
        self.started.iter().find(|started| started.name == name).map(|started| started.pid)
    }

    /// Fails if a node has ended, with what it said last.
    pub(super) fn check(&mut self, layout: &Layout) -> Result<()> {
        for started in self.started.iter_mut().filter(|started| !started.ended) {
            let Some(status) = started.child.try_wait()? else { continue };
            started.ended = true;
            let node = layout.nodes.iter().find(|node| node.name == started.name);
            let said = node.map(|node| last_lines(&node.log())).unwrap_or_default();
            bail!("{} ended with {status}:\n{said}", started.name);
        }
        Ok(())
    }

    /// Waits until a process ends and says which; `None` when no node is left. Ending one by hand is a
    /// thing to try out, and no reason to stop the others.
    pub(super) async fn next_end(&mut self) -> Option<String> {
        if !self.started.iter().any(|started| started.node && !started.ended) {
            return None;
        }
        let living = self.started.iter_mut().filter(|started| !started.ended);
        let ends = living.map(|started| {
            Box::pin(async {
                let status = started.child.wait().await;
                started.ended = true;
                match status {
                    Ok(status) => format!("{} ended: {status}", started.name),
                    Err(error) => format!("{} ended: {error}", started.name),
                }
            })
        });
        let (said, _, _) = futures_util::future::select_all(ends).await;
        Some(said)
    }

    /// Asks one node to leave, and waits until it has.
    pub(super) async fn stop_node(&mut self, name: &str) {
        for started in self.started.iter_mut().filter(|started| started.name == name) {
            started.signal(rustix::process::Signal::TERM);
            started.wait_or_kill().await;
        }
        self.started.retain(|started| started.name != name);
    }

    /// Asks the nodes to leave, waits for them, then ends the rest.
    pub(super) async fn stop(&mut self) {
        for nodes in [true, false] {
            for started in self.started.iter().filter(|started| started.node == nodes) {
                started.signal(rustix::process::Signal::TERM);
            }
            for started in self.started.iter_mut().filter(|started| started.node == nodes) {
                started.wait_or_kill().await;
            }
        }
    }

    /// Ends everything at once.
    pub(super) async fn kill(&mut self) {
        for started in &mut self.started {
            // It may have ended by itself.
            drop(started.child.kill().await);
            started.ended = true;
        }
    }
}

impl Started {
    async fn wait_or_kill(&mut self) {
        if tokio::time::timeout(STOP_TIMEOUT, self.child.wait()).await.is_err() {
            progress(&format!("{} does not stop and is killed", self.name));
            drop(self.child.kill().await);
        }
        self.ended = true;
    }

    fn signal(&self, signal: rustix::process::Signal) {
        // `id` is `None` once it has ended, so that the signal cannot hit a stranger with its old id.
        let pid = self
            .child
            .id()
            .and_then(|pid| i32::try_from(pid).ok())
            .and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            rustix::process::kill_process(pid, signal).ok();
        }
    }
}

/// A command that runs this very program, in a process group of its own: Ctrl-C comes to us alone.
fn itself() -> Result<Command> {
    itself_under(&[])
}

/// The same, started by another program.
fn itself_under(wrapper: &[String]) -> Result<Command> {
    let itself = std::env::current_exe().context("cannot find this program's own file")?;
    let mut command = match wrapper {
        [] => Command::new(itself),
        [program, arguments @ ..] => {
            let mut command = Command::new(program);
            command.args(arguments).arg(itself);
            command
        }
    };
    command
        .env(PARENT, std::process::id().to_string())
        .stdin(Stdio::null())
        .process_group(0)
        .kill_on_drop(true);
    Ok(command)
}

/// The end of a log, for an error message.
fn last_lines(log: &std::path::Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}
