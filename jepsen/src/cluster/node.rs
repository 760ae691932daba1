//! One node: its process, its disk, its clock.

use std::path::Path;

use anyhow::{Result, bail, ensure};
use tokio::time::Instant;

use super::clock::{Clock, Wrong};
use super::disk::Disk;
use super::layout::{Layout, label};
use super::process::Process;
use super::{Doors, LOOK_WITHIN, READY_WITHIN, looks};
use crate::http::Call;

pub(super) struct Node {
    pub(super) label: String,
    pub(super) doors: Doors,
    pub(super) disk: Disk,
    clock: Option<Clock>,
    pub(super) process: Option<Process>,
    pub(super) paused: bool,
    /// Whether it is meant to run.
    pub(super) wanted: bool,
}

impl Node {
    pub(super) async fn new(
        layout: &Layout,
        node: usize,
        images: &Path,
        clocks: bool,
    ) -> Result<Node> {
        let disk = Disk::new(layout.ground, images, &layout.place(node)).await?;
        layout.write_config(node, &disk.data_dir())?;
        let file = layout.root().join(format!("{}.clock", label(node)));
        Ok(Node {
            label: label(node),
            doors: layout.ground.doors(node),
            disk,
            clock: if clocks { Some(Clock::new(&file)?) } else { None },
            process: None,
            paused: false,
            wanted: false,
        })
    }

    /// Starts the process where it does not run.
    pub(super) fn start(&mut self, layout: &Layout, node: usize) -> Result<()> {
        self.wanted = true;
        if self.process.as_mut().is_some_and(|process| process.ended().is_none()) {
            return Ok(());
        }
        let mut command = layout.node_command(node);
        if let Some(clock) = &self.clock {
            clock.give(&mut command);
        }
        self.process = Some(Process::start(command, &layout.log(node))?);
        Ok(())
    }

    pub(super) async fn kill(&mut self) -> Result<()> {
        self.paused = false;
        match self.process.take() {
            Some(process) => process.kill().await,
            None => Ok(()),
        }
    }

    /// Whether it can be asked anything.
    pub(super) fn answers(&self) -> bool {
        self.process.is_some() && !self.paused
    }

    pub(super) fn set_clock(&self, wrong: Wrong) -> Result<()> {
        match &self.clock {
            Some(clock) => clock.set(wrong),
            None => Ok(()),
        }
    }

    pub(super) fn free_disk(&self) -> Result<()> {
        self.disk.free()
    }

    pub(super) async fn wait_until_ready(&mut self) -> Result<()> {
        let call = Call::new("GET", "/readyz?verbose");
        let deadline = Instant::now() + READY_WITHIN;
        let mut looks = looks();
        loop {
            looks.tick().await;
            let said = match call.send(self.doors.admin, LOOK_WITHIN).await {
                Ok(told) if told.status == 200 => return Ok(()),
                Ok(told) => told.body.to_string(),
                Err(lost) => lost.to_string(),
            };
            if let Some(status) = self.process.as_mut().and_then(Process::ended) {
                bail!("{} ended with {status}", self.label);
            }
            let label = &self.label;
            ensure!(Instant::now() < deadline, "{label} not ready in {READY_WITHIN:?}: {said}");
        }
    }
}
