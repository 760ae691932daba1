//! A real cluster: processes of the real program on this machine, to be struck and set right again.

mod act;
mod clock;
mod disk;
mod ground;
mod layout;
mod net;
mod node;
mod process;
mod run;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval};

pub use act::{Act, Effect};
pub use clock::{Wrong, library as faketime_library};
pub use ground::Ground;
pub use net::{Deaf, Packets};

use crate::http::{Call, Told};
use layout::Layout;
use node::Node;

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

/// What a cluster is made of.
#[derive(Clone, Copy, Debug)]
pub struct Build {
    /// Nodes that found it.
    pub founders: usize,
    /// Places for nodes that may join later.
    pub spares: usize,
    /// Whether wall clocks can be set.
    pub clocks: bool,
}

/// A running cluster. Dropped, it is killed, and its files are removed unless a test is failing.
pub struct Cluster {
    layout: Layout,
    nodes: Vec<Node>,
    founders: usize,
    /// Rules in force.
    deaf: Vec<Deaf>,
}

impl Cluster {
    /// Founds a cluster and waits until every founder is ready.
    ///
    /// # Errors
    ///
    /// What kept it from becoming ready, or that there is no program.
    pub async fn start(build: Build) -> Result<Cluster> {
        let layout = Layout::new(build.founders)?;
        let places = build.founders + build.spares;
        let images = layout.root().join("images");
        disk::place_for_images(layout.ground, &images).await?;
        if layout.ground == Ground::Namespaces {
            net::build(places).await?;
        }
        let mut nodes = Vec::new();
        for node in 0..places {
            nodes.push(Node::new(&layout, node, &images, build.clocks).await?);
        }
        let mut cluster = Cluster { layout, nodes, founders: build.founders, deaf: Vec::new() };
        for node in 0..build.founders {
            cluster.start_node(node)?;
        }
        cluster.wait_until_ready().await?;
        Ok(cluster)
    }

    /// How many places for nodes there are, spare ones among them.
    pub fn size(&self) -> usize {
        self.nodes.len()
    }

    /// How many nodes founded it.
    pub fn founders(&self) -> usize {
        self.founders
    }

    /// Nodes that are meant to run.
    pub fn members(&self) -> Vec<usize> {
        (0..self.size()).filter(|node| self.nodes[*node].wanted).collect()
    }

    /// Where each node is reached.
    pub fn doors(&self) -> Vec<Doors> {
        self.nodes.iter().map(|node| node.doors).collect()
    }

    /// The operators' token.
    pub fn admin_token(&self) -> &'static str {
        layout::ADMIN_TOKEN
    }

    /// Where logs, histories and everything else of this run are.
    pub fn root(&self) -> PathBuf {
        self.layout.root().to_owned()
    }

    /// Has the files outlive this run.
    pub fn keep_files(&mut self) {
        self.layout.keep();
    }

    /// Undoes everything that was done to the nodes, and waits until all that should run are ready.
    ///
    /// # Errors
    ///
    /// A node does not become ready.
    pub async fn heal(&mut self) -> Result<()> {
        for deaf in std::mem::take(&mut self.deaf) {
            net::restore(&deaf).await?;
        }
        for node in 0..self.size() {
            self.nodes[node].set_clock(Wrong::default())?;
            self.nodes[node].free_disk()?;
            self.resume(node)?;
            if self.nodes[node].wanted {
                self.start_node(node)?;
            }
        }
        self.wait_until_ready().await
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        for node in self.members() {
            self.wait_for(node).await?;
        }
        Ok(())
    }

    /// Waits until one node is ready.
    async fn wait_for(&mut self, node: usize) -> Result<()> {
        let waited = self.nodes[node].wait_until_ready().await;
        waited.map_err(|error| {
            self.layout.keep();
            error.context(format!("files are in {}", self.layout.root().display()))
        })
    }

    /// Which node leads, as far as one that runs knows.
    pub async fn leader(&self) -> Option<usize> {
        let call = Call::new("GET", "/admin/v1/cluster/members").bearer(self.admin_token());
        for node in self.nodes.iter().filter(|node| node.answers()) {
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

    /// The number a member has in the log, by any node that answers.
    async fn id_of(&self, node: usize) -> Result<String> {
        let asked = Call::new("GET", "/admin/v1/cluster/members");
        let told = self.admin_anywhere_but(node, asked).await?;
        let members = told.body["items"].as_array().into_iter().flatten();
        let label = self.nodes[node].label.as_str();
        // Of several of one label the last to join is the one that runs.
        let mut ids: Vec<&Value> =
            members.filter(|member| member["label"] == label).map(|member| &member["id"]).collect();
        ids.sort_by_key(|id| (id.to_string().len(), id.to_string()));
        ensure!(!ids.is_empty(), "{label} is no member: {}", told.body);
        let id = ids.first().map(|id| id.as_str().map_or(id.to_string(), str::to_owned));
        Ok(id.unwrap_or_default())
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

    /// Asks one node after another, but for one, until it succeeds.
    async fn admin_anywhere_but(&self, but: usize, call: Call) -> Result<Told> {
        let deadline = Instant::now() + READY_WITHIN;
        let mut looks = looks();
        loop {
            looks.tick().await;
            for node in self.members().into_iter().filter(|node| *node != but) {
                match self.admin(node, call.clone()).await {
                    Ok(told) => return Ok(told),
                    Err(error) if Instant::now() > deadline => return Err(error),
                    Err(_) => {}
                }
            }
        }
    }
}

/// Ticks for looking at a condition until it holds.
pub fn looks() -> tokio::time::Interval {
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks
}
