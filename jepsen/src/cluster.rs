//! A real cluster: processes of the real program on this machine, to be struck and set right again.
//!
//! `bursar dev` lays it out and founds it. Then everything is killed, and taken up again from the disk
//! as processes of this one, which may kill and restart them as it likes.

mod layout;
mod process;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::http::{Call, Told};
use layout::Layout;
use process::Process;

/// Longest wait for a node to be ready: an election, and a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long a look may take.
const LOOK_WITHIN: Duration = Duration::from_secs(2);

/// Where a node is reached.
#[derive(Clone, Copy, Debug)]
pub struct Doors {
    /// By callers.
    pub data: SocketAddr,
    /// By operators.
    pub admin: SocketAddr,
}

/// A running cluster. Dropped, it is killed, and its files are removed unless a test is failing.
pub struct Cluster {
    layout: Layout,
    nodes: Vec<Node>,
    simulator: Process,
}

struct Node {
    label: String,
    doors: Doors,
    process: Option<Process>,
    paused: bool,
}

impl Cluster {
    /// Founds a cluster and waits until every node of it is ready.
    ///
    /// # Errors
    ///
    /// What kept it from becoming ready, or that there is no program.
    pub async fn start(nodes: u16) -> Result<Cluster> {
        let layout = Layout::found(nodes).await?;
        let simulator = layout.start_simulator().await?;
        let mut cluster = Cluster { nodes: Vec::new(), simulator, layout };
        for (label, doors) in cluster.layout.doors()? {
            let process = Some(cluster.layout.start_node(&label)?);
            cluster.nodes.push(Node { label, doors, process, paused: false });
        }
        cluster.wait_until_ready().await?;
        Ok(cluster)
    }

    /// How many nodes.
    pub fn size(&self) -> usize {
        self.nodes.len()
    }

    /// Where each node is reached.
    pub fn doors(&self) -> Vec<Doors> {
        self.nodes.iter().map(|node| node.doors).collect()
    }

    /// The operators' token.
    pub fn admin_token(&self) -> &str {
        &self.layout.facts.admin_token
    }

    /// Where logs, histories and everything else of this run are.
    pub fn root(&self) -> PathBuf {
        self.layout.root()
    }

    /// Kills a node; its disk stays as it is.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub async fn kill(&mut self, node: usize) -> Result<()> {
        self.nodes[node].paused = false;
        match self.nodes[node].process.take() {
            Some(process) => process.kill().await,
            None => Ok(()),
        }
    }

    /// Starts a node that was killed, from its disk. Does not wait for it.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn restart(&mut self, node: usize) -> Result<()> {
        let node = &mut self.nodes[node];
        if node.process.is_none() {
            node.process = Some(self.layout.start_node(&node.label)?);
        }
        Ok(())
    }

    /// Stops a node where it stands.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn pause(&mut self, node: usize) -> Result<()> {
        let node = &mut self.nodes[node];
        let process = node.process.as_ref().with_context(|| format!("{} is dead", node.label))?;
        node.paused = true;
        process.signal(rustix::process::Signal::STOP)
    }

    /// Lets a paused node go on.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn resume(&mut self, node: usize) -> Result<()> {
        let node = &mut self.nodes[node];
        match node.process.as_ref().filter(|_| node.paused) {
            Some(process) => {
                node.paused = false;
                process.signal(rustix::process::Signal::CONT)
            }
            None => Ok(()),
        }
    }

    /// Undoes everything that was done to the nodes, and waits until all are ready.
    ///
    /// # Errors
    ///
    /// A node does not become ready.
    pub async fn heal(&mut self) -> Result<()> {
        for node in 0..self.size() {
            self.resume(node)?;
            self.restart(node)?;
        }
        self.wait_until_ready().await
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        let root = self.root();
        for node in &mut self.nodes {
            if let Err(error) = node.wait_until_ready(deadline).await {
                self.layout.keep();
                return Err(error.context(format!("files are in {}", root.display())));
            }
        }
        Ok(())
    }

    /// Which node leads, as far as one that runs knows.
    pub async fn leader(&self) -> Option<usize> {
        let call = Call::new("GET", "/admin/v1/cluster/members").bearer(self.admin_token());
        let running = self.nodes.iter().filter(|node| node.process.is_some() && !node.paused);
        for node in running {
            let Ok(Told { status: 200, body, .. }) = call.send(node.doors.admin, LOOK_WITHIN).await
            else {
                continue;
            };
            let members = body["items"].as_array().into_iter().flatten();
            let leader = members.clone().find(|member| member["role"] == "leader");
            let Some(leader) = leader else { continue };
            return self.nodes.iter().position(|node| leader["label"] == node.label.as_str());
        }
        None
    }

    /// Asks the admin API of a node for something that must succeed.
    ///
    /// # Errors
    ///
    /// It did not.
    pub async fn admin(&self, node: usize, call: Call) -> Result<Told> {
        let call = call.bearer(self.admin_token());
        let told = call.send(self.nodes[node].doors.admin, READY_WITHIN).await?;
        ensure!(matches!(told.status, 200 | 201), "answered {}: {}", told.status, told.body);
        Ok(told)
    }

    /// What the simulated provider has billed so far, in nano-USD, by its own books.
    ///
    /// # Errors
    ///
    /// It does not say.
    pub async fn billed_nano_usd(&self) -> Result<i64> {
        let told = self.provider(Call::new("GET", "/_sim/billed")).await?;
        told["nano_usd"].as_i64().with_context(|| format!("no nano_usd in {told}"))
    }

    /// Asks the simulated provider to behave in some way from now on.
    ///
    /// # Errors
    ///
    /// It does not.
    pub async fn behave(&self, behaviour: Value) -> Result<()> {
        self.provider(Call::new("POST", "/_sim/behave").body(behaviour)).await.map(drop)
    }

    async fn provider(&self, call: Call) -> Result<Value> {
        ensure!(self.simulator.is_running(), "the simulated provider is gone");
        let told = call.send(self.layout.provider()?, READY_WITHIN).await?;
        ensure!(told.status == 200, "answered {}: {}", told.status, told.body);
        Ok(told.body)
    }
}

impl Node {
    async fn wait_until_ready(&mut self, deadline: Instant) -> Result<()> {
        let call = Call::new("GET", "/readyz?verbose");
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

/// Ticks for looking at a condition until it holds.
pub fn looks() -> tokio::time::Interval {
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks
}
