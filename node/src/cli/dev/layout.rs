//! Where everything is: directories, ports, secrets. What must survive a restart is in `dev.json`.

use std::collections::HashSet;
use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, UdpSocket};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::Dev;

/// Ports between two nodes when they are not free ones.
const PORTS_PER_NODE: u16 = 10;

/// A node's place.
pub(super) struct Node {
    pub(super) name: String,
    pub(super) directory: PathBuf,
    pub(super) config: PathBuf,
    ports: Ports,
}

/// Ports of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Ports {
    data: u16,
    admin: u16,
    peer: u16,
    gossip: u16,
}

/// What is kept in `dev.json`, readable by its owner only.
#[derive(Serialize, Deserialize)]
pub(super) struct State {
    pub(super) admin_token: String,
    pub(super) simulator_key: String,
    pub(super) virtual_key: Option<String>,
    simulator_port: u16,
    nodes: Vec<Ports>,
}

/// Where everything is.
pub(super) struct Layout {
    pub(super) root: PathBuf,
    pub(super) temporary: bool,
    pub(super) nodes: Vec<Node>,
    pub(super) state: State,
}

impl Layout {
    /// Makes the directories, or finds them as the last run left them, and writes each node's file.
    pub(super) fn prepare(dev: &Dev) -> Result<Layout> {
        let temporary = dev.data_dir.is_none();
        let root = match &dev.data_dir {
            Some(given) => std::path::absolute(given)?,
            None => std::env::temp_dir()
                .join(format!("bursar-dev-{}", secret()?.get(..12).unwrap_or_default())),
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&root)
            .with_context(|| format!("cannot make {}", root.display()))?;
        let state = State::read_or_draw(&root, dev)?;
        let mut layout = Layout { root, temporary, nodes: Vec::new(), state };
        layout.save()?;
        fs::write(layout.root.join("pid"), std::process::id().to_string())?;
        layout.nodes =
            (1..).zip(&layout.state.nodes).map(|(n, ports)| layout.node(n, *ports)).collect();
        for node in &layout.nodes {
            fs::create_dir_all(&node.directory)?;
            write_private(&node.config, &layout.config(node, &dev.drain_delay))?;
        }
        Ok(layout)
    }

    /// Writes `dev.json`.
    pub(super) fn save(&self) -> Result<()> {
        write_private(&self.root.join("dev.json"), &serde_json::to_string_pretty(&self.state)?)
    }

    pub(super) fn simulator_address(&self) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::LOCALHOST, self.state.simulator_port)
    }

    fn node(&self, number: usize, ports: Ports) -> Node {
        let name = format!("node-{number}");
        let directory = self.root.join(&name);
        let config = directory.join("bursar.yaml");
        Node { name, directory, config, ports }
    }

    /// A node's file. Secrets are files beside it, so that it may be shown to others.
    fn config(&self, node: &Node, drain_delay: &str) -> String {
        let Ports { data, admin, peer, gossip } = node.ports;
        let secrets = self.root.join("secrets");
        let mut text = format!(
            "cluster_name: bursar-dev
label: {name}
data_dir: {directory:?}
listen: 127.0.0.1:{data}
admin:
  listen: 127.0.0.1:{admin}
  token: ${{file:{secrets}/admin-token}}
peer:
  listen: 127.0.0.1:{peer}
gossip:
  listen: 127.0.0.1:{gossip}
secrets:
  cluster: ${{file:{secrets}/cluster}}
  key_encryption_key: ${{file:{secrets}/key-encryption-key}}
drain:
  delay: {drain_delay}
  timeout: 30s
log:
  format: json
",
            name = node.name,
            directory = node.directory.join("data").display().to_string(),
            secrets = secrets.display(),
        );
        if self.state.nodes.len() > 1 {
            text.push_str(&format!("bootstrap_expect: {}\nseeds:\n", self.state.nodes.len()));
            for ports in &self.state.nodes {
                text.push_str(&format!("  - 127.0.0.1:{}\n", ports.gossip));
            }
        }
        text
    }
}

/// Removes a directory that nobody asked to keep.
pub(super) fn remove(root: &Path) {
    if let Err(error) = fs::remove_dir_all(root) {
        super::children::progress(&format!("cannot remove {}: {error}", root.display()));
    }
}

impl Node {
    pub(super) fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.data)
    }

    pub(super) fn admin_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.admin)
    }

    /// Where its process id is written, for scripts.
    pub(super) fn pid_file(&self) -> PathBuf {
        self.directory.join("pid")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.directory.join("log.jsonl")
    }
}

impl State {
    fn read_or_draw(root: &Path, dev: &Dev) -> Result<State> {
        let path = root.join("dev.json");
        if path.exists() {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let state: State = serde_json::from_str(&text)
                .with_context(|| format!("{} was not written by `bursar dev`", path.display()))?;
            let nodes = state.nodes.len();
            ensure!(
                nodes == usize::from(dev.nodes),
                "{} holds a cluster of {nodes} nodes: pass --nodes {nodes}, or another --data-dir",
                root.display()
            );
            return Ok(state);
        }
        if fs::read_dir(root)?.next().is_some() {
            bail!(
                "{} is not empty and holds no cluster of `bursar dev`: choose another --data-dir",
                root.display()
            );
        }
        let secrets = root.join("secrets");
        fs::DirBuilder::new().mode(0o700).create(&secrets)?;
        let admin_token = secret()?;
        write_private(&secrets.join("admin-token"), &admin_token)?;
        write_private(&secrets.join("cluster"), &secret()?)?;
        write_private(&secrets.join("key-encryption-key"), &secret()?)?;
        let mut ports = FreePorts::default();
        Ok(State {
            admin_token,
            simulator_key: secret()?,
            virtual_key: None,
            simulator_port: match dev.base_port {
                Some(base) => fixed(base, PORTS_PER_NODE * dev.nodes)?,
                None => ports.next()?,
            },
            nodes: (0..dev.nodes)
                .map(|n| match dev.base_port {
                    Some(base) => Ports::fixed(fixed(base, n * PORTS_PER_NODE)?),
                    None => ports.node(),
                })
                .collect::<Result<_>>()?,
        })
    }
}

impl Ports {
    fn fixed(base: u16) -> Result<Ports> {
        Ok(Ports {
            data: base,
            admin: fixed(base, 1)?,
            peer: fixed(base, 2)?,
            gossip: fixed(base, 3)?,
        })
    }
}

fn fixed(base: u16, offset: u16) -> Result<u16> {
    base.checked_add(offset)
        .with_context(|| format!("--base-port {base} leaves too few ports above it"))
}

/// Free ports of loopback, held open until all are found so that none comes twice.
#[derive(Default)]
struct FreePorts {
    held: Vec<(TcpListener, UdpSocket)>,
    seen: HashSet<u16>,
}

impl FreePorts {
    fn next(&mut self) -> Result<u16> {
        loop {
            let tcp =
                TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on loopback")?;
            let port = tcp.local_addr()?.port();
            // Gossip is UDP: the same number has to be free there too.
            if let Ok(udp) = UdpSocket::bind((Ipv4Addr::LOCALHOST, port))
                && self.seen.insert(port)
            {
                self.held.push((tcp, udp));
                return Ok(port);
            }
        }
    }

    fn node(&mut self) -> Result<Ports> {
        Ok(Ports {
            data: self.next()?,
            admin: self.next()?,
            peer: self.next()?,
            gossip: self.next()?,
        })
    }
}

/// 256 random bits in hexadecimal digits.
fn secret() -> Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn write_private(path: &Path, text: &str) -> Result<()> {
    let file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}
