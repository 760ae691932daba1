//! What can be done to a node, and what undoes it. Each is harmless where it does not apply, so that
//! faults may overlap.

use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::process::Process;
use super::{Cluster, Deaf, LOOK_WITHIN, Wrong, looks, net};
use crate::http::{Call, Told};

/// How long a node is given to stop on a full disk: until it next has to write.
const STOPS_WITHIN: Duration = Duration::from_secs(12);
/// Models of a provider that makes the log grow: some ten thousand bytes.
const STUFFING_MODELS: usize = 300;
/// Such writes at once.
const STUFFED_AT_ONCE: usize = 4;
/// How long a clock is given to be seen wrong: the file is looked at once a second.
const WRONG_WITHIN: Duration = Duration::from_secs(4);

/// How long the cluster is given to settle who votes: a newcomer has to keep up for ten seconds first.
const VOTERS_WITHIN: Duration = Duration::from_secs(60);

/// How long an operator who removes a node goes on asking, each time at another node: leadership may just
/// be changing hands, or gossip not have heard of those who could vote.
const REMOVED_WITHIN: Duration = Duration::from_secs(60);
/// How long one such asking may take: the membership changes in two steps, and another may have to lead first.
const REMOVAL_WITHIN: Duration = Duration::from_secs(20);

/// Something done to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// SIGKILL; the disk stays as it is.
    Kill(usize),
    /// Starts what was killed, from its disk. Does not wait for it.
    Start(usize),
    /// SIGSTOP.
    Pause(usize),
    /// SIGCONT.
    Resume(usize),
    /// Packets are lost from now on.
    Deafen(Deaf),
    /// These are lost no more.
    Restore(Deaf),
    /// The wall clock is wrong from now on, or right again.
    Clock(usize, Wrong),
    /// Nothing more reaches the disk, the process is killed, and what was not synced is gone.
    CutPower(Vec<usize>),
    /// The disk is full.
    Fill(usize),
    /// Waits until a node whose disk is full ends, or says why it will.
    AwaitStop(usize),
    /// There is room again; a node that ended is started.
    Free(usize),
    /// Killed, and its disk is lost.
    Wipe(usize),
    /// Removed from the cluster for good by an operator, then killed.
    Remove(usize),
    /// Waits until a node is ready.
    AwaitReady(usize),
    /// Waits until the cluster votes with all the nodes it could vote with, and with no others.
    AwaitVoters,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is done.
    Done,
    /// It is done, and this shows that it was felt.
    Felt(String),
    /// It is done, and nobody noticed.
    Unnoticed(String),
}

/// A write of some size: a provider that nobody uses, with many models.
fn stuffing(nth: usize, writes: usize) -> Call {
    let name = |model| json!({"name": format!("model-{writes}-{model}-{}", "x".repeat(60))});
    let models: Vec<Value> = (0..STUFFING_MODELS).map(name).collect();
    let settings = json!({"kind": "openai-compatible", "base_url": "http://127.0.0.1:9/v1",
        "allow_private_network": true, "models": models});
    Call::new("PUT", format!("/admin/v1/providers/stuffing-{nth}")).body(settings)
}

impl Cluster {
    /// Does something to a node.
    ///
    /// # Errors
    ///
    /// It cannot be done.
    pub async fn act(&mut self, act: &Act) -> Result<Effect> {
        match act {
            Act::Kill(node) => self.nodes[*node].kill().await?,
            Act::Start(node) => self.start_node(*node)?,
            Act::Pause(node) => self.pause(*node)?,
            Act::Resume(node) => self.resume(*node)?,
            Act::Deafen(deaf) => {
                net::deafen(deaf).await?;
                self.deaf.push(*deaf);
            }
            Act::Restore(deaf) => return self.restore(deaf).await,
            Act::Clock(node, wrong) => return self.set_clock(*node, *wrong).await,
            Act::CutPower(nodes) => self.cut_power(nodes).await?,
            Act::Fill(node) => self.nodes[*node].disk.fill().await?,
            Act::AwaitStop(node) => return self.await_stop(*node).await,
            Act::Free(node) => {
                self.nodes[*node].disk.free()?;
                self.start_node(*node)?;
            }
            Act::Wipe(node) => {
                self.nodes[*node].kill().await?;
                self.nodes[*node].disk.wipe().await?;
            }
            Act::Remove(node) => self.remove(*node).await?,
            Act::AwaitReady(node) => self.wait_for(*node).await?,
            Act::AwaitVoters => self.await_voters().await?,
        }
        Ok(Effect::Done)
    }

    pub(super) fn start_node(&mut self, node: usize) -> Result<()> {
        self.nodes[node].start(&self.layout, node)
    }

    fn pause(&mut self, node: usize) -> Result<()> {
        let node = &mut self.nodes[node];
        match &node.process {
            Some(process) => {
                node.paused = true;
                process.signal(Signal::STOP)
            }
            None => Ok(()),
        }
    }

    pub(super) fn resume(&mut self, node: usize) -> Result<()> {
        let node = &mut self.nodes[node];
        match node.process.as_ref().filter(|_| node.paused) {
            Some(process) => {
                node.paused = false;
                process.signal(Signal::CONT)
            }
            None => Ok(()),
        }
    }

    async fn restore(&mut self, deaf: &Deaf) -> Result<Effect> {
        let Some(nth) = self.deaf.iter().position(|set| set == deaf) else {
            return Ok(Effect::Done);
        };
        // Of all rules of this node: an overlapping fault's packets are lost, too.
        let dropped = net::dropped(deaf.node).await?;
        net::restore(&self.deaf.swap_remove(nth)).await?;
        let say = format!("{} lost {dropped} packets", self.nodes[deaf.node].label);
        Ok(if dropped > 0 { Effect::Felt(say) } else { Effect::Unnoticed(say) })
    }

    /// Cuts the power of several nodes at once. Where the disks are only directories there is nothing
    /// to cut, and no such act is planned.
    async fn cut_power(&mut self, nodes: &[usize]) -> Result<()> {
        for node in nodes {
            self.nodes[*node].disk.cut().await?;
        }
        for node in nodes {
            self.nodes[*node].kill().await?;
            self.nodes[*node].disk.power_on().await?;
        }
        Ok(())
    }

    /// A node on a full disk has to end when it next needs room; until then it may go on with what it has.
    /// So that it comes to that, operators have others write much, of which it must keep a copy.
    async fn await_stop(&mut self, node: usize) -> Result<Effect> {
        let deadline = Instant::now() + STOPS_WITHIN;
        let label = self.nodes[node].label.clone();
        let mut others = self.members();
        others.retain(|other| *other != node);
        let mut writes = 0;
        while Instant::now() < deadline {
            if let Some(status) = self.nodes[node].process.as_mut().and_then(Process::ended) {
                self.nodes[node].process = None;
                let say = format!("{label} ended with {status} after {writes} writes");
                return Ok(Effect::Felt(say));
            }
            let mut stuffed = JoinSet::new();
            for nth in 0..STUFFED_AT_ONCE {
                let call = stuffing(nth, writes).bearer(self.admin_token());
                let door = self.nodes[others[nth % others.len()]].doors.admin;
                // While the full node leads nothing is taken: it hands over.
                stuffed.spawn(async move { call.send(door, LOOK_WITHIN).await });
                writes += 1;
            }
            stuffed.join_all().await;
        }
        // It had room enough set aside for all that. Then it has to say that it has no more.
        let call = Call::new("GET", "/admin/v1/cluster").bearer(self.admin_token());
        let told = call.send(self.nodes[node].doors.admin, LOOK_WITHIN).await.unwrap_or_default();
        let warnings = told.body["warnings"].to_string();
        Ok(match warnings.contains("disk") {
            true => Effect::Felt(format!("{label} says {warnings} after {writes} writes")),
            false => Effect::Unnoticed(format!("{label} goes on with a full disk")),
        })
    }

    async fn set_clock(&mut self, node: usize, wrong: Wrong) -> Result<Effect> {
        let node = &mut self.nodes[node];
        node.set_clock(wrong)?;
        // What the program tells callers of the time never goes back: only a jump ahead can be seen.
        if wrong.ahead_s < 60 || !node.answers() {
            return Ok(Effect::Done);
        }
        let ahead = wrong.ahead_s;
        let call = Call::new("GET", "/livez");
        let seen = async {
            let mut looks = looks();
            loop {
                looks.tick().await;
                let Ok(told) = call.send(node.doors.admin, LOOK_WITHIN).await else { continue };
                let shown = told.date_unix_s.unwrap_or_default();
                if shown.saturating_sub(crate::http::unix_s()) > ahead / 2 {
                    return;
                }
            }
        };
        let seen = timeout(WRONG_WITHIN, seen).await.is_ok();
        let say = format!("{} is {ahead} s ahead", node.label);
        Ok(if seen { Effect::Felt(say) } else { Effect::Unnoticed(say) })
    }

    /// A node that lost its disk is replaced by itself, one that joined is promoted once it has kept up.
    async fn await_voters(&mut self) -> Result<()> {
        let deadline = Instant::now() + VOTERS_WITHIN;
        let mut looks = looks();
        loop {
            looks.tick().await;
            let call = Call::new("GET", "/admin/v1/cluster/members");
            let told = self.admin_anywhere_but(usize::MAX, call).await?;
            let members = told.body["items"].as_array().cloned().unwrap_or_default();
            let votes = |member: &&Value| member["role"] == "leader" || member["role"] == "voter";
            let live = |member: &&Value| member["state"] == "live";
            let voters = members.iter().filter(votes).count();
            let able = members.iter().filter(live).count();
            let all_live = members.iter().filter(votes).all(|member| live(&member));
            if all_live && voters == able - usize::from(able % 2 == 0) {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "who votes does not settle: {}", told.body);
        }
    }

    async fn remove(&mut self, node: usize) -> Result<()> {
        let id = self.id_of(node).await?;
        self.nodes[node].wanted = false;
        let call = Call::new("DELETE", format!("/admin/v1/cluster/members/{id}"));
        let call = call.bearer(self.admin_token());
        let deadline = Instant::now() + REMOVED_WITHIN;
        let others: Vec<usize> = self.members();
        let mut looks = looks();
        let mut asked_before = false;
        for other in others.iter().cycle() {
            looks.tick().await;
            let told = call.send(self.nodes[*other].doors.admin, REMOVAL_WITHIN).await;
            let why = match told {
                Ok(Told { status: 200, .. }) => break,
                // The answer was lost, and it is removed.
                Ok(Told { status: 404, .. }) if asked_before => break,
                Ok(told) => format!("answered {}: {}", told.status, told.body),
                Err(lost) => lost.to_string(),
            };
            asked_before = true;
            ensure!(Instant::now() < deadline, "not removed within {REMOVED_WITHIN:?}: {why}");
        }
        self.nodes[node].kill().await
    }
}
